//! Who somebody is, and what that lets him do: agents and those who say so, people nobody has approved, forms, those in
//! Cc. `agent@us.example` answers here; nobody on ticket 1 knows him.

use super::*;
use crate::mailbox::{CcPolicy, ReplyToPolicy, Who};

const AGENT: &str = "agent@us.example";
const FORWARDED: &str = "Hi, for us.\r\n\r\n---------- Forwarded message ---------\r\nFrom: Pat Doe <pat@people.example>\r\n\
                         Date: Mon, 2 Nov 2026 at 08:00\r\nSubject: printer\r\nTo: agent@us.example\r\n\r\nIt is on fire.\r\n";

fn with_agent(author: &str, lines: &str) -> Case {
    let mut case = Case::new(author, lines);
    case.mailbox.agents = vec![Who::parse(AGENT).unwrap()];
    case
}

fn people(case: &Case) -> (Option<String>, String) {
    match case.decide().verb {
        Verb::Commit(plan) => match plan.target {
            Target::New(people) => {
                let one = |p: &Participant| format!("{}{}", p.address.local_part(), if p.approved { "" } else { "?" });
                let all: Vec<String> = people.participants.iter().map(one).collect();
                (people.requester.map(|p| p.address.to_string()), all.join(" "))
            }
            other => panic!("not a new ticket: {other:?}"),
        },
        Verb::End(end) => panic!("no entry: {end:?}"),
    }
}

#[test]
fn agents_by_evidence() {
    use StrangerPolicy::{Append, Hold, New, Unverified};
    use Verdict::{Fail, Pass};
    let held = "held agent-unverified";
    for (policy, dmarc, strong, number) in [
        (Unverified, Some(Pass), "append, opens", "append, opens"),
        (Unverified, None, held, held),
        (Unverified, Some(Fail), held, held),
        (New, Some(Pass), "append, opens", "append, opens"),
        (New, Some(Fail), held, held),
        (Hold, None, held, held),
        // Where everybody may write, it takes no agent's power. A number asks for a participant all the same.
        (Append, Some(Pass), "append, opens", "append, opens"),
        (Append, None, "append, opens", "new related"),
        (Append, Some(Fail), "unverified", "new related"),
    ] {
        for (level, line) in evidence() {
            let mut case = with_agent(AGENT, &line).dmarc(dmarc);
            case.mailbox.strangers = policy;
            let expected = match level {
                "E0" => "new",
                "E4" => number,
                _ => strong,
            };
            assert_eq!(case.does(), expected, "{policy:?} {dmarc:?} {level}");
            case.release = true;
            let released = if level == "E0" || (level == "E4" && policy == Append && dmarc != Some(Pass)) {
                expected
            } else {
                "append, opens"
            };
            assert_eq!(case.does(), released, "whoever releases it vouches: {policy:?} {dmarc:?} {level}");
        }
    }
}

#[test]
fn an_agent_says_so_or_is_one() {
    let reply = "In-Reply-To: <o@ids.example>\r\n";
    for (author, dmarc, flag, reason) in [
        (AGENT, Some(Verdict::Pass), Some("agent"), Some("agent")),
        ("agent+x@us.example", Some(Verdict::Pass), Some("agent"), Some("agent")),
        (AGENT, None, Some("agent-claim"), Some("agent-claim")),
        ("agent@evil.example", Some(Verdict::Pass), None, None),
        ("cust", Some(Verdict::Pass), None, None),
    ] {
        let decision = with_agent(author, "").dmarc(dmarc).decide();
        let Verb::Commit(plan) = &decision.verb else { panic!("{decision:?}") };
        let says = |list: &[String]| list.iter().find(|word| word.starts_with("agent")).cloned();
        assert_eq!(says(&plan.flags).as_deref(), flag, "{author}");
        assert_eq!(says(&decision.reasons).as_deref(), reason, "{author}");
    }
    // Where he takes part himself he needs no power: as any participant, proven or not.
    let mut among = with_agent(AGENT, reply).dmarc(None);
    let mut ticket = ticket();
    let agent = crate::address::AddrSpec::parse(AGENT).unwrap();
    ticket.participants.push(Participant { address: agent, name: None, approved: true });
    among.seen.tickets.insert(1, Some(ticket));
    assert_eq!(among.does(), "append, opens");
    assert_eq!(among.dmarc(Some(Verdict::Fail)).does(), "unverified");
}

