//! The Date field (RFC 5322 section 3.3, obsolete forms of section 4.3) as an instant.

use jiff::{Timestamp, civil, tz::Offset};
use mail_parser::DateTime;

/// Longest value looked at: a date with a long comment.
const VALUE_OCTETS_MAX: usize = 200;

/// The instant and its RFC 3339 form with the offset as written. `None` for anything that is no date.
pub(crate) fn read(value: &str) -> Option<(Timestamp, String)> {
    let value = value.trim();
    if value.len() > VALUE_OCTETS_MAX {
        return None;
    }
    // ISO dates stand in mail of scripts and of some ticket systems.
    if value.get(4..5) == Some("-")
        && let Ok(instant) = value.replacen(' ', "T", 1).parse::<Timestamp>()
    {
        return Some((instant, instant.to_string()));
    }
    let read = DateTime::parse_rfc822(&with_seconds(value))?;
    let year = i16::try_from(read.year).ok().filter(|year| (1970..=9000).contains(year))?;
    let (month, day) = (i8::try_from(read.month).ok()?, i8::try_from(read.day).ok()?);
    let (hour, minute) = (i8::try_from(read.hour).ok()?, i8::try_from(read.minute).ok()?);
    // A leap second reads as the second before it.
    let second = i8::try_from(read.second.min(59)).ok().filter(|_| read.second <= 60)?;
    let local = civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let east = i32::from(read.tz_hour) * 3600 + i32::from(read.tz_minute) * 60;
    let offset = Offset::from_seconds(if read.tz_before_gmt { -east } else { east }).ok()?;
    let instant = offset.to_timestamp(local).ok()?;
    let zone = if east == 0 {
        "Z".to_owned()
    } else {
        format!("{}{:02}:{:02}", if read.tz_before_gmt { '-' } else { '+' }, read.tz_hour, read.tz_minute)
    };
    Some((instant, format!("{}{zone}", local.strftime("%Y-%m-%dT%H:%M:%S"))))
}

/// The value as one line; seconds, which RFC 5322 section 3.3 makes optional and mail-parser wants, are added.
fn with_seconds(value: &str) -> String {
    let word = |word: &str| {
        let no_seconds = word.split_once(':').is_some_and(|(_, minutes)| !minutes.contains(':'));
        if no_seconds { format!("{word}:00 ") } else { format!("{word} ") }
    };
    value.split_whitespace().map(word).chain(["\n".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_the_wild() {
        for (value, expected) in [
            ("Mon, 02 Mar 2026 09:15:00 +0100", Some("2026-03-02T09:15:00+01:00")),
            (" 2 Mar 2026 09:15 GMT", Some("2026-03-02T09:15:00Z")),
            ("Mon, 2 Mar 2026 09:15:60 -0000 (UTC)", Some("2026-03-02T09:15:59Z")),
            ("Fri, 21 Nov 97 09:55:06 -0600", Some("1997-11-21T09:55:06-06:00")),
            ("Fri, 21 Nov 1997 09:55:06 EST", Some("1997-11-21T09:55:06-05:00")),
            ("2026-03-02T09:15:00Z", Some("2026-03-02T09:15:00Z")),
            ("Mon, 32 Foo 2026 99:99:99 +9999", None),
            ("Thu, 01 Jan 1970 00:00:00 +0000", Some("1970-01-01T00:00:00Z")),
            ("yesterday", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(read(value).map(|(_, written)| written).as_deref(), expected, "{value:?}");
        }
    }
}
