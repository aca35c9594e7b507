//! Invitations: what a `text/calendar` part says (RFC 5545, RFC 5546; vCalendar 1.0 as phones still send it).
//!
//! Read for people, not for calendars: who, what, when, where. Recurrences and alarms stay in the `.ics`, which is an
//! attachment of the mail as ever.

use jiff::{Span, civil};
use serde::Serialize;

use super::{
    charset,
    mime::{Part, PartKind, Tree},
    transfer,
};
use crate::headers::words;

/// Octets of one calendar looked at; invitations with long descriptions stay below 100 kB.
const OCTETS_MAX: usize = 1024 * 1024;
/// Calendars read of one mail: Outlook sends the same event in two parts.
const PARTS_MAX: usize = 10;
/// Events told of one mail.
pub(crate) const EVENTS_MAX: usize = 50;
/// Attendees told of one event.
const ATTENDEES_MAX: usize = 200;
/// Longest text kept of one property, in characters.
const TEXT_CHARS_MAX: usize = 1_000;

/// Somebody named in an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Attendee {
    /// CN parameter.
    pub name: Option<String>,
    /// Address, without `mailto:`.
    pub address: Option<String>,
    /// PARTSTAT parameter, lower case: `accepted`, `declined`, `tentative`, `needs-action`, ...
    pub status: Option<String>,
}

/// An event or a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CalendarEvent {
    /// METHOD of the calendar, lower case: `request`, `reply`, `cancel`, `publish`, ...
    pub method: Option<String>,
    /// SUMMARY.
    pub title: Option<String>,
    /// `2026-03-02T09:15:00`, with `Z` where it is UTC; a bare date means all day; as written where it is no time.
    pub start: Option<String>,
    /// The same for the end: DTEND, or DTSTART plus DURATION; exclusive for days (RFC 5545 section 3.6.1).
    pub end: Option<String>,
    /// `UTC`, or the TZID as written; `None` is the reader's own time (RFC 5545 section 3.3.5).
    pub zone: Option<String>,
    /// ORGANIZER.
    pub organizer: Option<Attendee>,
    /// ATTENDEE, at most 200.
    pub attendees: Vec<Attendee>,
    /// LOCATION.
    pub location: Option<String>,
    /// UID.
    pub uid: Option<String>,
    /// STATUS, lower case.
    pub status: Option<String>,
    /// RRULE as written.
    pub recurrence: Option<String>,
}

impl CalendarEvent {
    /// One line for people: `request: Planning, 2026-03-02T09:15:00 to 2026-03-02T10:00:00 (Europe/Berlin), ...`.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = format!("{}: ", self.method.as_deref().unwrap_or("event"));
        line.push_str(self.title.as_deref().unwrap_or("without a title"));
        for (before, value) in [(", ", &self.start), (" to ", &self.end)] {
            if let Some(value) = value {
                line.push_str(before);
                line.push_str(value);
            }
        }
        if let Some(zone) = &self.zone {
            line.push_str(&format!(" ({zone})"));
        }
        if let Some(location) = &self.location {
            line.push_str(&format!(", at {location}"));
        }
        if let Some(address) = self.organizer.as_ref().and_then(|organizer| organizer.address.as_deref()) {
            line.push_str(&format!(", organizer {address}"));
        }
        // An answer is about the one who answers.
        match self.attendees.as_slice() {
            [] => {}
            [one] => {
                let status = one.status.as_deref().unwrap_or("invited");
                line.push_str(&format!(", {} {status}", one.address.as_deref().unwrap_or("somebody")));
            }
            several => line.push_str(&format!(", {} attendees", several.len())),
        }
        line
    }
}

/// A property: upper-case name, parameters, value as written.
struct Property {
    name: String,
    params: Vec<(String, String)>,
    value: String,
}

impl Property {
    fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// RFC 5545 section 3.3.11: escaped text, made fit for one line.
    fn text(&self) -> Option<String> {
        let mut text = String::with_capacity(self.value.len());
        let mut chars = self.value.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some('n' | 'N') | None => text.push(' '),
                    Some(escaped) => text.push(escaped),
                },
                c => text.push(c),
            }
        }
        let text: String = words::one_line(&text).chars().take(TEXT_CHARS_MAX).collect();
        (!text.is_empty()).then_some(text)
    }

    fn lower(&self) -> Option<String> {
        self.text().map(|text| text.to_ascii_lowercase())
    }

    fn person(&self) -> Attendee {
        let bare = |text: &str| Some(words::one_line(text)).filter(|text| !text.is_empty());
        let value = self.value.trim();
        let address = value.split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("mailto:"));
        let address = address.map_or(value, |(_, address)| address);
        Attendee {
            name: self.param("CN").and_then(bare),
            address: Some(address).filter(|address| address.contains('@')).or(self.param("EMAIL")).and_then(bare),
            status: self.param("PARTSTAT").map(str::to_ascii_lowercase),
        }
    }
}

