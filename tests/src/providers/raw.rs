//! Mail that a relay of one's own posts.

use postern::secrets::SecretSource;

use super::octets;
use crate::{
    doors::{
        RECIPIENT, door_with, hear, post,
        raw::{RAW_BEARER, RAW_KEY, Raw, raw_door, raw_operator},
    },
    harness::wire::Wire,
    world::{World, mailbox, text},
};

#[tokio::test]
async fn signed_or_with_a_key_a_mail_becomes_a_ticket() {
    for proof in [Raw::mail("4Xyz", &octets("o")), Raw::unsigned("4Xyz", &octets("o")).bearer(RAW_BEARER)] {
        let world = World::new().await;
        let app = raw_door(&world);
        let first = hear(&app, proof.request()).await;
        assert_eq!((first.status, first.text("status")), (200, "created"), "{first:?}");
        let keys = world.objects("raw/raw/").await;
        assert_eq!(world.ingest.blobs.get(&keys[0]).await.unwrap(), octets("o"), "as received");
        let stored = world.stored().await;
        let again = hear(&app, proof.request()).await;
        assert_eq!((again.status, again.text("inbound_id")), (200, first.text("inbound_id")));
        assert!(again.reasons().contains(&"seen-before"), "{again:?}");
        assert_eq!(world.stored().await, stored, "what is sent twice is there once");
    }
}

#[tokio::test]
async fn forgeries_are_refused_and_leave_nothing() {
    let world = World::new().await;
    let app = raw_door(&world);
    let before = world.stored().await;
    for (what, request) in Raw::forgeries(&octets("o")) {
        let heard = hear(&app, request).await;
        assert_eq!((heard.status, heard.text("error")), (401, "unauthorized"), "{what}: {heard:?}");
    }
    assert_eq!(world.stored().await, before);
}

#[tokio::test]
async fn without_keys_nobody_is_let_in() {
    for (hmac, bearer) in [(&[][..], &[][..]), (&["", " "], &["\t"])] {
        let world = World::new().await;
        let app = door_with(world.over(&Wire::new()), SecretSource::Text(raw_operator(hmac, bearer)));
        for request in [Raw::mail("a", &octets("o")), Raw::mail("a", &octets("o")).bearer("")] {
            let heard = hear(&app, request.request()).await;
            assert_eq!((heard.status, heard.text("error")), (503, "not-configured"));
            assert!(heard.text("message").contains("raw.hmac_keys or raw.bearer_keys"), "{heard:?}");
        }
        assert_eq!(world.tickets().await, 0);
    }
}

#[tokio::test]
async fn both_keys_count_while_they_are_changed() {
    let world = World::new().await;
    let secret = raw_operator(&["hmac-key-Alder", RAW_KEY], &["bearer-key-Fir", RAW_BEARER]);
    let app = door_with(world.over(&Wire::new()), SecretSource::Text(secret));
    let raw = Raw::unsigned("a", &octets("o"));
    for request in [
        raw.clone().signed("hmac-key-Alder", crate::world::now()),
        raw.clone().signed(RAW_KEY, crate::world::now()),
        raw.clone().bearer("bearer-key-Fir"),
        raw.bearer(RAW_BEARER),
    ] {
        assert_eq!(hear(&app, request.request()).await.status, 200);
    }
}

#[tokio::test]
async fn the_envelope_decides_the_mailbox() {
    let boxes = vec![mailbox("billing", "billing@us.example", "BIL"), mailbox("support", RECIPIENT, "INC")];
    let world = World::with(boxes).await;
    let app = raw_door(&world);
    let sign = |raw: Raw| raw.signed(RAW_KEY, crate::world::now()).request();
    let unsigned = |name: &str| Raw::unsigned(name, &octets(name));
    let both = unsigned("a").set("x-postern-rcpt-to", &format!("{RECIPIENT},billing@us.example"));
    let heard = hear(&app, sign(both)).await;
    assert_eq!(heard.body["copies"].as_array().map(Vec::len), Some(1), "a copy for each: {heard:?}");
    let named = hear(&app, sign(unsigned("b").path("/inbound/raw/billing"))).await;
    assert!(named.text("ticket_number").starts_with("BIL-"), "the path wins: {named:?}");
    let traced = [b"Delivered-To: billing@us.example\r\n", octets("c").as_slice()].concat();
    let traced = hear(&app, sign(Raw::unsigned("c", &traced).without("x-postern-rcpt-to"))).await;
    assert!(traced.text("ticket_number").starts_with("BIL-"), "the topmost Delivered-To: {traced:?}");
}

#[tokio::test]
async fn the_null_sender_is_kept() {
    let world = World::new().await;
    let app = raw_door(&world);
    let null = Raw::unsigned("a", &octets("o")).set("x-postern-mail-from", "<>");
    let heard = hear(&app, null.signed(RAW_KEY, crate::world::now()).request()).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    let key = world.objects("raw/raw/").await.remove(0);
    let (_, accept) = world.ingest.blobs.get_accepted(&key).await.unwrap();
    assert_eq!(accept.envelope.reverse_path, postern::envelope::ReversePath::Null);
    let rows = world.items("MAIL").await;
    assert!(rows.values().all(|row| text(row, "door") == "raw"), "{rows:?}");
}

#[tokio::test]
async fn what_is_no_mail_is_told_in_words_and_stays_with_the_relay() {
    let world = World::new().await;
    let app = raw_door(&world);
    let before = world.stored().await;
    let sign = |raw: Raw| raw.signed(RAW_KEY, crate::world::now()).request();
    for kind in ["application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"] {
        let heard = hear(&app, sign(Raw::unsigned("a", &octets("o")).set("content-type", kind))).await;
        assert_eq!((heard.status, heard.text("error")), (400, "malformed"), "{kind}");
        assert!(heard.text("message").contains("message/rfc822"), "{heard:?}");
    }
    assert_eq!(hear(&app, post("/inbound/raw", "application/json", "{}")).await.status, 401, "proof comes first");
    assert_eq!(world.stored().await, before);
    let empty = hear(&app, sign(Raw::unsigned("a", b""))).await;
    assert_eq!((empty.status, empty.text("status")), (200, "failed"), "{empty:?}");
    assert!(empty.reasons().contains(&"no-octets") && empty.body["hint"].is_string(), "{empty:?}");
}

#[tokio::test]
async fn mails_without_id_and_date_are_told_apart_by_their_event() {
    let world = World::new().await;
    let app = raw_door(&world);
    let mime = b"From: cust@people.example\r\nSubject: printed\r\n\r\nthe paper is out\r\n";
    for (event, tickets) in [("4Xyz", 1), ("4Xyz", 1), ("5Xyz", 2)] {
        assert_eq!(hear(&app, Raw::mail(event, mime).request()).await.status, 200);
        assert_eq!(world.tickets().await, tickets, "{event}");
    }
}
