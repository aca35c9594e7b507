//! What only Mailgun's contract asks for: a signed time, a token used once, two forms, octets that are no text.

use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use postern::{ingest::Released, store::LedgerId};
use postern_cli::samples::MailgunSignature;
use serde_json::{Value, json};

use super::octets;
use crate::{
    doors::{Encoding, Form, Heard, MAILGUN_KEY, door, hear, post},
    world::{World, mail, now, text},
};

const BOTH: [Encoding; 2] = [Encoding::Multipart, Encoding::Urlencoded];

/// An event webhook as Mailgun posts it, pointed at the wrong URL.
pub(super) fn tracking_event(key: &str) -> Request<Bytes> {
    let MailgunSignature { timestamp, token, signature } = MailgunSignature::new(key, now(), "event").unwrap();
    let signature = json!({ "timestamp": timestamp, "token": token, "signature": signature });
    let body = json!({ "signature": signature, "event-data": { "event": "opened", "id": "x" } });
    post("/inbound/mailgun/mime", "application/json", body.to_string())
}

#[tokio::test]
async fn the_window_is_a_day_on_both_sides() {
    let world = World::new().await;
    let app = door(&world);
    for (n, (minutes, expected)) in
        [(-1439, 200), (1439, 200), (-1440, 200), (1440, 200), (-1441, 401), (1441, 401)].into_iter().enumerate()
    {
        for encoding in BOTH {
            let name = format!("w{n}{encoding:?}");
            let at = now() + SignedDuration::from_mins(minutes);
            let request = Form::mailgun(encoding, &name, &octets(&name)).signed(MAILGUN_KEY, at, &name).request();
            assert_eq!(hear(&app, request).await.status, expected, "{minutes} minutes");
        }
    }
    for odd in ["", "x", "1.5", "-", "99999999999999999999", "9223372036854775807", "2026-11-02"] {
        let odd_time = Form::mailgun(Encoding::Multipart, "odd", b"").set("timestamp", odd.as_bytes());
        let heard = hear(&app, sign_as_is(odd_time, odd).request()).await;
        assert_eq!(heard.status, 401, "{odd:?}: {:?}", heard.body);
    }
    assert_eq!(world.items("MAIL#").await.len(), 8);
}

/// A signature that holds over a timestamp that is none.
fn sign_as_is(form: Form, timestamp: &str) -> Form {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut hmac = Hmac::<sha2::Sha256>::new_from_slice(MAILGUN_KEY.as_bytes()).unwrap();
    hmac.update(timestamp.as_bytes());
    hmac.update(b"token");
    let signature: String = hmac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    form.set("token", b"token").set("signature", signature.as_bytes())
}

#[tokio::test]
async fn the_time_of_the_delivery_is_mailguns() {
    let world = World::new().await;
    let at = now() - SignedDuration::from_hours(5);
    let form = Form::mailgun(Encoding::Multipart, "t", &octets("t")).signed(MAILGUN_KEY, at, "t");
    hear(&door(&world), form.request()).await;
    let row = world.items("MAIL#").await.into_values().next().unwrap();
    assert_eq!(text(&row, "received_at").parse::<Timestamp>().unwrap(), at);
}

async fn judged(app: &postern_webhook::App, form: &Form) -> (u16, String, String) {
    let Heard { status, body, .. } = hear(app, form.request()).await;
    let word = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let reason = body["reasons"].as_array().and_then(|r| r.first()).and_then(Value::as_str).unwrap_or_default();
    (status, word("status"), reason.to_owned())
}

#[tokio::test]
async fn a_token_lets_one_body_in() {
    for encoding in BOTH {
        let world = World::new().await;
        let app = door(&world);
        let first = Form::mailgun(encoding, "token", &octets("a"));
        assert_eq!(judged(&app, &first).await.1, "created");
        // The same fields in another order and form are the same body.
        for other in BOTH {
            let reordered = Form::mailgun(other, "token", b"").set("recipient", crate::doors::RECIPIENT.as_bytes());
            let again = hear(&app, reordered.set("body-mime", &octets("a")).request()).await;
            assert!(again.reasons().contains(&"seen-before"), "{:?}", again.body);
        }
        let held = (200, "held".to_owned(), "replayed-token".to_owned());
        let other = Form::mailgun(encoding, "token", &octets("b"));
        assert_eq!(judged(&app, &other).await, held);
        assert_eq!(judged(&app, &other).await, held, "its retry");
        // The mail again under the stolen token, with another recipient: another body.
        let elsewhere = first.clone().set("recipient", b"support+x@us.example").set("body-mime", &octets("c"));
        assert_eq!(judged(&app, &elsewhere).await, held);
        assert_eq!((world.tickets().await, world.items("MAIL#").await.len()), (1, 3));
        // Signed anew, the held mail may come in by its own right: it is a copy that has ended already.
        let anew = Form::mailgun(encoding, "another token", &octets("b"));
        assert_eq!(judged(&app, &anew).await, held, "same octets, same door: a retry");
    }
}