/// The events of all parts of the mail itself that are calendars, by type or by name.
pub(crate) fn of_tree(tree: &Tree<'_>) -> Vec<CalendarEvent> {
    let named = |part: &Part<'_>| {
        let by_disposition = part.disposition.as_ref().and_then(|disposition| disposition.param("filename"));
        let name = by_disposition.or_else(|| part.content_type.param("name")).unwrap_or_default();
        name.to_ascii_lowercase().ends_with(".ics")
    };
    let is_calendar = |part: &&Part<'_>| {
        let kind = part.content_type.value.as_str();
        let typed = matches!(kind, "text/calendar" | "application/ics" | "text/x-vcalendar");
        part.kind == PartKind::Leaf && part.message.is_none() && (typed || named(part))
    };
    let mut events: Vec<CalendarEvent> = Vec::new();
    for part in tree.parts.iter().filter(is_calendar).take(PARTS_MAX) {
        let (octets, _) = transfer::decode(part.body, &part.encoding);
        for event in read(&octets, part.content_type.param("charset")) {
            // The same event stands in the alternative and in the attached file.
            if events.len() < EVENTS_MAX && !events.contains(&event) {
                events.push(event);
            }
        }
    }
    events
}

/// Reads the events of one part, its transfer encoding already undone.
pub(crate) fn read(octets: &[u8], declared_charset: Option<&str>) -> Vec<CalendarEvent> {
    let octets = octets.get(..OCTETS_MAX).unwrap_or(octets);
    // RFC 5545 section 3.1.4: UTF-8 where nothing is said.
    let text = charset::decode(octets, declared_charset.or(Some("utf-8"))).text;
    let (mut method, mut events, mut event) = (None, Vec::new(), None::<(CalendarEvent, Option<String>)>);
    // Alarms and zones stand inside and have properties of their own.
    let mut within: Vec<String> = Vec::new();
    for property in properties(&text) {
        match property.name.as_str() {
            "BEGIN" => {
                let what = property.value.trim().to_ascii_uppercase();
                if matches!(what.as_str(), "VEVENT" | "VTODO") && event.is_none() {
                    event = Some((CalendarEvent { method: method.clone(), ..CalendarEvent::default() }, None));
                    within.clear();
                } else if event.is_some() && within.len() < 100 {
                    within.push(what);
                }
            }
            "END" if event.is_some() && within.pop().is_none() => events.extend(event.take().map(finished)),
            "METHOD" if event.is_none() => method = property.lower(),
            _ => {
                if let Some((event, duration)) = event.as_mut().filter(|_| within.is_empty()) {
                    take(event, duration, &property);
                }
            }
        }
        if events.len() >= EVENTS_MAX {
            break;
        }
    }
    events.extend(event.map(finished));
    for event in &mut events {
        event.method = event.method.take().or_else(|| method.clone());
    }
    events.truncate(EVENTS_MAX);
    events
}

fn take(event: &mut CalendarEvent, duration: &mut Option<String>, property: &Property) {
    match property.name.as_str() {
        "SUMMARY" => event.title = property.text(),
        "LOCATION" => event.location = property.text(),
        "UID" => event.uid = property.text(),
        "STATUS" => event.status = property.lower(),
        "RRULE" => event.recurrence = property.text(),
        "ORGANIZER" => event.organizer = Some(property.person()),
        "ATTENDEE" if event.attendees.len() < ATTENDEES_MAX => event.attendees.push(property.person()),
        "DTSTART" => (event.start, event.zone) = time(property),
        "DTEND" | "DUE" => {
            let (end, zone) = time(property);
            event.end = end;
            event.zone = event.zone.take().or(zone);
        }
        "DURATION" => *duration = property.text(),
        _ => {}
    }
}

fn finished((mut event, duration): (CalendarEvent, Option<String>)) -> CalendarEvent {
    if let (None, Some(start), Some(duration)) = (&event.end, &event.start, duration) {
        event.end = after(start, &duration);
    }
    event
}

/// A start plus an RFC 5545 duration, in the start's own form.
fn after(start: &str, duration: &str) -> Option<String> {
    let span: Span = duration.parse().ok()?;
    let bare = start.trim_end_matches('Z');
    if let Ok(date) = bare.parse::<civil::Date>().map_err(drop)
        && !bare.contains('T')
    {
        return date.checked_add(span).ok().map(|end| end.to_string());
    }
    let end = bare.parse::<civil::DateTime>().ok()?.checked_add(span).ok()?;
    Some(format!("{end}{}", if start.ends_with('Z') { "Z" } else { "" }))
}

