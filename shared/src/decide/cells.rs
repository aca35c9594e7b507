//! The tables of DESIGN section 5, cell by cell: a mail as it stands, what the table holds, what is decided. Ticket 1 is
//! cust's with bob; the mail `o` is on it; `sent` is ours.

use super::*;
use crate::{
    author::Author,
    classify::classify,
    envelope::{Envelope, ReversePath},
    headers::scan,
    inbound::{InboundMessage, Ingress, Origin},
    mailbox::MailboxId,
    parse::parse,
    records::{IndexDirection, IndexRow, author_hash},
    token::Keyring,
};

const AT: &str = "2026-11-02T09:00:00Z";
const DAYS: i64 = 24 * 3600;

fn at() -> Timestamp {
    AT.parse().unwrap()
}

fn address(name: &str) -> crate::address::AddrSpec {
    crate::address::AddrSpec::parse(&format!("{name}@people.example")).unwrap()
}

fn keyring() -> Keyring {
    Keyring::new(vec![(0, vec![1; 32])]).unwrap()
}

fn support() -> Mailbox {
    Mailbox::new(
        MailboxId::parse("support").unwrap(),
        crate::address::AddrSpec::parse("support@us.example").unwrap(),
        "INC",
    )
}

fn ticket() -> Ticket {
    let one = |name: &str| Participant { address: address(name), name: None, approved: true };
    Ticket {
        ticket_id: 1,
        number: "INC-00001".into(),
        subject: "subject".into(),
        status: Status::Pending,
        priority: "normal".into(),
        ticket_type: "incident".into(),
        queue: "support".into(),
        mailbox: MailboxId::parse("support").unwrap(),
        scope: "support".into(),
        source: "email".into(),
        requester: Some(one("cust")),
        participants: vec![one("cust"), one("bob")],
        participants_rev: 0,
        guest: true,
        tags: Vec::new(),
        entry_count: 1,
        hour: None,
        hour_entries: 0,
        created_at: at(),
        updated_at: at(),
        closed_at: None,
        alert_at: None,
        reopened_on: None,
        reopens: 0,
        merged_into: None,
        followed_by: None,
        follows: None,
        related_to: Vec::new(),
    }
}

fn row(direction: IndexDirection, head: Option<Head>) -> IndexRow {
    IndexRow {
        direction,
        ticket: (direction != IndexDirection::Claim).then_some(1),
        ticket_number: None,
        entry: None,
        head,
        body: None,
        claims: Vec::new(),
        holders: Vec::new(),
    }
}

/// A mail and what is known when it comes.
struct Case {
    header: String,
    body: String,
    verdicts: Verdicts,
    mailbox: Mailbox,
    seen: Seen,
    release: bool,
}

impl Case {
    /// From `author`, with these header lines.
    fn new(author: &str, lines: &str) -> Self {
        let from = if author.contains('@') { author.to_owned() } else { format!("{author}@people.example") };
        let mut seen = Seen::default();
        seen.tickets.insert(1, Some(ticket()));
        let id = |name: &str| MessageId::parse(&format!("<{name}@ids.example>")).unwrap();
        seen.by_id.insert(id("o"), row(IndexDirection::In, None));
        seen.by_id.insert(id("sent"), row(IndexDirection::Out, None));
        Self {
            header: format!("From: {from}\r\nTo: support@us.example\r\nMessage-ID: <m@ids.example>\r\n{lines}\r\n"),
            body: "text\r\n".to_owned(),
            verdicts: Verdicts { dmarc: Some(Verdict::Pass), ..Verdicts::default() },
            mailbox: support(),
            seen,
            release: false,
        }
    }

    fn dmarc(mut self, verdict: Option<Verdict>) -> Self {
        self.verdicts.dmarc = verdict;
        self
    }

