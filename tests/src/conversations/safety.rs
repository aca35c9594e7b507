//! All policies on, strangers and forgers among the people: no stranger's text is public.

use std::collections::BTreeSet;

use postern::{
    inbound::Verdict,
    mailbox::StrangerPolicy,
    ticket::{Status, Visibility},
};

use super::{
    all_pairs,
    deliver::{Delivered, wave, written},
    told::{Clients, Telling},
};
use crate::{
    harness::fault::Dice,
    world::{Copy, World, address, keyring, mail, now},
};

/// What a forger tries.
const TRICKS: usize = 9;

/// A mail of eve, who is on no ticket but her own, after `known` of the conversation's mails were seen by her.
fn trick(world: &World, telling: &Telling, label: &str, n: usize, dice: &mut Dice) -> Copy {
    let (name, eve) = (format!("{label}e{n}"), format!("{label}eve"));
    let target = &telling.mails[dice.roll(telling.mails.len())];
    let id = format!("{label}{}", target.name);
    let victim = format!("{label}{}", target.author);
    let number = format!("Re: [INC-{:05}] subject", 1 + dice.roll(200));
    let tag = keyring().reply_address(world.mailboxes.only().unwrap(), 1 + dice.roll(200) as u64).unwrap().to_string();
    let passed = Some(Verdict::Pass);
    let (mail, verdict) = match dice.roll(TRICKS) {
        0 => (mail(&name, &eve).reply_to(&[&id]), passed),
        1 => (mail(&name, &eve).references(&[&id]).to(&[&victim]), passed),
        2 => (mail(&name, &eve).subject(&number), passed),
        3 => (mail(&name, &victim).subject(&number), Some(Verdict::Fail)),
        4 => (mail(&name, &victim).reply_to(&[&id]), Some(Verdict::Fail)),
        5 => (mail(&name, &eve).id(&id).date(900 + i64::try_from(n).unwrap()).subject("other"), passed),
        6 => (mail(&name, &eve).to(&[&tag]), passed),
        7 => (mail(&name, &eve).reply_to(&[&id]).field("Auto-Submitted: auto-replied"), passed),
        _ => (mail(&name, &eve).field(&format!("Cc: {}", address(&victim))).reply_to(&[&id]), None),
    };
    mail.copy("1").auth(verdict)
}

async fn check(world: &World, delivered: &[(Copy, Delivered)], label: &str, seed: u64) {
    let mut seen = BTreeSet::new();
    let tickets: BTreeSet<u64> = delivered.iter().filter_map(|(_, d)| d.answer.ticket_id).collect();
    let eve = address(&format!("{label}eve"));
    for id in tickets {
        let ticket = world.ingest.store.ticket(id).await.unwrap().unwrap();
        let hers = ticket.requester.as_ref().is_some_and(|who| who.address.as_str() == eve);
        for entry in world.ingest.store.entries(id).await.unwrap() {
            let name = entry.text.split_whitespace().nth(1).unwrap_or("-").to_owned();
            assert!(seen.insert(name.clone()), "seed {seed}: {name} has two entries");
            let by_eve = name.starts_with(&format!("{label}e"));
            let opens = entry.at == ticket.created_at && entry.effect == Some(postern::records::Effect::Created);
            if by_eve && !opens {
                let spoke = entry.visibility == Visibility::Public;
                assert!(hers || !spoke, "seed {seed}: {name} of a stranger is public on {}", ticket.number);
            }
            let lured = hers && !by_eve && entry.visibility == Visibility::Public;
            assert!(!lured, "seed {seed}: {name} is public on a stranger's ticket {}", ticket.number);
            let author = entry.author.as_ref().map(|who| who.address.clone());
            if entry.visibility == Visibility::Public {
                assert!(
                    author.is_some_and(|who| ticket.participant(&who).is_some_and(|p| p.approved)),
                    "seed {seed}: {name} is public and its author no participant"
                );
            }
        }
        let evil = ticket.participants.iter().any(|p| p.address.as_str() == eve);
        assert!(hers || !evil, "seed {seed}: eve takes part in {}", ticket.number);
    }
    for (copy, Delivered { answer }) in delivered {
        let there = seen.contains(&copy.mail.name);
        let held = matches!(answer.outcome, "held" | "ignored");
        assert!(there != held, "seed {seed}: {} has its entry or is held: {answer:?}", copy.mail.name);
    }
}

/// Strangers, forgers and spoofers among the people, by the default policies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_strangers_text_is_public() {
    all_pairs("all policies on", StrangerPolicy::Unverified, async |stage, seed| {
        let mut dice = Dice::new(seed);
        let telling = Telling::new(&mut dice, Clients::DropSome);
        let label = format!("s{seed}.");
        let mut all: Vec<Copy> = telling.mails.iter().map(|told| written(told, &label).copy("1")).collect();
        for n in 0..4 {
            all.insert(dice.roll(all.len() + 1), trick(&stage.world, &telling, &label, n, &mut dice));
        }
        let mut delivered = Vec::new();
        while !all.is_empty() {
            let wave = wave(&mut all, &mut dice);
            let answers = stage.at_once(&wave, &mut dice).await;
            delivered.extend(wave.into_iter().zip(answers));
        }
        check(&stage.world, &delivered, &label, seed).await;
    })
    .await;
}

/// A stranger's mail does not wake a ticket that is resolved, whatever it names.
#[tokio::test]
async fn a_stranger_reopens_nothing() {
    let world = World::new().await;
    let opened = world.deliver(&mail("o", "cust").copy("0")).await;
    world.ingest.store.set_status(opened.ticket_id.unwrap(), Status::Resolved, "test", now()).await.unwrap();
    let mut dice = Dice::new(3);
    let telling = Telling::new(&mut dice, Clients::KeepAll);
    for n in 0..20 {
        let copy = trick(&world, &telling, "x.", n, &mut dice);
        let copy = Copy { mail: crate::world::Mail { in_reply_to: vec!["o@ids.example".into()], ..copy.mail }, ..copy };
        world.deliver(&copy).await;
    }
    let ticket = world.ingest.store.ticket(1).await.unwrap().unwrap();
    assert_eq!((ticket.status, ticket.participants.len()), (Status::Resolved, 1));
}