#[test]
fn what_an_agent_forwards_is_its_authors() {
    let forward = |author: &str, dmarc| {
        let mut case = with_agent(author, "Subject: Fwd: printer\r\n").dmarc(dmarc);
        case.body = FORWARDED.to_owned();
        case
    };
    let (requester, all) = people(&forward(AGENT, Some(Verdict::Pass)));
    assert_eq!((requester.as_deref(), all.as_str()), (Some("pat@people.example"), "pat agent"));
    assert_eq!(forward(AGENT, None).does(), "held agent-unverified", "only an agent opens tickets for others");
    assert_eq!(forward(AGENT, Some(Verdict::Fail)).does(), "held agent-unverified");
    let released = Case { release: true, ..forward(AGENT, None) };
    assert_eq!(people(&released).0.as_deref(), Some("pat@people.example"));
    let (requester, all) = people(&forward("cust", Some(Verdict::Pass)));
    assert_eq!(
        (requester.as_deref(), all.as_str()),
        (Some("cust@people.example"), "cust"),
        "anybody else's is his own"
    );
    // What is forwarded to him by the desk itself, or by a colleague, makes nobody of the desk a requester.
    for inside in ["support@us.example", AGENT] {
        let mut case = forward(AGENT, Some(Verdict::Pass));
        case.body = FORWARDED.replace("pat@people.example", inside);
        assert_eq!(people(&case).0.as_deref(), Some(AGENT), "{inside}");
    }
}

#[test]
fn those_in_cc_by_policy_and_authentication() {
    use Verdict::{Fail, Pass};
    let cc = "Cc: Bob <bob@people.example>, support@us.example, cust@people.example, support+x@us.example\r\n";
    for (policy, dmarc, expected) in [
        (CcPolicy::Approved, Some(Pass), "cust bob"),
        (CcPolicy::Approved, None, "cust bob"),
        (CcPolicy::Approved, Some(Fail), "cust bob?"),
        (CcPolicy::Pending, Some(Pass), "cust bob?"),
        (CcPolicy::Ignored, Some(Pass), "cust"),
    ] {
        let mut case = Case::new("cust", cc).dmarc(dmarc);
        case.mailbox.cc = policy;
        assert_eq!(people(&case).1, expected, "{policy:?} {dmarc:?}");
        let pending = case.decide().reasons.contains(&"participants-pending".to_owned());
        assert_eq!(pending, expected.contains('?'), "{policy:?} {dmarc:?}");
    }
    // Later by the same policy, and only from proven mail.
    for (policy, dmarc, expected) in [
        (CcPolicy::Approved, Some(Pass), Some(true)),
        (CcPolicy::Pending, Some(Pass), Some(false)),
        (CcPolicy::Ignored, Some(Pass), None),
        (CcPolicy::Approved, None, None),
    ] {
        let mut case = Case::new("cust", "Cc: dan@people.example\r\nIn-Reply-To: <o@ids.example>\r\n").dmarc(dmarc);
        case.mailbox.cc = policy;
        let Verb::Commit(plan) = case.decide().verb else { panic!("no entry") };
        let Target::Append { participants, .. } = plan.target else { panic!("no append") };
        let dan = participants.and_then(|all| all.iter().find(|p| p.address == address("dan")).map(|p| p.approved));
        assert_eq!(dan, expected, "{policy:?} {dmarc:?}");
    }
    // A blind copy's other recipients are not part of it.
    let mut blind = Case::new("cust", "Cc: bob@people.example\r\n");
    blind.header = blind.header.replace("To: support@us.example", "To: list@people.example");
    assert_eq!(people(&blind).1, "cust");
    let crowd: Vec<String> = (0..80).map(|n| format!("p{n}@people.example")).collect();
    let many = Case::new("cust", &format!("Cc: {}\r\n", crowd.join(",\r\n ")));
    assert_eq!(people(&many).1.split(' ').count(), 48);
}

#[test]
fn who_is_not_approved_waits() {
    let reply = "In-Reply-To: <o@ids.example>\r\n";
    for (policy, expected) in [
        (StrangerPolicy::Unverified, "unverified"),
        (StrangerPolicy::New, "new related"),
        (StrangerPolicy::Hold, "held stranger"),
        (StrangerPolicy::Append, "append, opens"),
    ] {
        let mut case = Case::new("bob", reply);
        case.mailbox.strangers = policy;
        let mut ticket = ticket();
        ticket.participants[1].approved = false;
        case.seen.tickets.insert(1, Some(ticket));
        assert_eq!(case.does(), expected, "{policy:?}");
        let why = case.decide().reasons.contains(&"not-approved".to_owned());
        assert_eq!(why, policy == StrangerPolicy::Unverified);
    }
}