#[tokio::test]
async fn a_spent_token_with_an_unreadable_body_is_held_and_has_its_row() {
    for encoding in BOTH {
        let world = World::new().await;
        let app = door(&world);
        let unreadable =
            |stripped: &str| Form::mailgun(encoding, "token", b"").without("body-mime").set("odd", stripped.as_bytes());
        assert_eq!(judged(&app, &Form::mailgun(encoding, "token", &octets("a"))).await.1, "created");
        let held = (200, "held".to_owned(), "replayed-token".to_owned());
        for retry in [false, true] {
            assert_eq!(judged(&app, &unreadable("one")).await, held, "retry {retry}");
        }
        assert_eq!(judged(&app, &unreadable("two")).await, held);
        assert_eq!(world.items("MAIL#").await.len(), 3, "each body that came has its row");
        assert_eq!(world.objects("payload/").await.len(), 2);
        let heard = hear(&app, unreadable("one").request()).await;
        let id = LedgerId::parse(heard.text("inbound_id")).unwrap();
        let released = world.ingest.release(&id, None, "test").await.unwrap();
        assert!(matches!(released, Released::Refused(_)), "there is no mail in it: {released:?}");
    }
}

#[tokio::test]
async fn payloads_without_the_raw_mail_are_kept_and_told() {
    let many = Form::mailgun(Encoding::Multipart, "x", &octets("x"));
    for (what, form, hint) in [
        ("nothing of a mail", many.clone().without("body-mime"), "there is no mail"),
        ("empty body-mime", many.clone().set("body-mime", b""), "there is no mail"),
        ("two of body-mime", many.clone().add("body-mime", b"other"), "more than once"),
    ] {
        for encoding in BOTH {
            let world = World::new().await;
            let form = Form { encoding, ..form.clone() };
            let app = door(&world);
            let heard = hear(&app, form.request()).await;
            assert_eq!((heard.status, heard.text("status")), (200, "failed"), "{what}: {:?}", heard.body);
            assert_eq!(heard.reasons()[..], ["unreadable-payload", "no-body-mime"], "{what}");
            assert!(heard.text("hint").contains(hint), "{what}: {:?}", heard.body);
            let again = hear(&app, form.request()).await;
            assert!(again.reasons().contains(&"seen-before") && again.text("status") == "failed", "{what}");
            let [kept] = &world.objects("payload/mailgun/").await[..] else { panic!("{what}: one payload is kept") };
            assert_eq!(world.ingest.blobs.get(kept).await.unwrap(), *form.request().body(), "{what}");
            assert_eq!((world.items("MAIL#").await.len(), world.tickets().await), (1, 0), "{what}");
        }
    }
}

#[tokio::test]
async fn fields_of_the_wrong_shape_are_refused_by_name() {
    let world = World::new().await;
    let app = door(&world);
    let before = world.stored().await;
    for encoding in BOTH {
        let good = Form::mailgun(encoding, "s", &octets("s"));
        for name in ["timestamp", "token", "signature"] {
            for (what, form) in
                [("twice", good.clone().add(name, b"other")), ("not text", good.clone().set(name, b"\xff\xfe"))]
            {
                let heard = hear(&app, form.request()).await;
                assert_eq!((heard.status, heard.text("error")), (400, "malformed"), "{name} {what}");
                assert!(heard.text("message").contains(name), "{name} {what}: {:?}", heard.body);
            }
        }
    }
    assert_eq!(world.stored().await, before);
}