/// RFC 5545 sections 3.3.4 and 3.3.5: `20260302`, `20260302T091500`, `20260302T091500Z`.
fn time(property: &Property) -> (Option<String>, Option<String>) {
    let Some(written) = property.text() else { return (None, None) };
    let zone = property.param("TZID").map(|zone| words::one_line(zone).chars().take(TEXT_CHARS_MAX).collect());
    let (bare, utc) = written.strip_suffix('Z').map_or((written.as_str(), false), |bare| (bare, true));
    let digits: String = bare.chars().filter(|c| *c != 'T').collect();
    let part = |from: usize, to: usize| digits.get(from..to);
    let sound = digits.bytes().all(|octet| octet.is_ascii_digit());
    let date = part(0, 4).zip(part(4, 6)).zip(part(6, 8)).filter(|_| sound);
    let Some(((year, month), day)) = date else { return (Some(written), zone) };
    match (part(8, 10), part(10, 12), part(12, 14)) {
        (Some(hour), Some(minute), second) => {
            let second = second.unwrap_or("00");
            let end = if utc { "Z" } else { "" };
            let zone = if utc { Some("UTC".to_owned()) } else { zone };
            (Some(format!("{year}-{month}-{day}T{hour}:{minute}:{second}{end}")), zone)
        }
        _ => (Some(format!("{year}-{month}-{day}")), zone),
    }
}

/// The content lines, unfolded (RFC 5545 section 3.1); vCalendar folds quoted-printable values by their soft breaks.
fn properties(text: &str) -> Vec<Property> {
    let mut lines: Vec<String> = Vec::new();
    let mut soft = false;
    for line in text.lines() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (_, Some(open)) if soft => {
                open.pop();
                open.push_str(line.trim_start());
            }
            (Some(folded), Some(open)) => open.push_str(folded),
            _ => lines.push(line.to_owned()),
        }
        let quoted = |open: &String| open.ends_with('=') && is_quoted_printable(open);
        soft = lines.last().is_some_and(quoted);
    }
    lines.iter().filter_map(|line| property(line)).collect()
}

fn is_quoted_printable(line: &str) -> bool {
    // Looked for where parameters stand: a value can be long.
    let start: String = line.chars().take(200).collect::<String>().to_ascii_uppercase();
    start.contains("QUOTED-PRINTABLE")
}

fn property(line: &str) -> Option<Property> {
    let colon = unquoted(line, ':')?;
    let (head, value) = line.split_at_checked(colon)?;
    let value = value.get(1..)?;
    let mut pieces = Vec::new();
    let mut rest = head;
    while let Some(at) = unquoted(rest, ';') {
        pieces.push(rest.get(..at)?);
        rest = rest.get(at + 1..)?;
    }
    pieces.push(rest);
    let (name, params) = pieces.split_first()?;
    // `item1.SUMMARY`, as Apple groups them.
    let name = name.rsplit('.').next().unwrap_or(name).trim().to_ascii_uppercase();
    let params: Vec<(String, String)> = params
        .iter()
        .take(50)
        .map(|param| match param.split_once('=') {
            Some((name, value)) => (name.trim().to_ascii_uppercase(), value.trim().trim_matches('"').to_owned()),
            // vCalendar 1.0 writes the encoding alone.
            None => ("ENCODING".to_owned(), param.trim().to_ascii_uppercase()),
        })
        .collect();
    let mut property = Property { name, params, value: value.to_owned() };
    if property.param("ENCODING").is_some_and(|encoding| encoding.eq_ignore_ascii_case("quoted-printable")) {
        let octets = transfer::quoted_printable(property.value.as_bytes());
        property.value = charset::decode(&octets, property.param("CHARSET").or(Some("utf-8"))).text;
    }
    Some(property)
}

