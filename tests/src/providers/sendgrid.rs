//! What only SendGrid's contract asks for: a signature over the body as it is sent, and a charset for each field.

use jiff::SignedDuration;
use postern::{envelope::ReversePath, secrets::SecretSource};
use serde_json::json;

use super::octets;
use crate::{
    doors::{Proof, SENDGRID_KEY, SENDGRID_LOGIN, SendGrid, door, door_with, hear, post},
    harness::wire::Wire,
    world::{World, mail, now, text, with_file},
};

fn both(name: &str) -> [SendGrid; 2] {
    [SendGrid::raw(&octets(name)), SendGrid::parsed(&octets(name))]
}

fn secret(keys: &[&str], logins: &[&str]) -> SecretSource {
    SecretSource::Text(json!({ "sendgrid": { "verification_keys": keys, "credentials": logins } }).to_string())
}

#[tokio::test]
async fn signed_mail_and_mail_with_credentials_comes_in() {
    for (n, request) in both("o").into_iter().enumerate() {
        for proof in [Proof::Signed(now()), Proof::Login(SENDGRID_LOGIN.to_owned())] {
            let world = World::new().await;
            let app = door(&world);
            let request = request.clone().proof(proof);
            let first = hear(&app, request.request()).await;
            assert_eq!((first.status, first.text("status")), (200, "created"), "{n}: {:?}", first.body);
            let again = hear(&app, request.request()).await;
            assert!(again.reasons().contains(&"seen-before"), "{n}: {:?}", again.body);
            let [key] = &world.objects("raw/").await[..] else { panic!("one raw object") };
            let (_, accept) = world.ingest.blobs.get_accepted(key).await.unwrap();
            assert_eq!(accept.ingress.event_id, None, "SendGrid has none");
            assert_eq!(accept.envelope.forward_paths[0].as_str(), crate::doors::RECIPIENT);
            assert!(matches!(accept.envelope.reverse_path, ReversePath::Address(_)));
        }
    }
}

#[tokio::test]
async fn forgeries_hear_503_because_sendgrid_gives_up_on_401() {
    for request in both("f") {
        let world = World::new().await;
        let app = door(&world);
        let before = world.stored().await;
        for (what, forged) in request.forgeries() {
            let heard = hear(&app, forged).await;
            assert_eq!((heard.status, heard.text("error")), (503, "unauthorized"), "{what}: {:?}", heard.body);
        }
        assert_eq!(world.stored().await, before);
    }
}

#[tokio::test]
async fn the_window_is_a_day_on_both_sides() {
    let world = World::new().await;
    let app = door(&world);
    for (n, (minutes, expected)) in [(-1440, 200), (1440, 200), (-1441, 503), (1441, 503)].into_iter().enumerate() {
        let name = format!("w{n}");
        let at = now() + SignedDuration::from_mins(minutes);
        let request = SendGrid::raw(&octets(&name)).proof(Proof::Signed(at)).request();
        assert_eq!(hear(&app, request).await.status, expected, "{minutes} minutes");
    }
    let rows = world.items("MAIL#").await;
    let at = (now() - SignedDuration::from_mins(1440)).to_string();
    assert!(rows.values().any(|row| text(row, "received_at") == at), "the time is SendGrid's");
}

