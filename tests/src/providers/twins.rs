//! A rebuilt mail and its raw twin are the same to the desk: the same ticket, the same entry, the same files.

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value, json};

use crate::{
    doors::{Encoding, Form, Postmark, SendGrid, door, hear, trusting},
    world::{World, text},
};

const HEAD: &str = "Received: from mail.people.example by mx.us.example; Mon, 02 Nov 2026 09:00:00 +0000\r\n\
    From: =?utf-8?Q?J=C3=BCrgen_=22J=22_Doe?= <cust@people.example>\r\n\
    To: \"Support, the\" <support@us.example>, bob@people.example\r\nCc: Ann <ann@people.example>\r\n\
    Subject: =?utf-8?Q?Caf=C3=A9?= [INC-00042]\r\nDate: Mon, 02 Nov 2026 10:00:00 +0100\r\n\
    Message-ID: <twin@ids.example>\r\nMIME-Version: 1.0\r\n";

/// Mails by their peculiarity, below [`HEAD`].
const MAILS: [(&str, &str); 8] = [
    ("plain text", "Content-Type: text/plain; charset=utf-8\r\n\r\nGrüße,\r\n\r\nJürgen\r\n"),
    (
        "quoted-printable Latin-1",
        "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n",
    ),
    (
        "HTML alone",
        "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Grüße,</p><p>Jürgen<br>\u{2014} sent by <b>hand</b></p>\r\n",
    ),
    (
        "a reply above a quote",
        "In-Reply-To: <before@ids.example>\r\nReferences: <first@ids.example>\r\n <before@ids.example>\r\n\
         Content-Type: text/plain\r\n\r\nThat works.\r\n\r\nOn 1 Nov 2026, Support wrote:\r\n> try again\r\n",
    ),
    (
        "text, HTML, a picture in it and a file",
        "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
         --r\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n\
         --a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nsee below\r\n\
         --a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>see below</p><img src=\"cid:pic@x\">\r\n--a--\r\n\
         --r\r\nContent-Type: image/png; name=p.png\r\nContent-ID: <pic@x>\r\nContent-Disposition: inline; filename=p.png\r\n\
         Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgoAAAANSUhEUg==\r\n--r--\r\n\
         --m\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=\"list (1).csv\"\r\n\r\na;b\r\n--m--\r\n",
    ),
    ("an automatic answer", "Auto-Submitted: auto-replied\r\nContent-Type: text/plain\r\n\r\nI am away.\r\n"),
    ("a list", "List-Id: <list.people.example>\r\nPrecedence: bulk\r\nContent-Type: text/plain\r\n\r\nnews\r\n"),
    (
        "a bounce",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nnot delivered\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n\
         Final-Recipient: rfc822; gone@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <sent@ids.example>\r\nSubject: s\r\n\r\nx\r\n--b--\r\n",
    ),
];

/// Each way: what it is, the raw request, the parsed one.
fn pairs(mime: &[u8]) -> Vec<(&'static str, Request<Bytes>, Request<Bytes>)> {
    let mailgun = |encoding| {
        let raw = Form::mailgun(encoding, "t", mime).request();
        (raw, Form::mailgun_parsed(encoding, "t", mime).request())
    };
    let mut pairs = Vec::new();
    let (raw, parsed) = mailgun(Encoding::Multipart);
    pairs.push(("Mailgun", raw, parsed));
    if Form::mailgun_parsed(Encoding::Multipart, "t", mime).files.is_empty() {
        let (raw, parsed) = mailgun(Encoding::Urlencoded);
        pairs.push(("Mailgun, urlencoded", raw, parsed));
    }
    let raw = Postmark::new("uuid", std::str::from_utf8(mime).unwrap());
    pairs.push(("Postmark", raw.request(), Postmark::parsed("uuid", mime).request()));
    pairs.push(("SendGrid", SendGrid::raw(mime).request(), SendGrid::parsed(mime).request()));
    pairs
}

fn json_of(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => json!(text),
        AttributeValue::Bool(yes) => json!(yes),
        AttributeValue::L(list) => list.iter().map(json_of).collect(),
        AttributeValue::M(map) => {
            map.iter().map(|(name, value)| (name.clone(), json_of(value))).collect::<Map<_, _>>().into()
        }
        AttributeValue::Ss(set) | AttributeValue::Ns(set) => json!(set),
        other => json!(format!("{other:?}")),
    }
}

/// What the desk sees, less what names the octets themselves.
async fn desk(world: &World) -> Vec<Value> {
    let mut seen = Vec::new();
    for (keys, item) in world.items("TICKET#").await {
        let mut fields: Map<String, Value> = item.iter().map(|(name, value)| (name.clone(), json_of(value))).collect();
        fields.remove("raw_key");
        // Another delivery.
        fields.remove("trace_id");
        if let Some(flags) = fields.get_mut("flags").and_then(Value::as_array_mut) {
            flags.retain(|flag| flag != "rebuilt");
        }
        for file in fields.get_mut("attachments").and_then(Value::as_array_mut).into_iter().flatten() {
            file.as_object_mut().unwrap().remove("key");
        }
        seen.push(json!([keys.0, keys.1, fields]));
    }
    for item in world.items("MAIL#").await.into_values() {
        let reasons = json_of(&item["reasons"]);
        seen.push(json!([text(&item, "outcome"), text(&item, "effect"), text(&item, "cause"), reasons]));
    }
    seen
}

