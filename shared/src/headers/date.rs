//! The Date field (RFC 5322 section 3.3, obsolete forms of section 4.3) as an instant, and dates that follow no RFC:
//! mail of scripts, of scanners and of ticket systems in the language of their owner.

mod names;
#[cfg(test)]
mod tests;

use jiff::{Timestamp, civil, tz::Offset};

use self::names::Word;

/// Longest value looked at: a date with a long comment.
const VALUE_OCTETS_MAX: usize = 400;
/// RFC 3339 ends a leap second; so does `jiff`.
const LAST_SECOND: i8 = 59;

/// A date, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) instant: Timestamp,
    /// RFC 3339 with the offset as written.
    pub(crate) written: String,
    /// `date-zone-missing`, `date-zone-unknown`: taken as UTC.
    pub(crate) defect: Option<&'static str>,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    time: Option<(i8, i8, i8)>,
    afternoon: Option<bool>,
    /// Seconds east of Greenwich.
    east: Option<i32>,
    /// The offset stands in digits, which no name overrides.
    in_digits: bool,
    unknown_zone: bool,
    /// The month may be a weekday: `mar.` is March, mardi, martes and martedì.
    doubtful_month: bool,
}

/// Reads a date; `None` for anything that is none.
pub(crate) fn read(value: &str) -> Option<Read> {
    if value.len() > VALUE_OCTETS_MAX {
        return None;
    }
    let plain = without_comments(value);
    let mut found = Found::default();
    // `2026-11-27T15:04:05`: the letter parts what a blank parts elsewhere.
    let separated = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'');
    for token in plain.split(separated).filter(|token| !token.is_empty()) {
        let (date, time) = iso_parts(token);
        found.token(date);
        if let Some(time) = time {
            found.token(time);
        }
    }
    found.finish()
}

/// RFC 5322 comments nest; what stands in one never counts.
fn without_comments(value: &str) -> String {
    let mut depth = 0_usize;
    let outside = value.chars().filter(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => return depth == 0 && *c != '\0',
        }
        false
    });
    let outside: String = outside.collect();
    // RFC 5322 appendix A.5: blanks may stand around the colons of a clock.
    outside.split(':').map(str::trim).collect::<Vec<_>>().join(":")
}

fn iso_parts(token: &str) -> (&str, Option<&str>) {
    match token.split_once(['T', 't']) {
        Some((date, time))
            if date.len() >= 8 && date.starts_with(|c: char| c.is_ascii_digit()) && time.contains(':') =>
        {
            (date, Some(time))
        }
        _ => (token, None),
    }
}

impl Found {
    fn token(&mut self, token: &str) {
        let digit_first = token.starts_with(|c: char| c.is_ascii_digit());
        if digit_first && token.contains(':') {
            self.clock(token);
        } else if digit_first {
            self.numbers(token);
        } else if token.starts_with(['+', '-']) {
            self.offset(token);
        } else if let Some(at) = token.find(['+', '-']).filter(|_| self.time.is_some()) {
            // `GMT+0200`: the digits are meant.
            let (name, offset) = token.split_at(at);
            self.word(name);
            self.offset(offset);
        } else {
            self.word(token);
        }
    }

    /// `9:15`, `09:15:00.123`, with a zone or AM and PM behind it without a blank.
    fn clock(&mut self, token: &str) {
        let end = token.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.'))).unwrap_or(token.len());
        let (clock, rest) = token.split_at(end);
        let mut parts = clock.splitn(3, ':').map(|part| part.split('.').next().unwrap_or_default());
        let mut next = || parts.next().map_or(Some(0), |part| part.parse::<i8>().ok());
        if let (Some(hour), Some(minute), Some(second), None) = (next(), next(), next(), self.time) {
            self.time = Some((hour, minute, second));
        }
        if !rest.is_empty() {
            self.token(rest);
        }
    }

    /// A day, a year, or a whole date: `27`, `2026`, `27-Nov-26`, `11/27/2026`, `27.11.2026`, `2026-11-27`.
    fn numbers(&mut self, token: &str) {
        let mut parts = token.split(['-', '/', '.']).filter(|part| !part.is_empty());
        let (first, second, third) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let (Some(second), Some(third)) = (second, third) else {
            if second.is_none() {
                self.number(first);
            }
            return;
        };
        if second.starts_with(char::is_alphabetic) {
            self.number(first);
            self.word(second);
            self.number(third);
            return;
        }
        if first.len() == 4 {
            (self.year, self.month, self.day) = (year(first), second.parse().ok(), third.parse().ok());
            return;
        }
        let (a, b) = (first.parse::<i8>().ok(), second.parse::<i8>().ok());
        // With strokes the month stands first, as Americans write, where it can be one; else the day.
        let month_first = token.contains('/') && a.is_some_and(|a| a <= 12);
        (self.month, self.day) = if month_first { (a, b) } else { (b, a) };
        self.year = year(third);
    }

