//! Whether an author is proven: by a mail server's word, by signatures that are verified here, by the provider; and what
//! is never believed. The author is always cust, of `people.example`.

mod signed;

use postern::{
    door::Door,
    door::{Doors, Provider},
    inbound::{Verdict, Verdicts},
    ingest::Ingest,
    mailbox::Mailboxes,
    store::LedgerId,
};

use crate::{
    harness::dns::Dns,
    world::{Copy, World, mail, one},
};
use signed::Signer;

/// The pipeline with its raw door set up so.
fn with_door(world: &World, door: Door, dns: Option<&Dns>) -> Ingest {
    let mut ingest = world.ingest.clone();
    ingest.doors = Doors::new(vec![door], &Mailboxes::default()).unwrap();
    if let Some(dns) = dns {
        ingest.dkim = postern::dkim::Dkim::at(dns.socket());
    }
    ingest
}

/// Delivers at the raw door, where no provider says anything; what the ledger knows of the author then.
async fn verdicts(ingest: &Ingest, copy: &Copy, raw: Option<Vec<u8>>) -> (Verdicts, Vec<String>) {
    let mut inbound = copy.clone().door("raw").auth(None).inbound();
    inbound.raw = raw.map_or(inbound.raw, Into::into);
    let answer = one(ingest.run(inbound).await);
    let row = ingest.store.ledger_row(&LedgerId::parse(&answer.inbound_id).unwrap()).await.unwrap().unwrap();
    (row.verdicts, answer.reasons)
}

fn unknown(reasons: &[String]) -> bool {
    reasons.iter().any(|reason| reason == "auth-unknown")
}

#[tokio::test]
async fn a_mail_servers_word_counts_where_the_door_names_it() {
    let world = World::new().await;
    world.deliver(&mail("o", "cust").copy("0")).await;
    let trusting = Door { authserv_ids: vec!["mx.us.example".into()], ..Door::own(Provider::Raw) };
    let field = "Authentication-Results: mx.us.example; dkim=pass header.d=people.example; arc=pass";
    let reply = |name: &str| mail(name, "cust").reply_to(&["o"]);
    let above = |name: &str| {
        let copy = reply(name).copy(name);
        let raw = [format!("{field}\r\n").into_bytes(), copy.inbound().raw.to_vec()].concat();
        (copy, Some(raw))
    };
    let (copy, raw) = above("a");
    let (found, reasons) = verdicts(&with_door(&world, trusting.clone(), None), &copy, raw).await;
    assert_eq!((found.dkim, found.arc), (Some(Verdict::Pass), Some(Verdict::Pass)));
    assert_eq!((found.dkim_domains, found.asserted_by), (vec!["people.example".into()], Some("mx.us.example".into())));
    assert!(!unknown(&reasons), "{reasons:?}");
    // The same field where the author can write it, and where the door names nobody.
    let (found, reasons) = verdicts(&with_door(&world, trusting, None), &reply("b").field(field).copy("b"), None).await;
    assert!(found == Verdicts::default() && unknown(&reasons), "{found:?} {reasons:?}");
    let (copy, raw) = above("c");
    let (found, reasons) = verdicts(&with_door(&world, Door::own(Provider::Raw), None), &copy, raw).await;
    assert!(found == Verdicts::default() && unknown(&reasons), "{found:?} {reasons:?}");
}

