use super::*;

#[test]
fn dates() {
    for (value, expected) in [
        ("Mon, 02 Mar 2026 09:15:00 +0100", Some("2026-03-02T09:15:00+01:00")),
        (" 2 Mar 2026 09:15 GMT", Some("2026-03-02T09:15:00Z")),
        ("Mon, 2 Mar 2026 09:15:60 -0000 (UTC)", Some("2026-03-02T09:15:59Z")),
        ("Fri, 21 Nov 97 09:55:06 -0600", Some("1997-11-21T09:55:06-06:00")),
        ("Fri, 21 Nov 1997 09:55:06 EST", Some("1997-11-21T09:55:06-05:00")),
        ("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", Some("1997-11-21T09:55:06-06:00")),
        ("2026-03-02T09:15:00Z", Some("2026-03-02T09:15:00Z")),
        ("2026-03-02 09:15:00.123+02:00", Some("2026-03-02T09:15:00+02:00")),
        ("2026-03-02T09:15:00.5-0330", Some("2026-03-02T09:15:00-03:30")),
        ("20260302T09:15:00Z", Some("2026-03-02T09:15:00Z")),
        ("Mon, 32 Foo 2026 99:99:99 +9999", None),
        ("Thu, 01 Jan 1970 00:00:00 +0000", Some("1970-01-01T00:00:00Z")),
        // Zones.
        ("27 Nov 2026 15:04:05 CET", Some("2026-11-27T15:04:05+01:00")),
        ("27 Nov 2026 15:04:05 MSK", Some("2026-11-27T15:04:05+03:00")),
        ("27 Nov 2026 15:04:05 JST", Some("2026-11-27T15:04:05+09:00")),
        ("27 Nov 2026 15:04:05 GMT+0200", Some("2026-11-27T15:04:05+02:00")),
        ("27 Nov 2026 15:04:05 GMT +02:00", Some("2026-11-27T15:04:05+02:00")),
        ("27 Nov 2026 15:04:05 UTC-5", Some("2026-11-27T15:04:05-05:00")),
        ("27 Nov 2026 15:04:05 -0500 (EST)", Some("2026-11-27T15:04:05-05:00")),
        ("27 Nov 2026 15:04:05 -0500 EDT", Some("2026-11-27T15:04:05-05:00")),
        ("27 Nov 2026 15:04:05+0530", Some("2026-11-27T15:04:05+05:30")),
        ("27 Nov 2026 15:04:05 Z", Some("2026-11-27T15:04:05Z")),
        // Years and clocks.
        ("27 Nov 126 15:04:05 +0000", Some("2026-11-27T15:04:05Z")),
        ("1 Jan 100 15:04:05 +0000", Some("2000-01-01T15:04:05Z")),
        ("27 Nov 19126 15:04:05 +0000", Some("2026-11-27T15:04:05Z")),
        ("27 Nov 26 15:04 +0000", Some("2026-11-27T15:04:00Z")),
        ("27 Nov 2026 24:00:00 +0000", Some("2026-11-28T00:00:00Z")),
        ("27 Nov 2026 25:00:00 +0000", None),
        ("31 Nov 2026 15:04:05 +0000", None),
        // Weekdays: missing, wrong, run together; commas and orders.
        ("Sunday, 27 November 2026 15:04:05 +0000", Some("2026-11-27T15:04:05Z")),
        ("Fri,27 Nov 2026 15:04:05 +0000", Some("2026-11-27T15:04:05Z")),
        ("Fri 27, Nov, 2026 15:04:05 +0000", Some("2026-11-27T15:04:05Z")),
        ("Fri Nov 27 15:04:05 2026", Some("2026-11-27T15:04:05Z")),
        ("Fri Nov 27 15:04:05 EST 2026", Some("2026-11-27T15:04:05-05:00")),
        ("Fri Nov 27 15:04:05 +0100 2026", Some("2026-11-27T15:04:05+01:00")),
        ("November 27th, 2026 3:04 PM", Some("2026-11-27T15:04:00Z")),
        ("27-Nov-2026 15:04:05 +0100", Some("2026-11-27T15:04:05+01:00")),
        ("11/27/2026 3:04 PM", Some("2026-11-27T15:04:00Z")),
        ("27/11/2026 12:04 am", Some("2026-11-27T00:04:00Z")),
        ("27.11.2026 15:04:05 MEZ", Some("2026-11-27T15:04:05+01:00")),
        ("2026/11/27 15:04:05", Some("2026-11-27T15:04:05Z")),
        // Languages.
        ("Fr., 27. März 2026 15:04:05 +0100", Some("2026-03-27T15:04:05+01:00")),
        ("Mi, 2 Dez 2026 15:04:05 +0100", Some("2026-12-02T15:04:05+01:00")),
        ("ven. 27 févr. 2026 15:04:05 +0100", Some("2026-02-27T15:04:05+01:00")),
        ("mar. 27 août 2026 15:04:05 +0200", Some("2026-08-27T15:04:05+02:00")),
        ("mar, 27 mar 2026 15:04:05 +0100", Some("2026-03-27T15:04:05+01:00")),
        ("viernes, 27 de enero de 2026 15:04:05 +0100", Some("2026-01-27T15:04:05+01:00")),
        ("martedì 27 maggio 2026 15:04:05 +0200", Some("2026-05-27T15:04:05+02:00")),
        ("maandag 27 mrt 2026 15:04:05 +0200", Some("2026-03-27T15:04:05+02:00")),
        ("sexta-feira, 27 de setembro de 2026 15:04:05 -0300", Some("2026-09-27T15:04:05-03:00")),
        ("Пт, 27 ноя 2026 15:04:05 +0300", Some("2026-11-27T15:04:05+03:00")),
        ("27 марта 2026 15:04:05 +0300", Some("2026-03-27T15:04:05+03:00")),
        ("\0Fri, 27 Nov\0 2026 15:04:05 +0000", Some("2026-11-27T15:04:05Z")),
        ("yesterday", None),
        ("", None),
        ("99999999999999999999", None),
        ("now", None),
        ("15:04:05", None),
    ] {
        assert_eq!(read(value).map(|read| read.written).as_deref(), expected, "{value:?}");
    }
}

#[test]
fn a_zone_that_says_nothing_is_flagged() {
    for (value, defect) in [
        ("27 Nov 2026 15:04:05 +0100", None),
        ("27 Nov 2026 15:04:05", Some("date-zone-missing")),
        ("27 Nov 2026 15:04:05 XYZT", Some("date-zone-unknown")),
        // Military letters: RFC 822 had their signs wrong, so RFC 5322 section 4.3 makes them say nothing.
        ("27 Nov 2026 15:04:05 A", Some("date-zone-unknown")),
        ("27 Nov 2026 15:04:05 +9999", Some("date-zone-unknown")),
    ] {
        let read = read(value).unwrap();
        assert_eq!((read.defect, read.written.get(..19)), (defect, Some("2026-11-27T15:04:05")), "{value:?}");
    }
}

proptest::proptest! {
    #[test]
    fn reading_never_panics(value in "[ -~а-яé\\x00]{0,60}|[0-9:/.+A-Za-z -]{0,40}") {
        let _ = read(&value);
    }

    #[test]
    fn what_rfc_5322_writes_is_read(seconds in 0_i64..4_000_000_000) {
        let instant = Timestamp::from_second(seconds).unwrap();
        let written = jiff::fmt::rfc2822::to_string(&instant.to_zoned(jiff::tz::TimeZone::UTC)).unwrap();
        proptest::prop_assert_eq!(read(&written).map(|read| read.instant), Some(instant));
    }
}
