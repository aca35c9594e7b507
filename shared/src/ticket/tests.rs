//! Numbers and cuts.

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn numbers_with_and_without_year() {
    let received = at("2026-12-31T23:59:59Z");
    assert_eq!(ticket_number("INC", false, received, 42), "INC-00042");
    assert_eq!(ticket_number("INC", true, received, 1_234_567), "INC-2026-1234567");
    let reference = |prefix: &str, year, ordinal| TicketRef { prefix: prefix.into(), year, ordinal };
    for (number, reference, expected) in [
        ("INC-2026-00042", reference("INC", Some(2026), 42), true),
        ("INC-2026-00042", reference("INC", None, 42), true),
        ("INC-2026-00042", reference("INC", Some(2025), 42), false),
        ("INC-00042", reference("INC", None, 42), true),
        ("INC-00042", reference("INC", Some(2026), 42), false),
        ("INC-00042", reference("CHG", None, 42), false),
        ("INC-00042", reference("INC", None, 43), false),
    ] {
        assert_eq!(number_matches(number, &reference), expected, "{number} {reference:?}");
    }
}

#[test]
fn cutting_keeps_characters_whole() {
    assert_eq!(cut_at("aäb", 2), "a");
    assert_eq!(cut_at("aäb", 3), "aä");
    assert_eq!(cut_at("a", 9), "a");
}
