//! The evidence table of DESIGN section 5, cell by cell. Tickets: 1 is cust's with bob, 2 is ann's, 3 is cust's other one.

use super::{keys::Trace, *};
use crate::{
    headers::scan,
    mailbox::MailboxId,
    records::{Head, Holder, author_hash},
    ticket::{Participant, Status},
};

const AT: Timestamp = Timestamp::UNIX_EPOCH;
const DAY: i64 = 24 * 3600;

fn address(name: &str) -> AddrSpec {
    AddrSpec::parse(&format!("{name}@people.example")).unwrap()
}

fn support() -> Mailbox {
    Mailbox::new(MailboxId::parse("support").unwrap(), AddrSpec::parse("support@us.example").unwrap(), "INC")
}

fn ticket(ordinal: u64, people: &[&str]) -> Ticket {
    let participant = |name: &&str| Participant { address: address(name), name: None, approved: true };
    Ticket {
        ticket_id: ordinal,
        number: format!("INC-{ordinal:05}"),
        subject: "subject".into(),
        status: Status::Open,
        priority: "normal".into(),
        ticket_type: "incident".into(),
        queue: "support".into(),
        mailbox: MailboxId::parse("support").unwrap(),
        scope: "support".into(),
        source: "email".into(),
        requester: people.first().map(participant),
        participants: people.iter().map(participant).collect(),
        participants_rev: 0,
        guest: true,
        tags: Vec::new(),
        entry_count: 1,
        hour: None,
        hour_entries: 0,
        created_at: AT,
        updated_at: AT,
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

fn row(direction: IndexDirection, ticket: Option<u64>) -> IndexRow {
    IndexRow {
        direction,
        ticket,
        ticket_number: None,
        entry: None,
        head: None,
        body: None,
        claims: Vec::new(),
        holders: Vec::new(),
    }
}

fn claimed(claims: &[(u64, &str)]) -> IndexRow {
    let claims = claims.iter().map(|(ticket, who)| Claim { ticket: *ticket, author: author_hash(&address(who)) });
    IndexRow { claims: claims.collect(), ..row(IndexDirection::Claim, None) }
}

fn id(name: &str) -> MessageId {
    MessageId::parse(&format!("<{name}@ids.example>")).unwrap()
}

/// What is known, and what one mail brings.
struct Story {
    keys: ThreadKeys,
    seen: Seen,
    mailbox: Mailbox,
    authenticated: bool,
}

impl Story {
    fn new() -> Self {
        let tickets = [ticket(1, &["cust", "bob"]), ticket(2, &["ann"]), ticket(3, &["cust"])];
        let tickets = tickets.into_iter().map(|ticket| (ticket.ticket_id, Some(ticket))).collect();
        let seen = Seen { tickets, ..Seen::default() };
        Self { keys: ThreadKeys::default(), seen, mailbox: support(), authenticated: true }
    }

    fn brings(mut self, key: Key) -> Self {
        let place = match key {
            Key::Own => Place::MessageId,
            Key::Number(_) => Place::Subject,
            Key::Signed(..) => Place::To,
            _ => Place::References,
        };
        self.keys.traces.push(Trace { key, clue: Clue::new(place, 1, "text") });
        self
    }

    fn reply_address(self, ticket: u64) -> Self {
        self.brings(Key::Signed(Level::E1, ticket))
    }

    /// Refers to an id that the table knows so.
    fn refers(mut self, name: &str, known: Option<IndexRow>) -> Self {
        self.seen.by_id.extend(known.map(|row| (id(name), row)));
        self.brings(Key::Id(id(name), None))
    }

    fn number(self, subject: &str) -> Self {
        let refs = scan(format!("Subject: {subject}\r\n\r\n").as_bytes()).ticket_refs;
        refs.into_iter().fold(self, |story, number| story.brings(Key::Number(number)))
    }

    /// Its own id was claimed.
    fn awaited(mut self, claims: &[(u64, &str)]) -> Self {
        self.seen.own = Some(claimed(claims));
        self.brings(Key::Own)
    }

    fn change(mut self, ordinal: u64, change: impl Fn(&mut Ticket)) -> Self {
        self.seen.tickets.get_mut(&ordinal).unwrap().as_mut().map(change);
        self
    }

    fn by(&self, author: &str, names: &[&str]) -> Match {
        let hash = |name: &str| author_hash(&address(name));
        let speaker = Speaker {
            address: (!author.is_empty()).then(|| address(author)),
            hash: (!author.is_empty()).then(|| hash(author)),
            named: names.iter().copied().map(hash).collect(),
            authenticated: self.authenticated,
            agent: false,
        };
        match resolve(&self.keys, &self.seen, &speaker, &self.mailbox, AT) {
            Resolution::Resolved(found) => *found,
            Resolution::Need(tickets) => panic!("asks for {tickets:?}"),
        }
    }

    /// As `tells`, of a mail that names these in To and Cc.
    fn tells_to(&self, author: &str, names: &[&str]) -> String {
        self.by(author, names).chosen.map_or_else(|| "-".to_owned(), |c| format!("{} {}", c.source, c.ticket.ticket_id))
    }

    /// `level source ticket`, with `stranger` where he is one; `-` = none.
    fn tells(&self, author: &str) -> String {
        let chosen = self.by(author, &[]).chosen;
        chosen.map_or_else(
            || "-".to_owned(),
            |c| {
                let mark = if !c.standing.speaks() { " stranger" } else { "" };
                format!("{:?} {} {}{mark}", c.level, c.source, c.ticket.ticket_id)
            },
        )
    }
}

#[test]
fn each_level_by_a_participant_and_by_a_stranger() {
    use IndexDirection::{In, Out};
    let stored = |ticket| Some(row(In, Some(ticket)));
    for (story, participant, stranger) in [
        (Story::new(), "-", "-"),
        (Story::new().reply_address(1), "E1 reply-address 1", "E1 reply-address 1 stranger"),
        (Story::new().brings(Key::Id(id("s"), Some(1))), "E2 signed-id 1", "E2 signed-id 1 stranger"),
        (Story::new().refers("x", Some(row(Out, Some(1)))), "E2 sent-id 1", "E2 sent-id 1 stranger"),
        (Story::new().refers("x", stored(1)), "E3 stored-id 1", "E3 stored-id 1 stranger"),
        (Story::new().number("Re: [INC-00001] x"), "E4 subject-number 1", "-"),
        (Story::new().refers("x", None), "-", "-"),
    ] {
        assert_eq!(story.tells("cust"), participant);
        assert_eq!(story.tells("bob"), participant, "in Cc of the first mail is participant as well");
        assert_eq!(story.tells("eve"), stranger);
        assert_eq!(story.tells(""), stranger, "an unknown author is a stranger everywhere");
    }
}

#[test]
fn higher_evidence_wins_and_the_rest_is_told() {
    let stored = |ticket| Some(row(IndexDirection::In, Some(ticket)));
    let torn = Story::new().reply_address(2).refers("x", stored(1)).number("[INC-00003] x");
    assert_eq!(torn.tells("cust"), "E1 reply-address 2 stranger", "a stolen address leads to its own ticket only");
    let told: Vec<_> =
        torn.by("cust", &[]).evidence.iter().flat_map(|c| &c.names).map(|n| (n.ticket, n.weight)).collect();
    assert_eq!(told, [(2, Weight::Decided), (1, Weight::Weaker), (3, Weight::Weaker)]);
    let nearest = Story::new().refers("near", stored(3)).refers("far", stored(1));
    assert_eq!(nearest.tells("cust"), "E3 stored-id 3", "In-Reply-To, then References last to first");
    let mine = Story::new().refers("near", stored(2)).refers("far", stored(1));
    assert_eq!(mine.tells("bob"), "E3 stored-id 1", "among several, one where the author is participant first");
    assert_eq!(mine.tells("eve"), "E3 stored-id 2 stranger", "a stranger goes to the nearest");
    let second = mine.by("bob", &[]).evidence;
    assert_eq!(second[0].names[0].weight, Weight::Second);
    assert_eq!(
        (second[0].names[0].standing, second[1].names[0].standing),
        (Some(Standing::Stranger), Some(Standing::Participant))
    );
}

#[test]
fn an_id_under_which_several_mails_came_names_all_their_tickets() {
    let head = Head { date: None, author: "a".into(), subject: "s".into() };
    let mut held = row(IndexDirection::In, Some(2));
    held.holders.push(Holder { ticket: 1, head });
    let story = Story::new().refers("x", Some(held));
    assert_eq!(story.tells("bob"), "E3 holder 1", "whoever took the id first does not catch the replies");
    assert_eq!(story.tells("ann"), "E3 stored-id 2");
    let kept = IndexRow { claims: claimed(&[(3, "cust")]).claims, ..row(IndexDirection::In, Some(2)) };
    assert_eq!(Story::new().refers("x", Some(kept.clone())).tells("cust"), "E3 claim 3", "kept claims name, too");
    assert_eq!(Story::new().refers("x", Some(kept)).tells("eve"), "E3 stored-id 2 stranger");
}

#[test]
fn a_late_original_joins_who_waited_for_it() {
    let story = Story::new().awaited(&[(2, "ann"), (1, "bob")]);
    assert_eq!(story.by("bob", &[]).chosen.unwrap().ticket.ticket_id, 1, "its author had written on already");
    let named = story.by("cust", &["bob"]).chosen.unwrap();
    assert_eq!((named.ticket.ticket_id, named.source), (1, "claimed-original"), "it was sent to who answered");
    assert_eq!(story.tells("cust"), "-", "a newsletter that names nobody joins nobody");
    let to_eve = Story::new().awaited(&[(2, "eve")]).by("cust", &["eve"]).chosen.unwrap();
    assert!(!to_eve.standing.speaks(), "standing applies: the author is not on that ticket");
    let clues = Story::new().awaited(&[(2, "ann")]).by("cust", &[]).evidence;
    assert!(clues.is_empty(), "its own id is a clue only where it names a ticket");
}

#[test]
fn a_claim_joins_those_who_write_to_one_another() {
    let story = || Story::new().refers("x", Some(claimed(&[(1, "bob")])));
    assert_eq!(story().tells("bob"), "E3 claim 1", "his own claim");
    assert_eq!(story().tells_to("cust", &["bob"]), "claim 1", "cust is on bob's ticket and writes to him");
    assert_eq!(story().tells_to("cust", &["ann"]), "-", "that bob named cust is bob's word only");
    assert_eq!(story().tells_to("eve", &["bob"]), "-", "that eve names bob is hers");
    // A newsletter's id, claimed by eve with cust in Cc: cust's own answer to it stays cust's.
    let lured = Story::new().change(2, |t| t.participants = ticket(2, &["eve", "cust"]).participants);
    assert_eq!(lured.refers("news", Some(claimed(&[(2, "eve")]))).tells("cust"), "-");
}

#[test]
fn strangers_join_by_a_claim_only_where_everybody_may() {
    let mut story = Story::new().refers("x", Some(claimed(&[(1, "bob")])));
    assert_eq!(story.by("eve", &[]).evidence[0].names[0].weight, Weight::ClaimOfOthers);
    for (policy, expected) in [
        (StrangerPolicy::Unverified, "-"),
        (StrangerPolicy::New, "-"),
        (StrangerPolicy::Hold, "-"),
        (StrangerPolicy::Append, "E3 claim 1 stranger"),
    ] {
        story.mailbox.strangers = policy;
        assert_eq!(story.tells("eve"), expected, "{policy:?}");
    }
    let mut late = Story::new().awaited(&[(2, "ann")]);
    late.mailbox.strangers = StrangerPolicy::Append;
    assert_eq!(late.tells("cust"), "E3 claimed-original 2 stranger", "a late original, too");
}

#[test]
fn a_number_must_be_the_tickets_own_and_the_author_proven() {
    for (subject, expected) in [
        ("[INC-00001] x", "E4 subject-number 1"),
        ("[INC-2026-00001] x", "-"),
        ("[CHG-00001] x", "-"),
        ("[INC-00002] x", "-"),
        ("[INC-00002] [INC-00003] x", "E4 subject-number 3"),
    ] {
        assert_eq!(Story::new().number(subject).tells("cust"), expected, "{subject}");
    }
    let mut story = Story::new().number("[INC-00001] x");
    story.authenticated = false;
    let refused = story.by("cust", &[]);
    assert_eq!((refused.chosen, refused.related.into_iter().collect::<Vec<_>>()), (None, vec![1]));
    assert_eq!(refused.reasons, ["subject-number-refused"]);
    story.mailbox.subject_number_unauthenticated = true;
    assert_eq!(story.tells("cust"), "E4 subject-number 1", "policy");
    assert_eq!(story.tells("eve"), "-", "and never for a stranger");
}

#[test]
fn tickets_are_followed_to_where_they_went() {
    let merged = || Story::new().change(1, |t| t.merged_into = Some(3)).reply_address(1);
    assert_eq!(merged().tells("cust"), "E1 reply-address 3");
    assert_eq!(merged().by("cust", &[]).evidence[0].names[0].leads_to, Some(3));
    let closed = |days_ago: i64| {
        let at = Timestamp::from_second(-days_ago * DAY).unwrap();
        let close = move |t: &mut Ticket| (t.status, t.closed_at, t.followed_by) = (Status::Closed, Some(at), Some(3));
        Story::new().change(1, close).reply_address(1)
    };
    assert_eq!(closed(13).tells("cust"), "E1 reply-address 1", "within its window it is the ticket itself");
    assert_eq!(closed(15).tells("cust"), "E1 reply-address 3");
    let number = Story::new().change(1, |t| t.merged_into = Some(3)).number("[INC-00001] x");
    assert_eq!(number.tells("cust"), "E4 subject-number 3", "the number of a merged ticket reaches its target");
    let elsewhere = Story::new().change(1, |t| t.scope = "billing".into()).reply_address(1);
    assert_eq!(elsewhere.tells("cust"), "-");
    assert_eq!(elsewhere.by("cust", &[]).evidence[0].names[0].weight, Weight::NoSuchTicket);
}

#[test]
fn a_chain_without_end_is_no_evidence() {
    let mut story = Story::new().reply_address(1).refers("x", Some(row(IndexDirection::In, Some(2))));
    for n in [1, 3] {
        story = story.change(n, |t| t.merged_into = Some(4 - t.ticket_id));
    }
    let found = story.by("ann", &[]);
    assert_eq!(found.reasons, ["merge-chain"]);
    assert_eq!(found.chosen.unwrap().ticket.ticket_id, 2, "what else was named counts");
}

#[test]
fn what_was_not_read_is_asked_for() {
    let story = Story::new().reply_address(9).reply_address(8).refers("x", Some(row(IndexDirection::In, Some(7))));
    let speaker = Speaker::default();
    match resolve(&story.keys, &story.seen, &speaker, &story.mailbox, AT) {
        Resolution::Need(tickets) => assert_eq!(tickets, [8, 9], "of the strongest level only"),
        Resolution::Resolved(_) => panic!("decided without reading"),
    }
    let mut gone = Story::new().reply_address(9);
    gone.seen.tickets.insert(9, None);
    assert_eq!(gone.tells("cust"), "-", "read and absent is no evidence");
}
