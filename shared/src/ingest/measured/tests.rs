use jiff::Timestamp;

use super::*;
use crate::{ingest::rows, records::Effect};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A row of mail that the transport took at nine.
fn row(outcome: Outcome) -> LedgerRow {
    let ingress = Ingress {
        door: "ses".to_owned(),
        provider: "ses".to_owned(),
        event_id: Some("event".to_owned()),
        transport_time: at("2026-11-02T09:00:00Z"),
    };
    let row = rows::unreadable(ingress, "raw/ses/a", 9, "why", at("2026-11-02T09:00:02.5Z"));
    LedgerRow { outcome, cause: None, mailbox: "support".to_owned(), ..row }
}

fn measured(row: &LedgerRow) -> Vec<(Metric, u64)> {
    of_row(&Answer::of("id".to_owned(), row), row).values().to_vec()
}

#[test]
fn each_end_is_counted_as_what_it_is() {
    let committed = LedgerRow { effect: Some(Effect::Created), ..row(Outcome::Committed) };
    let late = LedgerRow { ended_at: at("2026-11-02T09:01:00.001Z"), ..committed.clone() };
    let just = LedgerRow { ended_at: at("2026-11-02T09:01:00Z"), ..committed.clone() };
    let polled = |ended_at| LedgerRow {
        ingress: Ingress { provider: "imap".to_owned(), ..committed.ingress.clone() },
        ended_at: at(ended_at),
        ..committed.clone()
    };
    let (lay, lay_long) = (polled("2026-11-02T09:02:00Z"), polled("2026-11-02T09:02:00.001Z"));
    let released = LedgerRow { actor: Some("me".to_owned()), ..late.clone() };
    let early = LedgerRow { ended_at: at("2026-11-02T08:00:00Z"), ..committed.clone() };
    let one = (Metric::Mails, 1);
    for (what, row, wanted) in [
        ("a ticket", &committed, vec![one, (Metric::TimeToTicket, 2_500)]),
        ("a minute is in time", &just, vec![one, (Metric::TimeToTicket, 60_000)]),
        ("more is late", &late, vec![one, (Metric::TimeToTicket, 60_001), (Metric::Late, 1)]),
        ("up to a minute it lay there before it was asked for", &lay, vec![one, (Metric::TimeToTicket, 120_000)]),
        ("that is late too", &lay_long, vec![one, (Metric::TimeToTicket, 120_001), (Metric::Late, 1)]),
        ("it waited for a person", &released, vec![one]),
        ("our clock is behind theirs", &early, vec![one, (Metric::TimeToTicket, 0)]),
        ("failed", &row(Outcome::Failed), vec![one, (Metric::Failed, 1)]),
        ("a duplicate", &row(Outcome::Duplicate), vec![one]),
        ("ignored", &row(Outcome::Ignored), vec![one]),
    ] {
        assert_eq!(measured(row), wanted, "{what}");
    }
}

#[test]
fn what_is_told_apart_and_by_what() {
    let held = LedgerRow { cause: Some(Cause::AutoReply), ..row(Outcome::Held) };
    let told = of_row(&Answer::of("id".to_owned(), &held), &held);
    let by = |name| told.dimension(name);
    assert_eq!(told.values(), [(Metric::Mails, 1), (Metric::Held, 1)]);
    assert_eq!(
        (by("Door"), by("Outcome"), by("Cause"), by("Mailbox")),
        (Some("ses"), Some("held"), Some("auto-reply"), None)
    );
    assert_eq!(told.trace_id(), Some(held.trace_id().as_str()));
    let failed = row(Outcome::Failed);
    assert_eq!(of_row(&Answer::of("id".to_owned(), &failed), &failed).dimension("Mailbox"), Some("support"));
    let nobodys = LedgerRow { mailbox: NO_MAILBOX.to_owned(), ..failed };
    assert_eq!(of_row(&Answer::of("id".to_owned(), &nobodys), &nobodys).dimension("Mailbox"), None);
}

#[test]
fn what_failed_for_its_form_could_not_be_read() {
    let failed = |cause| LedgerRow { cause: Some(cause), ..row(Outcome::Failed) };
    assert!(is_unread(&failed(Cause::UnreadablePayload)) && is_unread(&failed(Cause::Poison)));
    assert!(!is_unread(&failed(Cause::FetchExpired)));
    assert!(!is_unread(&LedgerRow { outcome: Outcome::Ignored, ..failed(Cause::UnreadablePayload) }));
}