#[tokio::test]
async fn one_proof_is_enough_and_none_opens_nothing() {
    let signed = SendGrid::raw(&octets("p"));
    let login = signed.clone().proof(Proof::Login(SENDGRID_LOGIN.to_owned()));
    for (what, secret, of_signed, of_login) in [
        ("keys only", secret(&[SENDGRID_KEY], &[]), 200, 503),
        ("credentials only", secret(&[], &[SENDGRID_LOGIN]), 503, 200),
        ("an old key beside the new one", secret(&["MFkwEw==", SENDGRID_KEY], &[]), 200, 503),
        ("blanks", secret(&[" "], &[""]), 503, 503),
        ("nothing", secret(&[], &[]), 503, 503),
    ] {
        for (request, expected) in [(&signed, of_signed), (&login, of_login)] {
            let world = World::new().await;
            let app = door_with(world.over(&Wire::new()), secret.clone());
            assert_eq!(hear(&app, request.request()).await.status, expected, "{what}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_proof_is_told_in_words() {
    let signed = SendGrid::raw(&octets("p"));
    for (secret, request, expected) in [
        (secret(&[], &[]), signed.request(), "neither sendgrid.verification_keys nor sendgrid.credentials"),
        (secret(&[], &[SENDGRID_LOGIN]), signed.request(), "has no key to verify it with"),
        (secret(&["SG.Quince-Walnut"], &[]), signed.request(), "holds an API key"),
        (secret(&["MFkwEw=="], &[]), signed.request(), "the public key of the parse setting's security policy"),
        (
            secret(&[SENDGRID_KEY], &[]),
            signed.clone().proof(Proof::Nothing).request(),
            "https://user:password@host/inbound/sendgrid",
        ),
    ] {
        let world = World::new().await;
        let app = door_with(world.over(&Wire::new()), secret);
        let heard = hear(&app, request).await;
        assert_eq!(heard.status, 503);
        assert!(heard.text("message").contains(expected), "{:?}", heard.body);
        assert!(!heard.body.to_string().contains("Quince"), "a secret is never shown");
    }
}

#[tokio::test]
async fn octets_of_the_raw_field_arrive_as_they_were_sent() {
    let mut latin1 = mail("l", "cust").field("Content-Type: text/plain; charset=iso-8859-1").octets("l");
    latin1.extend_from_slice(b"Gr\xFC\xDFe\r\n--of\r\n\0\x80\r\n");
    let world = World::new().await;
    let heard = hear(&door(&world), SendGrid::raw(&latin1).request()).await;
    assert_eq!(heard.text("status"), "created", "{:?}", heard.body);
    let [key] = &world.objects("raw/").await[..] else { panic!("one raw object") };
    assert_eq!(world.ingest.blobs.get(key).await.unwrap(), latin1);
    assert!(world.objects("payload/").await.is_empty(), "the octets are the evidence");
}

#[tokio::test]
async fn parsed_mail_keeps_its_words_and_files() {
    let world = World::new().await;
    let request = SendGrid::parsed(&with_file("Grüße", "cust").octets("p"));
    assert!(
        request.form.fields.iter().any(|(name, value)| name == "text" && value.contains(&0xFC)),
        "Latin-1 on the wire"
    );
    let heard = hear(&door(&world), request.request()).await;
    assert_eq!(heard.text("status"), "created", "{:?}", heard.body);
    let entries = world.items("ENTRY#").await;
    assert!(text(entries.values().next().unwrap(), "text").contains("mail Grüße"));
    let [key] = &world.objects("attachments/").await[..] else { panic!("one file") };
    assert_eq!(world.ingest.blobs.get(key).await.unwrap(), "one");
}

#[tokio::test]
async fn other_bodies_are_told_apart_behind_the_proof() {
    let signed = SendGrid::raw(&octets("b"));
    let events = json!([{ "event": "delivered", "sg_event_id": "x", "email": "a@x.example" }]).to_string();
    let world = World::new().await;
    let app = door(&world);
    let before = world.stored().await;
    let heard = hear(&app, signed.proven(post("/inbound/sendgrid", "application/json", events.clone()))).await;
    assert_eq!((heard.status, heard.text("error")), (200, "other-webhook"), "{:?}", heard.body);
    assert!(heard.text("message").contains("Inbound Parse"), "{:?}", heard.body);
    assert_eq!(hear(&app, post("/inbound/sendgrid", "application/json", events)).await.status, 503, "proof first");
    assert_eq!(world.stored().await, before);
    let whole = signed.form.multipart();
    for (content_type, body, slug, hint) in [
        ("multipart/form-data", whole.clone(), "not-a-form", "no boundary"),
        ("multipart/form-data; boundary=\"of the form\"", b"garbage".to_vec(), "not-a-form", "not the form"),
        ("text/plain", b"garbage".to_vec(), "not-a-form", "not the form"),
        ("application/x-www-form-urlencoded", whole, "no-mail-in-form", "does not say so"),
        ("application/x-www-form-urlencoded", b"a=b&c=d".to_vec(), "no-mail-in-form", "neither email"),
    ] {
        let world = World::new().await;
        let heard = hear(&door(&world), signed.proven(post("/inbound/sendgrid", content_type, body))).await;
        assert_eq!((heard.status, heard.text("status")), (200, "failed"), "{content_type}: {:?}", heard.body);
        assert_eq!(heard.reasons(), ["unreadable-payload", slug], "{content_type}");
        assert!(heard.text("hint").contains(hint), "{content_type}: {:?}", heard.body);
        assert_eq!(world.objects("payload/sendgrid/").await.len(), 1, "it is kept");
    }
}

#[tokio::test]
async fn an_envelope_that_does_not_read_is_unknown() {
    for (envelope, forward, null) in [
        (r#"{"to":["support@us.example","b@us.example"],"from":""}"#, 2, true),
        (r#"{"to":"support@us.example"}"#, 0, false),
        ("nonsense", 0, false),
    ] {
        let world = World::new().await;
        let request = SendGrid::parsed(&octets("e")).set("envelope", envelope.as_bytes());
        assert_eq!(hear(&door(&world), request.request()).await.status, 200, "{envelope}");
        let [key] = &world.objects("raw/").await[..] else { panic!("one raw object") };
        let (_, accept) = world.ingest.blobs.get_accepted(key).await.unwrap();
        assert_eq!(accept.envelope.forward_paths.len(), forward, "{envelope}");
        assert_eq!(accept.envelope.reverse_path == ReversePath::Null, null, "{envelope}");
    }
    // Without a header block the copies stand in for it.
    let world = World::new().await;
    let heard = hear(&door(&world), SendGrid::parsed(&octets("c")).without("headers").request()).await;
    assert_eq!(heard.text("status"), "created", "{:?}", heard.body);
}