#[tokio::test]
async fn a_rebuilt_mail_and_its_raw_twin_are_the_same_to_the_desk() {
    for (what, below) in MAILS {
        let mime = format!("{HEAD}{below}").into_bytes();
        for (way, raw, parsed) in pairs(&mime) {
            let (one, other) = (World::new().await, World::new().await);
            let first = hear(&door(&one), raw).await;
            let second = hear(&door(&other), parsed).await;
            assert_eq!((first.status, second.status), (200, 200), "{what}, {way}: {:?}", second.body);
            let (expected, found) = (desk(&one).await, desk(&other).await);
            assert_eq!(expected, found, "{what}, {way}");
            assert!(!expected.is_empty());
        }
    }
}

#[tokio::test]
async fn the_payload_is_kept_beside_what_was_made_of_it() {
    let mime = format!("{HEAD}{}", MAILS[4].1).into_bytes();
    for (way, _, parsed) in pairs(&mime) {
        let world = World::new().await;
        let app = door(&world);
        let body = parsed.body().clone();
        let heard = hear(&app, parsed.clone()).await;
        assert_eq!(heard.text("status"), "created", "{way}");
        let [kept] = &world.objects("payload/").await[..] else { panic!("{way}: one payload") };
        assert_eq!(world.ingest.blobs.get(kept).await.unwrap(), body, "{way}");
        let row = world.items("MAIL#").await.into_values().next().unwrap();
        let (_, accept) = world.ingest.blobs.get_accepted(&text(&row, "raw_key")).await.unwrap();
        assert_eq!(accept.payload_key.as_ref(), Some(kept), "{way}");
        let again = hear(&app, parsed).await;
        assert!(again.reasons().contains(&"seen-before"), "{way}: rebuilt twice is equal: {:?}", again.body);
        assert_eq!((world.tickets().await, world.items("MAIL#").await.len()), (1, 1), "{way}");
    }
}

/// Requests with a mail that the provider calls spam, as each says it.
fn spam() -> Vec<(&'static str, Request<Bytes>)> {
    let mime = |field: &str| format!("{field}{HEAD}Content-Type: text/plain\r\n\r\nbuy\r\n").into_bytes();
    let (mailgun, postmark) = (mime("X-Mailgun-Sflag: Yes\r\n"), mime("X-Spam-Status: Yes, score=9\r\n"));
    vec![
        ("Mailgun, raw", Form::mailgun(Encoding::Multipart, "t", &mailgun).request()),
        ("Mailgun, parsed", Form::mailgun_parsed(Encoding::Urlencoded, "t", &mailgun).request()),
        ("Postmark, raw", Postmark::new("u", std::str::from_utf8(&postmark).unwrap()).request()),
        ("Postmark, parsed", Postmark::parsed("u", &postmark).request()),
        ("SendGrid, raw", SendGrid::raw(&mime("")).set("spam_score", b"7.5").request()),
        ("SendGrid, parsed", SendGrid::parsed(&mime("")).set("spam_score", b"7.5").request()),
    ]
}

#[tokio::test]
async fn what_the_provider_says_of_spam_counts_where_the_operator_says_so() {
    for (way, request) in spam() {
        let world = World::new().await;
        let heard = hear(&door(&world), request.clone()).await;
        assert_eq!(heard.text("status"), "created", "{way}: {:?}", heard.body);
        let world = World::new().await;
        let heard = hear(&trusting(&world, door(&world)), request).await;
        assert_eq!((heard.text("status"), heard.reasons()[0]), ("held", "spam"), "{way}: {:?}", heard.body);
    }
}

#[tokio::test]
async fn authentication_counts_where_the_operator_says_so() {
    let mime = format!("{HEAD}Content-Type: text/plain\r\n\r\nhello\r\n").into_bytes();
    for (request, spf) in [(SendGrid::raw(&mime), "pass"), (SendGrid::parsed(&mime).set("SPF", b"fail"), "fail")] {
        for trusted in [false, true] {
            let world = World::new().await;
            let app = if trusted { trusting(&world, door(&world)) } else { door(&world) };
            assert_eq!(hear(&app, request.request()).await.status, 200);
            let [key] = &world.objects("raw/").await[..] else { panic!("one raw object") };
            let (_, accept) = world.ingest.blobs.get_accepted(key).await.unwrap();
            let told = serde_json::to_value(&accept.verdicts).unwrap();
            assert_eq!(told["spf"].as_str(), trusted.then_some(spf), "{told}");
            assert_eq!(told["asserted_by"].as_str(), trusted.then_some("sendgrid"), "{told}");
        }
    }
}