    fn decide(&self) -> Decision {
        let raw = format!("{}\r\n{}", self.header, self.body).into_bytes();
        let headers = scan(&raw);
        let parsed = parse(&raw, &headers);
        let envelope = Envelope { reverse_path: ReversePath::Unknown, ..Envelope::default() };
        let mailboxes = Mailboxes::new(vec![self.mailbox.clone()]).unwrap();
        let author = Author::of(&headers, &envelope, &self.verdicts, &mailboxes);
        let ingress = Ingress { door: "raw".into(), provider: "raw".into(), event_id: None, transport_time: at() };
        let inbound = InboundMessage {
            raw: raw.into(),
            origin: Origin::Received,
            envelope: envelope.clone(),
            ingress,
            verdicts: self.verdicts.clone(),
            mailbox: None,
            replay_guard: None,
            payload: None,
            fetch: None,
        };
        let mut keys = crate::thread::keys(&headers, &inbound, &self.mailbox, &mailboxes, &keyring());
        if let Some(original) = parsed.delivery_report.as_ref().and_then(|report| report.original_message_id.as_ref()) {
            keys.add_id(original, &self.mailbox, &mailboxes, &keyring());
        }
        let mail = Mail {
            headers: &headers,
            parsed: &parsed,
            classification: &classify(&headers, &parsed, &envelope),
            verdicts: &self.verdicts,
            author: &author,
            ruled: &Ruled::default(),
            id: &headers.message_id.clone().unwrap(),
            head: &Head::of(&headers),
            body: "",
            at: at(),
            raw_key: "raw/raw/1",
        };
        let place = Place {
            mailbox: &self.mailbox,
            mailboxes: &mailboxes,
            keys: &keys,
            seen: &self.seen,
            release: self.release,
            replayed: false,
        };
        decide(&mail, &place).unwrap()
    }

    /// What it does, in words.
    fn does(&self) -> String {
        match self.decide().verb {
            Verb::End(end) => {
                let cause = end.cause.map(|cause| format!(" {}", cause.slug())).unwrap_or_default();
                format!("{}{cause}", end.outcome.as_str())
            }
            Verb::Commit(plan) => {
                let related = if plan.related.is_empty() { "" } else { " related" };
                match (&plan.target, plan.visibility) {
                    (Target::New(_), _) => format!("new{related}"),
                    (Target::FollowUp { .. }, _) => "follow-up".to_owned(),
                    (Target::Append { status, .. }, Visibility::Public) => {
                        if status.is_some() { "append, opens" } else { "append" }.to_owned()
                    }
                    (Target::Append { status, participants, .. }, visibility) => {
                        assert!(status.is_none() && participants.is_none(), "it changes nothing");
                        if visibility == Visibility::Internal { "note" } else { "unverified" }.to_owned()
                    }
                }
            }
        }
    }
}

