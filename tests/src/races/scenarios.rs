//! The scenarios, in the words of the model. `o` is a mail of cust to bob; `r` is bob's reply; `e` is a stranger's
//! reply; `x` is another mail; `f` is another mail under `o`'s Message-ID; a munged copy came through a list.

use postern::{inbound::Verdict, records::Outcome, ticket::Status};

use super::{Act, Scenario, count, deliver, every_order, many_orders, serial};
use crate::world::{Copy, Mail, mail};

/// Minutes: thirty days later, beyond the reopen window.
const MUCH_LATER: i64 = 30 * 24 * 60;

fn o() -> Mail {
    mail("o", "cust").to(&["bob"])
}

fn r() -> Mail {
    mail("r", "bob").to(&["cust"]).reply_to(&["o"])
}

fn e() -> Mail {
    mail("e", "eve").reply_to(&["o"])
}

fn x() -> Mail {
    mail("x", "ann")
}

fn f() -> Mail {
    mail("f", "first").id("o").date(7).subject("another")
}

fn munged() -> Mail {
    Mail { author: "list".to_owned(), ..o() }.subject("[list] subject")
}

async fn all(scenarios: Vec<Scenario>) {
    let mut interleavings = 0;
    let number = scenarios.len();
    for scenario in scenarios {
        interleavings += every_order(scenario).await;
    }
    println!("{number} scenarios, {interleavings} interleavings");
}

#[tokio::test]
async fn one_mail_in_several_copies() {
    all(vec![
        Scenario::new("two copies, two doors", vec![deliver(o().copy("1")), deliver(o().copy("2"))], &["o"]),
        Scenario::new("same octets twice", vec![deliver(o().copy("1")), deliver(o().copy("1"))], &["o"]),
        Scenario::new("list-munged copy", vec![deliver(o().copy("1")), deliver(munged().copy("2"))], &["o"]),
        Scenario::new(
            "lost commit answer",
            vec![Act::DeliverLosingAnswer(Box::new(o().copy("1"))), deliver(o().copy("1"))],
            &["o"],
        ),
        Scenario::new(
            "lost answer + copy by another door",
            vec![Act::DeliverLosingAnswer(Box::new(o().copy("1"))), deliver(o().copy("2").door("postmark"))],
            &["o"],
        ),
        Scenario::new(
            "token again, same body",
            vec![deliver(o().copy("1").token("t", "A")), deliver(o().copy("1").token("t", "A"))],
            &["o"],
        ),
        Scenario::new(
            "token again, other body",
            vec![deliver(o().copy("1").token("t", "A")), deliver(x().copy("2").token("t", "B"))],
            &["o", "x"],
        ),
        Scenario::new(
            "token of a held mail, other body",
            vec![deliver(o().copy("1").spam().token("t", "A")), deliver(x().copy("2").token("t", "B"))],
            &[],
        ),
    ])
    .await;
}

#[tokio::test]
async fn replies_in_any_order() {
    let spoofed = r().copy("2").auth(Some(Verdict::Fail));
    all(vec![
        Scenario::new("reply + original", vec![deliver(r().copy("1")), deliver(o().copy("2"))], &["o r"]),
        Scenario::new(
            "reply naming nobody + original",
            vec![deliver(r().to(&[]).copy("1")), deliver(o().copy("2"))],
            &["o r", "o? r"],
        ),
        // The model lets the original join the forger's ticket, whose Cc it trusts; here it trusts nobody.
        Scenario::new("original + spoofed reply", vec![deliver(o().copy("1")), deliver(spoofed)], &["o r?", "o | r"]),
        Scenario::new(
            "two strangers reply, unknown parent",
            vec![deliver(r().copy("1")), deliver(e().copy("2"))],
            &["e | r"],
        ),
        Scenario::new(
            "one author replies twice, unknown parent",
            vec![deliver(r().copy("1")), deliver(mail("r2", "bob").to(&["cust"]).reply_to(&["o"]).copy("2"))],
            &["r r2"],
        ),
        Scenario::new(
            "reply-all by two, unknown parent",
            vec![deliver(r().to(&["cust", "eve"]).copy("1")), deliver(e().to(&["cust", "bob"]).copy("2"))],
            &["e r"],
        ),
        Scenario::new(
            "reply-all and a reply to the desk only, unknown parent",
            vec![deliver(r().to(&["cust", "eve"]).copy("1")), deliver(e().copy("2"))],
            &["e | r"],
        ),
        Scenario::new(
            "self-reference",
            vec![deliver(o().reply_to(&["o"]).references(&["o", "o"]).copy("1")), deliver(r().copy("2"))],
            &["o r"],
        ),
        Scenario::new(
            "subject number: participant + stranger",
            vec![
                deliver(mail("n", "bob").subject("Re: [INC-00001] subject").copy("2")),
                deliver(mail("p", "eve").subject("Re: [INC-00001] subject").copy("3")),
            ],
            &["n o | p"],
        )
        .after(vec![o().copy("1")]),
    ])
    .await;
}