/// Where `wanted` first stands outside double quotes.
fn unquoted(text: &str, wanted: char) -> Option<usize> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            c if c == wanted && !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(inside: &str) -> CalendarEvent {
        let text =
            format!("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n{inside}\r\nEND:VEVENT\r\nEND:VCALENDAR");
        let events = read(text.as_bytes(), None);
        assert_eq!(events.len(), 1);
        events.into_iter().next().unwrap()
    }

    #[test]
    fn an_invitation() {
        let event = one("SUMMARY;LANGUAGE=en:Planning\\, part 2\r\nDTSTART;TZID=\"Europe/Berlin\":20260302T091500\r\n\
             DTEND;TZID=Europe/Berlin:20260302T100000\r\nORGANIZER;CN=\"Doe, Jane\":MAILTO:jane@x.example\r\n\
             ATTENDEE;PARTSTAT=NEEDS-ACTION;CN=Li:mailto:li@\r\n x.example\r\nLOCATION:Room\\; 1\r\nUID:a@x\r\nSTATUS:CONFIRMED\r\n\
             RRULE:FREQ=WEEKLY\r\nBEGIN:VALARM\r\nSUMMARY:not this\r\nEND:VALARM");
        assert_eq!(event.title.as_deref(), Some("Planning, part 2"));
        assert_eq!(
            (event.start.as_deref(), event.end.as_deref()),
            (Some("2026-03-02T09:15:00"), Some("2026-03-02T10:00:00"))
        );
        let organizer = event.organizer.clone().unwrap();
        assert_eq!(
            (organizer.name.as_deref(), organizer.address.as_deref()),
            (Some("Doe, Jane"), Some("jane@x.example"))
        );
        assert_eq!(event.attendees[0].address.as_deref(), Some("li@x.example"));
        assert_eq!(
            event.line(),
            "request: Planning, part 2, 2026-03-02T09:15:00 to 2026-03-02T10:00:00 (Europe/Berlin), at Room; 1, \
             organizer jane@x.example, li@x.example needs-action"
        );
    }

    #[test]
    fn times_of_every_kind() {
        for (written, start, end, zone) in [
            (
                "DTSTART:20260302T091500Z\r\nDURATION:PT45M",
                "2026-03-02T09:15:00Z",
                Some("2026-03-02T10:00:00Z"),
                Some("UTC"),
            ),
            ("DTSTART;VALUE=DATE:20260302\r\nDTEND;VALUE=DATE:20260303", "2026-03-02", Some("2026-03-03"), None),
            ("DTSTART;VALUE=DATE:20260302\r\nDURATION:P2D", "2026-03-02", Some("2026-03-04"), None),
            ("DTSTART:20260302T091500\r\nDURATION:P1W", "2026-03-02T09:15:00", Some("2026-03-09T09:15:00"), None),
            (
                "DTSTART;TZID=W. Europe Standard Time:20260302T0915",
                "2026-03-02T09:15:00",
                None,
                Some("W. Europe Standard Time"),
            ),
            ("DTSTART:soon", "soon", None, None),
            ("DTSTART:20260302T091500\r\nDURATION:nonsense", "2026-03-02T09:15:00", None, None),
        ] {
            let event = one(written);
            assert_eq!(
                (event.start.as_deref(), event.end.as_deref(), event.zone.as_deref()),
                (Some(start), end, zone),
                "{written}"
            );
        }
    }

    #[test]
    fn calendars_of_every_kind() {
        let vcalendar = "BEGIN:VCALENDAR\nVERSION:1.0\nBEGIN:VEVENT\nSUMMARY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Gr=C3=BC=\n=C3=9Fe\nEND:VEVENT\n";
        assert_eq!(read(vcalendar.as_bytes(), None)[0].title.as_deref(), Some("Grüße"));
        let latin = b"BEGIN:VEVENT\nSUMMARY:Gr\xFC\xDFe\nEND:VEVENT\nBEGIN:VTODO\nSUMMARY:b\nDUE:20260302\nEND:VTODO\nMETHOD:PUBLISH\n";
        let events = read(latin, Some("iso-8859-1"));
        let titles: Vec<_> = events.iter().map(|event| event.title.as_deref().unwrap()).collect();
        assert_eq!(
            (titles, events[1].end.as_deref(), events[0].method.as_deref()),
            (vec!["Grüße", "b"], Some("2026-03-02"), Some("publish"))
        );
        // Cut in the middle: what is there counts.
        assert_eq!(read(b"BEGIN:VEVENT\nSUMMARY:cut", None)[0].title.as_deref(), Some("cut"));
        for nothing in ["", "text", "BEGIN:VCALENDAR\nEND:VCALENDAR", "END:VEVENT"] {
            assert!(read(nothing.as_bytes(), None).is_empty(), "{nothing}");
        }
        assert!(one("SUMMARY:a\u{202E}b\\nc").title.unwrap() == "ab c");
    }

    #[test]
    fn long_calendars_end() {
        assert_eq!(read("BEGIN:VEVENT\nEND:VEVENT\n".repeat(10_000).as_bytes(), None).len(), EVENTS_MAX);
        assert_eq!(one(&"ATTENDEE:mailto:a@b.example\n".repeat(10_000)).attendees.len(), ATTENDEES_MAX);
        let _ = read("BEGIN:A\n".repeat(100_000).as_bytes(), None);
        let _ = read(format!("SUMMARY{}", ";A=\"".repeat(100_000)).as_bytes(), None);
    }
}
