//! The transition table, cell by cell, as docs/THREADING.md prints it.

use super::*;

/// Rows are what happens, columns are [`Status::ALL`].
const TABLE: [(&str, Event, [&str; 5]); 15] = [
    ("a participant's reply", Event::Reply, ["stays", "stays", "open", "open", "open"]),
    ("the same, beyond the reopen window", Event::LateReply, ["stays", "stays", "open", "open", "follow-up"]),
    ("the same, over the reopen cap of the day", Event::CappedReply, ["stays", "stays", "open", "stays", "stays"]),
    ("the same, a courtesy where those stay", Event::Courtesy, ["stays", "stays", "open", "stays", "stays"]),
    (
        "a monitoring system's word that all is well, by a merge key",
        Event::Recovery,
        ["resolved", "resolved", "resolved", "stays", "stays"],
    ),
    ("an unverified entry", Event::Unverified, ["stays", "stays", "stays", "stays", "stays"]),
    ("a note", Event::Note, ["stays", "stays", "stays", "stays", "stays"]),
    ("an agent sets `new`", Event::Agent(Status::New), ["refused", "refused", "refused", "refused", "refused"]),
    ("an agent sets `open`", Event::Agent(Status::Open), ["open", "refused", "open", "open", "open"]),
    ("an agent sets `pending`", Event::Agent(Status::Pending), ["pending", "pending", "refused", "pending", "pending"]),
    (
        "an agent sets `resolved`",
        Event::Agent(Status::Resolved),
        ["resolved", "resolved", "resolved", "refused", "resolved"],
    ),
    ("an agent sets `closed`", Event::Agent(Status::Closed), ["closed", "closed", "closed", "closed", "refused"]),
    ("left alone for `--auto-close` days", Event::AutoClose, ["stays", "stays", "stays", "closed", "stays"]),
    ("merged into another", Event::MergedAway, ["closed", "closed", "closed", "closed", "stays"]),
    ("another is merged into it", Event::MergedInto, ["stays", "stays", "stays", "stays", "stays"]),
];

fn word(next: Next) -> &'static str {
    match next {
        Next::Stays => "stays",
        Next::Becomes(status) => status.as_str(),
        Next::FollowsUp => "follow-up",
        Next::Refused => "refused",
    }
}

#[test]
fn the_transition_table() {
    for (row, event, expected) in TABLE {
        assert_eq!(Status::ALL.map(|status| word(status.on(event))), expected, "{row}");
    }
}

/// The document has these rows and no other.
#[test]
fn the_document_prints_the_transition_table() {
    let document = include_str!("../../../../docs/THREADING.md");
    let (_, section) = document.split_once("\n## Lifecycle\n").unwrap();
    let table: Vec<&str> =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|')).collect();
    let head = format!("| | {} |", Status::ALL.map(Status::as_str).join(" | "));
    let rows = TABLE.iter().map(|(row, _, cells)| format!("| {row} | {} |", cells.join(" | ")));
    let expected: Vec<String> = [head, "|---|---|---|---|---|---|".to_owned()].into_iter().chain(rows).collect();
    assert_eq!(table, expected);
}

#[test]
fn the_window_counts_from_closing() {
    use ReplyEffect::{FollowsUp, Reopens, Stays};
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let closed = Some(at("2026-01-01T00:00:00Z"));
    for (status, closed, window, when, expected) in [
        (Status::New, None, Some(14), "2026-01-02T00:00:00Z", Stays),
        (Status::Open, None, Some(0), "2026-01-02T00:00:00Z", Stays),
        (Status::Pending, None, Some(14), "2027-01-02T00:00:00Z", Reopens),
        (Status::Resolved, None, Some(14), "2027-01-02T00:00:00Z", Reopens),
        (Status::Closed, closed, Some(14), "2026-01-15T00:00:00Z", Reopens),
        (Status::Closed, closed, Some(14), "2026-01-15T00:00:01Z", FollowsUp),
        (Status::Closed, closed, Some(0), "2026-01-01T00:00:01Z", FollowsUp),
        (Status::Closed, closed, None, "2036-01-01T00:00:00Z", Reopens),
        (Status::Closed, None, Some(14), "2036-01-01T00:00:00Z", Reopens),
    ] {
        assert_eq!(status.after_reply(closed, window, at(when)), expected, "{status:?} {window:?} {when}");
    }
}