#[tokio::test]
async fn claims_of_several() {
    let both = || vec![r().copy("b1"), e().copy("b2")];
    let news = || Mail { author: "news".to_owned(), ..o() }.to(&["readers"]);
    let to = |names: &[&str]| o().to(names);
    all(vec![
        Scenario::new(
            "original after two claimants, two copies",
            vec![deliver(to(&["eve", "bob"]).copy("3")), deliver(to(&["eve", "bob"]).copy("4"))],
            &["e | o r"],
        )
        .after(both()),
        Scenario::new(
            "original naming the second claimant only",
            vec![deliver(to(&["eve"]).copy("3")), deliver(x().copy("4"))],
            &["e o? | r | x"],
        )
        .after(both()),
        Scenario::new(
            "claim refused (newsletter) + stranger",
            vec![deliver(news().copy("3")), deliver(e().copy("2"))],
            &["e o | r", "e? o | r", "e | o | r"],
        )
        .after(vec![r().copy("1")]),
        Scenario::new(
            "claim refused, two copies",
            vec![deliver(news().copy("3")), deliver(news().copy("4"))],
            &["o | r"],
        )
        .after(vec![r().to(&[]).copy("1")]),
        Scenario::new(
            "first claim refused + a claimant it names",
            vec![deliver(to(&["eve"]).copy("3")), deliver(e().copy("2"))],
            &["e o | r", "e | o r", "e o? | r"],
        )
        .after(vec![r().copy("1")]),
        Scenario::new(
            "claimant writes again after the original",
            vec![deliver(mail("e2", "eve").reply_to(&["o"]).copy("5")), deliver(x().copy("6"))],
            &["e e2 | o r | x"],
        )
        .after(vec![r().copy("1"), e().copy("2"), o().copy("3")]),
        Scenario::new(
            "reply-all by two, claimed by a third already",
            vec![deliver(r().to(&["cust", "eve"]).copy("1")), deliver(e().to(&["cust", "bob"]).copy("2"))],
            &["e r | z"],
        )
        .after(vec![mail("z", "zed").reply_to(&["o"]).copy("0")]),
        Scenario::new(
            "one author fills the claim list",
            vec![Act::Deliver(vec![e().copy("a"), to(&["eve"]).copy("b")])],
            &["e o? | r0 r1 r2 r3 r4 r5 r6 r7 r8"],
        )
        .after(
            (0..9)
                .map(|n| mail(&format!("r{n}"), "bob").to(&["cust"]).reply_to(&["o"]).copy(&format!("k{n}")))
                .collect(),
        ),
    ])
    .await;
}

#[tokio::test]
async fn collisions_of_one_message_id() {
    all(vec![
        Scenario::new("first mail + collision", vec![deliver(o().copy("1")), deliver(f().copy("2"))], &["f | o"]),
        Scenario::new("collision, two copies", vec![deliver(o().copy("1")), deliver(o().copy("2"))], &["f | o"])
            .after(vec![f().copy("0")]),
        Scenario::new(
            "collision, second copy munged",
            vec![deliver(o().copy("1")), deliver(munged().copy("2"))],
            &["f | o"],
        )
        .after(vec![f().copy("0")]),
        Scenario::new(
            "collision + reply to it",
            vec![deliver(o().copy("1")), deliver(r().copy("2"))],
            &["f | o r", "f r? | o"],
        )
        .after(vec![f().copy("0")]),
    ])
    .await;
}

#[tokio::test]
async fn nine_mails_under_one_id_and_the_ninth_is_held() {
    let under = |n: i64| {
        let other = mail(&format!("q{n}"), &format!("a{n}")).id("o").date(20 + n).subject(&format!("other {n}"));
        other.copy(&format!("q{n}"))
    };
    let scenario = Scenario::new("nine collisions", vec![Act::Deliver((0..9).map(under).collect())], &[])
        .after(vec![f().copy("0")]);
    let end = serial(&scenario, &[0]).await;
    assert_eq!((count(&end, Outcome::Committed), count(&end, Outcome::Held)), (9, 1), "{end:?}");
    let released = Scenario::new("the ninth released", vec![Act::Release("q8")], &[])
        .after(std::iter::once(f().copy("0")).chain((0..9).map(under)).collect());
    let end = serial(&released, &[0]).await;
    assert_eq!(count(&end, Outcome::Committed), 10, "{end:?}");
}