#[tokio::test]
async fn bodies_that_are_no_form() {
    let world = World::new().await;
    let app = door(&world);
    let before = world.stored().await;
    let good = Form::mailgun(Encoding::Multipart, "g", &octets("g"));
    let whole = good.multipart();
    let multipart = "multipart/form-data; boundary=\"of the form\"";
    let urlencoded = "application/x-www-form-urlencoded";
    for (content_type, body, status) in [
        ("", whole.clone(), 400),
        ("text/plain", whole.clone(), 400),
        ("multipart/form-data", whole.clone(), 400),
        ("multipart/form-data; boundary=other", whole.clone(), 400),
        ("multipart/mixed; boundary=\"of the form\"", whole.clone(), 400),
        (multipart, whole[..whole.len() - 30].to_vec(), 400),
        (multipart, Vec::new(), 400),
        (multipart, vec![0; 3_000], 400),
        (multipart, "--of the form\r\n\r\n\r\n".repeat(6_000).into_bytes(), 400),
        (urlencoded, Vec::new(), 401),
        (urlencoded, vec![0xff; 3_000], 401),
        (urlencoded, whole, 400),
        (urlencoded, "a=b&".repeat(6_000).into_bytes(), 400),
        ("application/json", b"{}".to_vec(), 400),
        ("application/json", b"[[[".to_vec(), 400),
        ("application/json", br#"{"signature":{"timestamp":1,"token":["t"],"signature":{}}}"#.to_vec(), 400),
        ("application/json", br#"{"signature":{"timestamp":"1","token":"t","signature":"s"}}"#.to_vec(), 401),
    ] {
        let heard = hear(&app, post("/inbound/mailgun/mime", content_type, body)).await;
        assert_eq!(heard.status, status, "{content_type}: {:?}", heard.body);
    }
    let event = hear(&app, tracking_event(MAILGUN_KEY)).await;
    assert_eq!(event.status, 406);
    assert!(event.text("message").contains("forward("), "{:?}", event.body);
    assert_eq!(hear(&app, tracking_event("forged")).await.status, 401, "never 406 for a signature");
    assert_eq!(world.stored().await, before);
}

#[tokio::test]
async fn octets_that_are_no_text_arrive_as_they_were_sent() {
    let mut latin1 = mail("l", "cust").field("Content-Type: text/plain; charset=iso-8859-1").octets("l");
    latin1.extend_from_slice(b"Gr\xFC\xDFe, caf\xE9 + 100% & =?\r\n\r\n--of\r\n-- of the form--\r\n\0\n\r\x80\r\n");
    for encoding in BOTH {
        let world = World::new().await;
        let heard = hear(&door(&world), Form::mailgun(encoding, "l", &latin1).request()).await;
        assert_eq!(heard.text("status"), "created", "{:?}", heard.body);
        let [key] = &world.objects("raw/").await[..] else { panic!("one raw object") };
        assert_eq!(world.ingest.blobs.get(key).await.unwrap(), latin1, "{encoding:?}");
        let entries = world.items("ENTRY#").await;
        let entry = text(entries.values().next().unwrap(), "text");
        assert!(entry.contains("Grüße, café + 100% & =?"), "{encoding:?}: {entry:?}");
    }
}

#[tokio::test]
async fn the_envelope_is_the_forms() {
    for (fields, forward, reverse) in [
        (&[("recipient", "Support@US.example"), ("sender", "a@b.example")][..], 1, "a@b.example"),
        (&[("recipient", "support@us.example, other@us.example"), ("sender", "")], 2, "null"),
        (&[("recipient", "nobody at all"), ("sender", "<>")], 0, "null"),
        (&[("sender", "no address")], 0, "unknown"),
    ] {
        let world = World::new().await;
        let mut form = Form::mailgun(Encoding::Multipart, "e", &octets("e")).without("recipient").without("sender");
        for (name, value) in fields {
            form = form.set(name, value.as_bytes());
        }
        assert_eq!(hear(&door(&world), form.request()).await.status, 200);
        let [key] = &world.objects("raw/").await[..] else { panic!("one raw object") };
        let (_, accept) = world.ingest.blobs.get_accepted(key).await.unwrap();
        assert_eq!(accept.envelope.forward_paths.len(), forward, "{fields:?}");
        let written = serde_json::to_string(&accept.envelope.reverse_path).unwrap();
        assert!(written.contains(reverse), "{fields:?}: {written}");
    }
}