/// One line of header for each kind of evidence.
fn evidence() -> [(&'static str, String); 6] {
    let tag = keyring().tag(&support(), 1).unwrap();
    let signed = keyring().message_id(&support(), 1, "a1").unwrap();
    [
        ("E1", format!("Cc: support+{tag}@us.example\r\n")),
        ("E2 signed", format!("In-Reply-To: <{signed}>\r\n")),
        ("E2 sent", "References: <sent@ids.example>\r\n".to_owned()),
        ("E3", "In-Reply-To: <o@ids.example>\r\n".to_owned()),
        ("E4", "Subject: Re: [INC-00001] subject\r\n".to_owned()),
        ("E0", String::new()),
    ]
}

#[test]
fn evidence_by_standing() {
    use Verdict::{Fail, Pass};
    for (who, author, dmarc, strong, number) in [
        ("the requester, proven", "cust", Some(Pass), "append, opens", "append, opens"),
        ("a participant, proven", "bob", Some(Pass), "append, opens", "append, opens"),
        ("a participant, nobody says", "bob", None, "append, opens", "new related"),
        ("a participant, disowned", "bob", Some(Fail), "unverified", "new related"),
        ("a stranger, proven", "eve", Some(Pass), "unverified", "new related"),
        ("a stranger, nobody says", "eve", None, "unverified", "new related"),
        ("a stranger, disowned", "eve", Some(Fail), "unverified", "new related"),
        ("two authors", "cust@people.example, bob", Some(Pass), "unverified", "new related"),
        ("the desk's own address", "support@us.example", Some(Pass), "unverified", "new related"),
    ] {
        let author = if who == "two authors" { "cust@people.example, bob@people.example" } else { author };
        for (level, line) in evidence() {
            let expected = match level {
                "E0" => "new",
                "E4" => number,
                _ => strong,
            };
            assert_eq!(Case::new(author, &line).dmarc(dmarc).does(), expected, "{level} by {who}");
        }
    }
}

#[test]
fn policies_by_standing() {
    use StrangerPolicy::{Append, Hold, New, Unverified};
    use Verdict::{Fail, Pass};
    for (policy, passed, unknown, failed) in [
        (Unverified, "unverified", "unverified", "unverified"),
        (Append, "append, opens", "append, opens", "unverified"),
        (New, "new related", "new related", "new related"),
        (Hold, "held stranger", "held stranger", "held stranger"),
    ] {
        for (dmarc, expected) in [(Some(Pass), passed), (None, unknown), (Some(Fail), failed)] {
            for (level, line) in evidence().into_iter().take(4) {
                let mut case = Case::new("eve", &line).dmarc(dmarc);
                case.mailbox.strangers = policy;
                assert_eq!(case.does(), expected, "{policy:?}, {level}, {dmarc:?}");
                let participant = if dmarc == Some(Fail) { "unverified" } else { "append, opens" };
                let mut known = Case::new("cust", &line).dmarc(dmarc);
                known.mailbox.strangers = policy;
                assert_eq!(known.does(), participant, "a participant is none of the policy's business");
            }
        }
    }
    let mut numbered = Case::new("bob", "Subject: [INC-00001]\r\n").dmarc(None);
    numbered.mailbox.subject_number_unauthenticated = true;
    assert_eq!(numbered.does(), "append, opens");
}

#[test]
fn kinds_matched_and_unmatched() {
    let reply = "In-Reply-To: <o@ids.example>\r\n";
    let report =
        |kind: &str| format!("MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type={kind}; boundary=b\r\n");
    for (kind, lines, matched, by_stranger, unmatched) in [
        ("out of office", "Auto-Submitted: auto-replied\r\n".to_owned(), "note", "unverified", "held auto-reply"),
        ("read receipt", report("disposition-notification"), "note", "unverified", "ignored read-receipt-unmatched"),
        ("complaint", report("feedback-report"), "held abuse-report", "held abuse-report", "held abuse-report"),
        ("monitoring", "Auto-Submitted: auto-generated\r\n".to_owned(), "append, opens", "unverified", "new"),
        ("list", "List-Id: <l.example>\r\n".to_owned(), "append, opens", "unverified", "new"),
    ] {
        let with_body = |mut case: Case| {
            case.body =
                "--b\r\n\r\ntext\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\nx: y\r\n--b--\r\n"
                    .into();
            case
        };
        assert_eq!(with_body(Case::new("cust", &format!("{lines}{reply}"))).does(), matched, "{kind}");
        assert_eq!(with_body(Case::new("eve", &format!("{lines}{reply}"))).does(), by_stranger, "{kind}");
        assert_eq!(with_body(Case::new("cust", &lines)).does(), unmatched, "{kind}");
    }
}

#[test]
fn bounces_count_for_what_we_sent_only() {
    let signed = keyring().message_id(&support(), 1, "a1").unwrap().to_string();
    let report = "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n";
    for (original, expected) in [
        (signed.as_str(), "note"),
        ("sent@ids.example", "note"),
        ("o@ids.example", "held bounce-unmatched"),
        ("nobody@ids.example", "held bounce-unmatched"),
        ("pstn.ab.a1.aaaaaaaaaaaaaaaa@us.example", "held bounce-unmatched"),
    ] {
        let mut case = Case::new("mailer-daemon", report);
        case.body = format!(
            "--b\r\n\r\ntext\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
             Final-Recipient: rfc822; cust@people.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\n\
             Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{original}>\r\n\r\n--b--\r\n"
        );
        assert_eq!(case.does(), expected, "{original}");
    }
}

#[test]
fn statuses_and_windows() {
    use Status::{Closed, New, Open, Pending, Resolved};
    for (status, closed_days_ago, window, expected) in [
        (New, None, Some(14), "append"),
        (Open, None, Some(14), "append"),
        (Pending, None, Some(14), "append, opens"),
        (Resolved, None, Some(14), "append, opens"),
        (Closed, Some(13), Some(14), "append, opens"),
        (Closed, Some(15), Some(14), "follow-up"),
        (Closed, Some(1), Some(0), "follow-up"),
        (Closed, Some(4_000), None, "append, opens"),
    ] {
        let of = |author: &str| {
            let mut case = Case::new(author, "In-Reply-To: <o@ids.example>\r\n");
            case.mailbox.reopen_window_days = window;
            let closed_at = closed_days_ago.map(|days| Timestamp::from_second(at().as_second() - days * DAYS).unwrap());
            case.seen.tickets.insert(1, Some(Ticket { status, closed_at, ..ticket() }));
            case.does()
        };
        assert_eq!(of("cust"), expected, "{status:?} {closed_days_ago:?} {window:?}");
        assert_eq!(of("eve"), "unverified", "a stranger wakes nothing: {status:?} {closed_days_ago:?}");
    }
}

#[test]
fn the_own_id_known_already() {
    use IndexDirection::{Claim, In, Out};
    let own = |lines: &str| Head::of(&scan(Case::new("cust", lines).header.as_bytes()));
    let (same, other) = (own(""), own("Subject: other\r\nDate: Mon, 02 Nov 2026 09:00:00 +0000\r\n"));
    let other = Head { author: "another".into(), ..other };
    for (direction, head, release, expected) in [
        (In, Some(&same), false, "duplicate"),
        (In, Some(&same), true, "duplicate"),
        (In, Some(&other), false, "new"),
        (Out, Some(&same), false, "ignored own-copy"),
        (Out, Some(&other), false, "new"),
        (Claim, None, false, "new"),
    ] {
        let mut case = Case::new("cust", "");
        case.release = release;
        case.seen.own = Some(row(direction, head.cloned()));
        assert_eq!(case.does(), expected, "{direction:?}, released {release}");
    }
    let signed = keyring().message_id(&support(), 1, "a1").unwrap();
    let mut ours = Case::new("cust", "");
    ours.header = ours.header.replace("m@ids.example", signed.as_str());
    assert_eq!(ours.does(), "held loop", "our id on a mail that we did not send");
    ours.release = true;
    assert_eq!(ours.does(), "new", "an operator's word");
}

#[test]
fn verdicts_hold_unless_everything_speaks_for_the_mail() {
    let [(_, tag), .., (_, nothing)] = evidence();
    for (what, author, lines, dmarc, expected) in [
        ("token, participant, proven", "cust", &tag, Some(Verdict::Pass), "append, opens"),
        ("token, participant, nobody says", "cust", &tag, None, "held spam"),
        ("token, stranger", "eve", &tag, Some(Verdict::Pass), "held spam"),
        ("no evidence", "cust", &nothing, Some(Verdict::Pass), "held spam"),
    ] {
        let mut case = Case::new(author, lines).dmarc(dmarc);
        case.verdicts.spam = Some(Verdict::Fail);
        assert_eq!(case.does(), expected, "{what}");
        case.verdicts.virus = Some(Verdict::Fail);
        assert_eq!(case.does(), "held virus", "{what}");
        case.release = true;
        assert!(!case.does().starts_with("held"), "{what}: released");
    }
}

#[test]
fn who_is_added_and_what_is_claimed() {
    let plan_of = |author: &str, dmarc, lines: &str| match Case::new(author, lines).dmarc(dmarc).decide().verb {
        Verb::Commit(plan) => *plan,
        Verb::End(end) => panic!("{end:?}"),
    };
    let reply = "In-Reply-To: <o@ids.example>\r\nReferences: <r1@x> <r2@x> <r3@x> <r4@x> <r5@x> <o@ids.example>\r\nCc: zoe@people.example\r\n";
    let added = |plan: &Plan| match &plan.target {
        Target::Append { participants, .. } => participants.as_ref().map_or(0, Vec::len),
        Target::New(people) => people.participants.len(),
        Target::FollowUp { participants, .. } => participants.len(),
    };
    let claims = |plan: &Plan| plan.claims.iter().map(|claim| claim.id.to_string()).collect::<Vec<_>>();
    let proven = plan_of("cust", Some(Verdict::Pass), reply);
    assert_eq!((added(&proven), claims(&proven)), (3, ["r5@x", "r4@x", "r3@x", "r1@x"].map(str::to_owned).to_vec()));
    let unknown = plan_of("cust", None, reply);
    assert_eq!((added(&unknown), claims(&unknown).len()), (0, 4), "nobody is added by who is not proven");
    let stranger = plan_of("eve", Some(Verdict::Pass), reply);
    assert_eq!((added(&stranger), claims(&stranger).len()), (0, 0), "an unverified entry claims nothing");
    let opened = plan_of("eve", Some(Verdict::Pass), "Cc: zoe@people.example, support@us.example\r\n");
    assert_eq!(added(&opened), 2, "author and Cc, without ourselves");
    assert!(proven.claims.iter().all(|claim| claim.author == author_hash(&address("cust"))));
}

mod standing;