#[tokio::test]
async fn signatures_are_verified_where_the_door_asks_for_it() {
    let world = World::new().await;
    world.deliver(&mail("o", "cust").copy("0")).await;
    let signer = Signer::new();
    let dns = Dns::with_texts(&[
        ("s1._domainkey.people.example", &signer.record()),
        ("s1._domainkey.esp.example", &signer.record()),
    ])
    .await;
    let asking = Door { verify_dkim: true, ..Door::own(Provider::Raw) };
    let reply = |name: &str| mail(name, "cust").reply_to(&["o"]).copy(name);
    let signed = |name: &str, domain: &str| signer.sign(&reply(name).inbound().raw, domain);
    let tampered = [signed("d", "people.example"), b"and this\r\n".to_vec()].concat();
    let two = signer.sign(&signed("e", "esp.example"), "people.example");
    let many = (0..13).fold(reply("f").inbound().raw.to_vec(), |raw, _| signer.sign(&raw, "people.example"));
    let unsigned = reply("g").inbound().raw.to_vec();
    for (name, raw, dkim, domains, proven) in [
        ("a", signed("a", "people.example"), Verdict::Pass, "people.example", true),
        ("b", signed("b", "esp.example"), Verdict::Pass, "esp.example", false),
        ("c", signed("c", "unknown.example"), Verdict::Error, "", false),
        ("d", tampered, Verdict::Fail, "", false),
        ("e", two, Verdict::Pass, "people.example esp.example", true),
        ("f", many, Verdict::Error, "", false),
        ("g", unsigned, Verdict::Neutral, "", false),
    ] {
        let (found, reasons) = verdicts(&with_door(&world, asking.clone(), Some(&dns)), &reply(name), Some(raw)).await;
        assert_eq!((found.dkim, found.dkim_domains.join(" ").as_str()), (Some(dkim), domains), "{name}");
        assert_eq!((found.asserted_by.as_deref(), unknown(&reasons)), (Some("postern"), !proven), "{name}");
    }
    // Off unless asked for.
    let off = with_door(&world, Door::own(Provider::Raw), Some(&dns));
    let (found, _) = verdicts(&off, &reply("h"), Some(signed("h", "people.example"))).await;
    assert_eq!(found, Verdicts::default());
    // What was found stands in the accept record: the same mail is judged by the same words again, without DNS.
    let asking = with_door(&world, asking, Some(&dns));
    let mut inbound = reply("i").door("raw").auth(None).inbound();
    inbound.raw = signed("i", "people.example").into();
    let answer = one(asking.run(inbound).await);
    let row = asking.store.ledger_row(&LedgerId::parse(&answer.inbound_id).unwrap()).await.unwrap().unwrap();
    let (_, accept) = world.ingest.blobs.get_accepted(&row.raw_key).await.unwrap();
    assert_eq!(accept.verdicts, row.verdicts);
}

#[tokio::test]
async fn who_is_spoken_of_is_not_looked_up_and_a_dead_resolver_costs_nothing_but_the_proof() {
    let world = World::new().await;
    let dns = Dns::with_texts(&[]).await;
    let ingest = with_door(&world, Door { verify_dkim: true, ..Door::own(Provider::Raw) }, Some(&dns));
    let signer = Signer::new();
    let copy = mail("a", "cust").copy("a").door("raw");
    let raw = signer.sign(&copy.inbound().raw, "people.example");
    let mut inbound = copy.inbound();
    assert_eq!(inbound.verdicts.dmarc, Some(Verdict::Pass));
    inbound.raw = raw.into();
    let answer = one(ingest.run(inbound).await);
    let row = ingest.store.ledger_row(&LedgerId::parse(&answer.inbound_id).unwrap()).await.unwrap().unwrap();
    assert_eq!((row.verdicts.dkim, row.verdicts.dmarc), (None, Some(Verdict::Pass)));
    let address = dns.socket();
    drop(dns);
    let mut dead = ingest.clone();
    dead.dkim = postern::dkim::Dkim::at(address);
    let copy = mail("b", "cust").copy("b");
    let raw = signer.sign(&copy.inbound().raw, "people.example");
    let (found, _) = verdicts(&dead, &copy, Some(raw)).await;
    assert_eq!(found.dkim, Some(Verdict::Error));
}

#[tokio::test]
async fn a_rebuilt_mail_proves_nothing() {
    let world = World::new().await;
    let door = Door { verify_dkim: true, authserv_ids: vec!["mx".into()], ..Door::own(Provider::Raw) };
    let ingest = with_door(&world, door, None);
    let copy = mail("a", "cust").copy("a").rebuilt();
    let raw = [b"Authentication-Results: mx; dmarc=pass\r\n".to_vec(), copy.inbound().raw.to_vec()].concat();
    let (found, _) = verdicts(&ingest, &copy, Some(raw)).await;
    assert_eq!(found, Verdicts::default());
}