#[test]
fn a_tag_makes_nobody_a_stranger() {
    for author in ["cust+shop@people.example", "CUST+a+b@People.example"] {
        assert_eq!(Case::new(author, "In-Reply-To: <o@ids.example>\r\n").does(), "append, opens", "{author}");
    }
    for author in ["cust@evil.example", "cust+x@evil.example", "cus+t@people.example"] {
        assert_eq!(Case::new(author, "In-Reply-To: <o@ids.example>\r\n").does(), "unverified", "{author}");
    }
    // Approved as one, not as the other: what stands there itself counts.
    let mut case = Case::new("bob+x@people.example", "In-Reply-To: <o@ids.example>\r\n");
    let mut ticket = ticket();
    let tagged = crate::address::AddrSpec::parse("bob+x@people.example").unwrap();
    ticket.participants.push(Participant { address: tagged, name: None, approved: false });
    case.seen.tickets.insert(1, Some(ticket));
    assert_eq!(case.does(), "unverified");
}

#[test]
fn reply_to_names_the_requester_by_policy() {
    use Verdict::{Fail, Pass};
    let form = "form@web.example";
    for (policy, author, reply_to, dmarc, requester, all) in [
        (ReplyToPolicy::Forms, "cust", "pat@people.example", Some(Pass), "cust@people.example", "cust"),
        (ReplyToPolicy::Always, "cust", "pat@people.example", Some(Pass), "pat@people.example", "pat cust"),
        (ReplyToPolicy::Always, "cust", "pat@people.example", Some(Fail), "pat@people.example", "pat? cust"),
        (ReplyToPolicy::Always, "cust", "cust@people.example", Some(Pass), "cust@people.example", "cust"),
        (ReplyToPolicy::Always, "cust", "support@us.example", Some(Pass), "cust@people.example", "cust"),
        (ReplyToPolicy::Always, "cust", "a@b.example, c@d.example", Some(Pass), "cust@people.example", "cust"),
        (ReplyToPolicy::Forms, form, "Pat <pat@people.example>", Some(Pass), "pat@people.example", "pat"),
        (ReplyToPolicy::Forms, "support@us.example", "pat@people.example", Some(Pass), "pat@people.example", "pat"),
    ] {
        let mut case = Case::new(author, &format!("Reply-To: {reply_to}\r\n")).dmarc(dmarc);
        case.mailbox.reply_to = policy;
        case.mailbox.form_senders = vec![Who::parse(form).unwrap()];
        let (who, everybody) = people(&case);
        assert_eq!((who.as_deref(), everybody.as_str()), (Some(requester), all), "{policy:?} {author} {reply_to}");
    }
    // On a ticket it counts for nothing: who speaks is who wrote.
    let mut case = Case::new("eve", "Reply-To: cust@people.example\r\nIn-Reply-To: <o@ids.example>\r\n");
    case.mailbox.reply_to = ReplyToPolicy::Always;
    assert_eq!(case.does(), "unverified");
}

#[test]
fn policies_for_failed_authentication() {
    use AuthenticationPolicy::{Flag, Hold, Record};
    let reply = "In-Reply-To: <o@ids.example>\r\n";
    for (policy, opening, on_ticket, flagged) in [
        (Record, "new", "unverified", false),
        (Flag, "new", "unverified", true),
        (Hold, "held auth-failed", "held auth-failed", false),
    ] {
        for (lines, expected) in [("", opening), (reply, on_ticket)] {
            let mut case = Case::new("cust", lines).dmarc(Some(Verdict::Fail));
            case.mailbox.authentication = policy;
            assert_eq!(case.does(), expected, "{policy:?}");
            if let Verb::Commit(plan) = case.decide().verb {
                assert_eq!(plan.flags.contains(&"auth-failed".to_owned()), flagged, "{policy:?}");
            }
            case.release = true;
            let released = if lines.is_empty() { "new" } else { "unverified" };
            assert_eq!(case.does(), released, "{policy:?}");
        }
        // Nobody says: nothing is held for it.
        let mut unknown = Case::new("cust", reply).dmarc(None);
        unknown.mailbox.authentication = policy;
        assert_eq!(unknown.does(), "append, opens", "{policy:?}");
    }
}
