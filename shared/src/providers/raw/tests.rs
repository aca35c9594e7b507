use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::{
    door::{Door, DoorId, Provider},
    mailbox::MailboxId,
    outbound::Outbound,
    providers::sns::Certificates,
    secrets::DoorSecrets,
};

const KEY: &str = "hmac-key-Rowan";
const MAIL: &str = "Delivered-To: desk@us.example\nReturn-Path: <back@people.example>\n\nhello\n";
// `date -d @1793610000`: 2026-11-02T09:00:00Z. printf '…' | openssl dgst -sha256 -hmac hmac-key-Rowan
const NOW: &str = "2026-11-02T09:00:00Z";
const SIGNED: &str = "sha256=bc8fdb147b686239cb4a141dae211cce2d72a89b68c027e07d3ffada07471bf8";

fn request(fields: &[(&'static str, &str)]) -> Request {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    Request { headers, body: Bytes::from_static(MAIL.as_bytes()), mailbox: None, vouched: false }
}

fn signed() -> Vec<(&'static str, &'static str)> {
    vec![
        ("content-type", "message/rfc822"),
        (MAIL_FROM, "cust@people.example"),
        (RCPT_TO, "support@us.example,desk@us.example"),
        (EVENT_ID, "4Xyz"),
        (RECEIVED_AT, "2026-11-02T08:59:58Z"),
        (TIMESTAMP, "1793610000"),
        (SIGNATURE, SIGNED),
    ]
}

fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    signed().into_iter().map(|field| if field.0 == name { (name, value) } else { field }).collect()
}

fn without(name: &str) -> Vec<(&'static str, &'static str)> {
    signed().into_iter().filter(|field| field.0 != name).collect()
}

fn secrets(hmac: &[&str], bearer: &[&str]) -> DoorSecrets {
    let list = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    DoorSecrets { hmac_keys: list(hmac), bearer_keys: list(bearer), ..DoorSecrets::default() }
}

fn try_at(door: &Door, request: &Request, secrets: &DoorSecrets, now: &str) -> Result<InboundMessage, Rejected> {
    let certificates = Certificates::new(Outbound::new());
    let now = now.parse().unwrap();
    let context = Context { door, secrets, certificates: &certificates, bucket: "ours", now };
    match accept(request, &context)? {
        Accepted::Message(message) => Ok(*message),
        other => panic!("{other:?}"),
    }
}

fn attempt(request: &Request) -> Result<InboundMessage, Rejected> {
    try_at(&Door::own(Provider::Raw), request, &secrets(&["older", KEY], &[]), NOW)
}

fn refused(result: Result<InboundMessage, Rejected>) -> String {
    match result {
        Err(Rejected::Unauthorized(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_openssl_signed_is_a_mail() {
    let message = attempt(&request(&signed())).unwrap();
    let forward: Vec<String> = message.envelope.forward_paths.iter().map(ToString::to_string).collect();
    assert_eq!(forward, ["support@us.example", "desk@us.example"]);
    assert_eq!(message.envelope.reverse_path, ReversePath::parse("cust@people.example"));
    assert!(!message.envelope.from_header && message.raw == MAIL.as_bytes());
    assert_eq!(message.ingress.event_id.as_deref(), Some("4Xyz"));
    assert_eq!(message.ingress.transport_time.to_string(), "2026-11-02T08:59:58Z");
    assert_eq!((message.ingress.door.as_str(), message.ingress.provider.as_str()), ("raw", "raw"));
}

#[test]
fn recipients_in_several_fields_are_signed_joined() {
    let mut fields = without(RCPT_TO);
    fields.extend([(RCPT_TO, " support@us.example "), (RCPT_TO, "desk@us.example,")]);
    assert_eq!(attempt(&request(&fields)).unwrap().envelope.forward_paths.len(), 2);
    assert_eq!(attempt(&request(&with(RCPT_TO, "support@us.example ,\tdesk@us.example"))).unwrap().raw, MAIL);
}

#[test]
fn whatever_decides_is_signed() {
    for (name, value) in [
        (MAIL_FROM, "other@people.example"),
        (MAIL_FROM, "<>"),
        (RCPT_TO, "desk@us.example"),
        (RCPT_TO, "desk@us.example,support@us.example"),
        (EVENT_ID, "5Xyz"),
        (RECEIVED_AT, "2026-11-02T08:59:57Z"),
        (TIMESTAMP, "1793610001"),
        (TIMESTAMP, "yesterday"),
        (SIGNATURE, "sha256="),
        (SIGNATURE, "sha256=zz"),
        (SIGNATURE, SIGNED.strip_prefix("sha256=").unwrap()),
    ] {
        assert!(
            refused(attempt(&request(&with(name, value)))).contains("does not match raw.hmac_keys"),
            "{name} {value}"
        );
    }
    for name in [MAIL_FROM, RCPT_TO, EVENT_ID, RECEIVED_AT] {
        assert!(refused(attempt(&request(&without(name)))).contains("does not match"), "{name} left out");
    }
    assert!(refused(attempt(&request(&without(TIMESTAMP)))).contains("X-Postern-Timestamp"));
    assert!(refused(attempt(&request(&without(SIGNATURE)))).contains("not signed"));
    let mut other = request(&signed());
    other.body = Bytes::from_static(b"hallo");
    assert!(refused(attempt(&other)).contains("does not match"));
    let mut elsewhere = request(&signed());
    elsewhere.mailbox = MailboxId::parse("sales");
    assert!(refused(attempt(&elsewhere)).contains("does not match"), "another mailbox in the path");
}

#[test]
fn the_doors_own_mailbox_need_not_stand_in_the_url() {
    let sales = MailboxId::parse("sales");
    let door = Door { mailbox: sales.clone(), ..Door::own(Provider::Raw) };
    let mut asked = request(&signed());
    asked.mailbox = sales.clone();
    assert_eq!(try_at(&door, &asked, &secrets(&[KEY], &[]), NOW).unwrap().mailbox, sales);
    asked.mailbox = MailboxId::parse("desk");
    refused(try_at(&door, &asked, &secrets(&[KEY], &[]), NOW));
}

#[test]
fn the_window_is_fifteen_minutes_on_both_sides() {
    for (now, good) in [
        ("2026-11-02T09:15:00Z", true),
        ("2026-11-02T09:15:01Z", false),
        ("2026-11-02T08:45:00Z", true),
        ("2026-11-02T08:44:59Z", false),
    ] {
        let result = try_at(&Door::own(Provider::Raw), &request(&signed()), &secrets(&[KEY], &[]), now);
        assert_eq!(result.is_ok(), good, "{now}");
        assert!(good || refused(result).contains("15 minutes"), "{now}");
    }
}

#[test]
fn a_bearer_key_is_proof_too() {
    let bearer = |value: &'static str| vec![(RCPT_TO, "support@us.example"), ("authorization", value)];
    let keys = secrets(&[KEY], &["bearer-key-Yew", "bearer-key-Oak"]);
    let door = Door { id: DoorId::parse("relay-1").unwrap(), ..Door::own(Provider::Raw) };
    let attempt = |fields: &[(&'static str, &str)], keys: &DoorSecrets| try_at(&door, &request(fields), keys, NOW);
    for value in ["Bearer bearer-key-Oak", "bearer  bearer-key-Yew "] {
        assert_eq!(attempt(&bearer(value), &keys).unwrap().ingress.door, "relay-1");
    }
    for value in ["Bearer", "Bearer ", "Bearer bearer-key", "Basic bearer-key-Oak", "Bearer hmac-key-Rowan"] {
        refused(attempt(&bearer(value), &keys));
    }
    refused(attempt(&bearer("Bearer bearer-key-Oak"), &secrets(&[KEY], &[" "])));
    let both = [bearer("Bearer bearer-key-Oak"), vec![(SIGNATURE, "sha256=00"), (TIMESTAMP, "1793610000")]].concat();
    refused(attempt(&both, &keys));
}

#[test]
fn without_keys_nobody_is_let_in() {
    for keys in [secrets(&[], &[]), secrets(&["", " "], &["\t"])] {
        let result = try_at(&Door::own(Provider::Raw), &request(&signed()), &keys, NOW);
        let error = result.unwrap_err().to_string();
        assert!(error.contains("raw.hmac_keys or raw.bearer_keys is not configured"), "{error}");
    }
    let mut vouched = request(&[(RCPT_TO, "support@us.example")]);
    vouched.vouched = true;
    assert!(try_at(&Door::own(Provider::Raw), &vouched, &secrets(&[], &[]), NOW).is_ok());
}

fn vouched(fields: &[(&'static str, &str)]) -> Result<InboundMessage, Rejected> {
    attempt(&Request { vouched: true, ..request(fields) })
}

#[test]
fn a_missing_envelope_is_read_from_the_header_and_said_so() {
    let envelope = vouched(&[]).unwrap().envelope;
    assert!(envelope.from_header);
    assert_eq!(envelope.forward_paths, [AddrSpec::parse("desk@us.example").unwrap()]);
    assert_eq!(envelope.reverse_path, ReversePath::parse("back@people.example"));
    let envelope = vouched(&[(MAIL_FROM, "<>")]).unwrap().envelope;
    assert_eq!((envelope.reverse_path, envelope.from_header), (ReversePath::Null, true));
    for (given, expected) in [("<>", ReversePath::Null), ("", ReversePath::Unknown), ("nobody", ReversePath::Unknown)] {
        let envelope = vouched(&[(RCPT_TO, "support@us.example"), (MAIL_FROM, given)]).unwrap().envelope;
        assert_eq!((envelope.reverse_path, envelope.from_header), (expected, false), "{given:?}");
    }
}

#[test]
fn recipients_are_separated_by_commas_outside_of_quotes() {
    for (field, expected) in [
        ("a@x,b@y", &["a@x", "b@y"][..]),
        (" a@x , ,b@y,", &["a@x", "b@y"]),
        ("\"a,b\"@x,c@y", &["\"a,b\"@x", "c@y"]),
        ("\"a\\\",b\"@x,c@y", &["\"a\\\",b\"@x", "c@y"]),
        ("\"a\\\\\",b@y", &["\"a\\\\\"", "b@y"]),
        ("", &[]),
    ] {
        assert_eq!(addresses(field), expected, "{field}");
    }
}

#[test]
fn times_and_ids_that_cannot_be_are_not_believed() {
    for (given, expected) in [
        ("2026-11-02T08:00:00+01:00", "2026-11-02T07:00:00Z"),
        ("2026-11-02T09:00:01Z", NOW),
        ("9999-01-01T00:00:00Z", NOW),
        ("yesterday", NOW),
        ("", NOW),
    ] {
        let message = vouched(&[(RECEIVED_AT, given)]).unwrap();
        assert_eq!(message.ingress.transport_time.to_string(), expected, "{given}");
    }
    let long = "x".repeat(EVENT_ID_MAX + 1);
    for (given, expected) in [("4Xyz", Some("4Xyz")), ("", None), (long.as_str(), None)] {
        assert_eq!(vouched(&[(EVENT_ID, given)]).unwrap().ingress.event_id.as_deref(), expected);
    }
}

#[test]
fn only_a_mail_is_taken() {
    for kind in ["", "message/rfc822", "Message/RFC822; charset=utf-8", "application/octet-stream", "text/plain"] {
        assert!(vouched(&[("content-type", kind)]).is_ok(), "{kind}");
    }
    for kind in
        ["application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/html"]
    {
        match vouched(&[("content-type", kind)]) {
            Err(Rejected::Malformed(why)) => assert!(why.contains("message/rfc822"), "{why}"),
            other => panic!("{kind}: {other:?}"),
        }
    }
    for twice in [MAIL_FROM, EVENT_ID, RECEIVED_AT] {
        assert!(matches!(vouched(&[(twice, "a@x"), (twice, "b@y")]), Err(Rejected::Malformed(_))), "{twice}");
    }
    let empty = Request { vouched: true, body: Bytes::new(), ..request(&[]) };
    assert!(matches!(attempt(&empty), Err(Rejected::Unreadable { slug: "no-octets", .. })));
}