    fn number(&mut self, text: &str) {
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        match digits.len() {
            1 | 2 if self.day.is_none() => self.day = digits.parse().ok(),
            8 if self.day.is_none() && self.year.is_none() => {
                self.year = digits.get(..4).and_then(year);
                self.month = digits.get(4..6).and_then(|month| month.parse().ok());
                self.day = digits.get(6..).and_then(|day| day.parse().ok());
            }
            2..=5 if self.year.is_none() => self.year = year(digits),
            _ => {}
        }
    }

    /// `+0200`, `+02:00`, `-5`, `+530`.
    fn offset(&mut self, token: &str) {
        if self.time.is_none() || self.in_digits {
            return;
        }
        let digits: String = token.chars().filter(char::is_ascii_digit).collect();
        let (hours, minutes) = match digits.len() {
            1 | 2 => (digits.parse(), Ok(0)),
            3 | 4 => {
                let (hours, minutes) = digits.split_at(digits.len() - 2);
                (hours.parse(), minutes.parse())
            }
            _ => return self.unknown_zone = true,
        };
        match (hours, minutes) {
            (Ok(hours @ 0..=15_i32), Ok(minutes @ 0..=59_i32)) => {
                let east = hours * 3600 + minutes * 60;
                self.east = Some(if token.starts_with('-') { -east } else { east });
                self.in_digits = true;
            }
            _ => self.unknown_zone = true,
        }
    }

    fn word(&mut self, token: &str) {
        match names::word(token) {
            Word::Month(month, doubtful) => {
                if self.month.is_none() || self.doubtful_month {
                    (self.month, self.doubtful_month) = (Some(month), doubtful);
                }
            }
            Word::Afternoon(afternoon) => self.afternoon = self.afternoon.or(Some(afternoon)),
            Word::Zone(east) if !self.in_digits && self.east.is_none() => self.east = Some(east),
            // A word behind the clock that is nothing else is meant as a zone.
            Word::Other if self.time.is_some() && token.chars().all(|c| c.is_ascii_uppercase()) => {
                self.unknown_zone = true;
            }
            Word::Zone(_) | Word::Nothing | Word::Other => {}
        }
    }

    fn finish(self) -> Option<Read> {
        let (hour, minute, second) = self.time.unwrap_or_default();
        let hour = match self.afternoon {
            Some(true) if hour < 12 => hour + 12,
            Some(false) if hour == 12 => 0,
            _ => hour,
        };
        // The day's end, as ISO 8601 writes it.
        let midnight = (hour, minute, second) == (24, 0, 0);
        if second > LAST_SECOND + 1 {
            return None;
        }
        let hour = if midnight { 0 } else { hour };
        let year = self.year.filter(|year| (1970..=9000).contains(year))?;
        let day = civil::DateTime::new(year, self.month?, self.day?, hour, minute, second.min(LAST_SECOND), 0).ok()?;
        let local = if midnight { day.tomorrow().ok()? } else { day };
        let defect = match (self.east, self.unknown_zone) {
            (Some(_), _) => None,
            (None, true) => Some("date-zone-unknown"),
            (None, false) => Some("date-zone-missing"),
        };
        let east = self.east.unwrap_or(0);
        let instant = Offset::from_seconds(east).ok()?.to_timestamp(local).ok()?;
        let (sign, minutes) = (if east < 0 { '-' } else { '+' }, east.abs() / 60);
        let zone = if east == 0 { "Z".to_owned() } else { format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60) };
        Some(Read { instant, written: format!("{}{zone}", local.strftime("%Y-%m-%dT%H:%M:%S")), defect })
    }
}

/// RFC 5322 section 4.3 for two and three digits; `19126` is what `"19" + 126` prints.
fn year(digits: &str) -> Option<i16> {
    let year: i16 = digits.parse().ok()?;
    match (digits.len(), year) {
        (1 | 2, 0..=49) => Some(year + 2000),
        (2 | 3, _) => Some(year + 1900),
        (4, _) => Some(year),
        (5, 19_100..=19_199) => Some(year - 17_100),
        _ => None,
    }
}