#[tokio::test]
async fn releases() {
    let held = || vec![o().copy("k").spam()];
    all(vec![
        Scenario::new("release + reply", vec![Act::Release("k"), deliver(r().copy("2"))], &["o r"]).after(held()),
        Scenario::new("release twice", vec![Act::Release("k"), Act::Release("k")], &["o"]).after(held()),
        Scenario::new(
            "held and released + the same octets, read before",
            vec![Act::DeliverAndRelease(Box::new(o().copy("k").spam())), deliver(o().copy("k").spam())],
            &["o"],
        ),
        Scenario::new("release + another copy held", vec![Act::Release("k"), deliver(o().copy("2").spam())], &["o"])
            .after(held()),
    ])
    .await;
}

#[tokio::test]
async fn tickets_that_change_meanwhile() {
    let later = |mail: Mail, label: &str| Copy { minutes: MUCH_LATER, ..mail.copy(label) };
    let r2 = || mail("r2", "bob").to(&["cust"]).reply_to(&["o"]);
    let adds = |n: &str, who: &str| {
        let reply = mail(&format!("r{n}"), "bob").to(&[who]).reply_to(&["o"]);
        let next = mail(n, who).reply_to(&[&format!("r{n}")]);
        Act::Deliver(vec![reply.copy(&format!("k{n}")), next.copy(&format!("n{n}"))])
    };
    all(vec![
        Scenario::new("two replies reopen", vec![deliver(r().copy("2")), deliver(r2().copy("3"))], &["o r r2"])
            .after(vec![o().copy("1")])
            .with_status(Status::Resolved),
        Scenario::new(
            "two replies, closed for long (follow-up)",
            vec![deliver(later(r(), "2")), deliver(later(r2(), "3"))],
            &["o | r r2"],
        )
        .after(vec![o().copy("1")])
        .with_status(Status::Closed),
    ])
    .await;
    // Sixteen calls: too many orders to run them all.
    let title = "two replies add people, who then write";
    let people = Scenario::new(title, vec![adds("5", "zoe"), adds("6", "ann")], &["5 6 o r5 r6"]);
    many_orders(people.after(vec![o().copy("1")]), 60).await;
}

#[tokio::test]
async fn more_than_two_at_once() {
    let who = ["cust", "bob", "ann", "zoe"];
    let others = |n: usize| who.into_iter().filter(|w| *w != who[n % 4]).collect::<Vec<_>>();
    let chain = |n: usize| {
        let names: Vec<String> = (0..n).map(|i| format!("c{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let parent: &[&str] = names.last().map(std::slice::from_ref).unwrap_or_default();
        let mail = mail(&format!("c{n}"), who[n % 4]).to(&others(n)).reply_to(parent).references(&names);
        deliver(mail.copy(&format!("k{n}")))
    };
    many_orders(
        Scenario::new("burst of 8, References kept", (0..8).map(chain).collect(), &["c0 c1 c2 c3 c4 c5 c6 c7"]),
        12,
    )
    .await;
    let star = |n: usize| {
        let newcomer = format!("new{n}");
        let to: Vec<&str> = std::iter::once(newcomer.as_str()).chain(who).collect();
        deliver(mail(&format!("s{n}"), who[n % 4]).to(&to).reply_to(&["o"]).copy(&format!("s{n}")))
    };
    let everybody = std::iter::once(deliver(o().to(&who).copy("k0"))).chain((0..9).map(star)).collect();
    let title = "burst of 10, everybody adds people";
    many_orders(Scenario::new(title, everybody, &["o s0 s1 s2 s3 s4 s5 s6 s7 s8"]), 8).await;
    let four = vec![deliver(o().copy("1")), deliver(r().copy("2")), deliver(e().copy("3")), deliver(f().copy("4"))];
    many_orders(Scenario::new("original, reply, stranger, collision", four, &[]), 25).await;
    let munge =
        vec![deliver(f().copy("1")), deliver(o().copy("2")), deliver(munged().copy("3")), deliver(r().copy("4"))];
    many_orders(Scenario::new("collision, two copies, one munged, reply", munge, &[]), 25).await;
}
