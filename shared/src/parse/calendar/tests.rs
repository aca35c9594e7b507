use super::*;

fn one(inside: &str) -> CalendarEvent {
    let text = format!("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n{inside}\r\nEND:VEVENT\r\nEND:VCALENDAR");
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
    assert_eq!((organizer.name.as_deref(), organizer.address.as_deref()), (Some("Doe, Jane"), Some("jane@x.example")));
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
