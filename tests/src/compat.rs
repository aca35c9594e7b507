//! The routes of systems that people come from: Escalated's documentation as printed, OpsWeave's configuration ids.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use postern::{
    door::{Door, DoorId, Doors, Provider},
    mailbox::MailboxId,
    secrets::SecretSource,
    settings::{Settings, SettingsSource},
};
use postern_webhook::App;
use serde_json::{Value, json};

use crate::{
    doors::{Encoding, Form, Heard, MAILGUN_KEY, POSTMARK_LOGIN, Postmark, door_with, hear, post, raw::Raw},
    harness::wire::Wire,
    world::{SUPPORT, World, mail, mailbox, now},
};

const SECRET: &str = "shared-secret-Larch";
const TOKEN: &str = "inbound-token-Elm";

/// `curl -d` of Escalated's documentation, with the address of this world's mailbox.
fn curl(id: &str) -> Value {
    json!({
        "FromFull": { "Email": "customer@example.com", "Name": "Customer" },
        "To": SUPPORT,
        "Subject": "Hello",
        "TextBody": "Help please",
        "MessageID": id,
    })
}

fn operator() -> Value {
    json!({
        "mailgun": { "signing_keys": [MAILGUN_KEY] },
        "postmark": { "credentials": [POSTMARK_LOGIN], "inbound_secrets": [TOKEN] },
        "sendgrid": { "credentials": ["parse:password-Ash"] },
        "raw": { "bearer_keys": ["bearer-key-Yew"] },
        "relay-7f": { "bearer_keys": ["bearer-key-Oak"] },
        "escalated": { "inbound_secrets": ["the one before", SECRET] },
    })
}

fn open(world: &World) -> App {
    door_with(world.over(&Wire::new()), SecretSource::Text(operator().to_string()))
}

fn posted(path: &str, json: &Value, fields: &[(&'static str, &str)]) -> Request<Bytes> {
    with(post(path, "application/json", json.to_string()), fields)
}

fn with(mut request: Request<Bytes>, fields: &[(&'static str, &str)]) -> Request<Bytes> {
    for (name, value) in fields {
        request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    request
}

fn at(mut request: Request<Bytes>, path: &str) -> Request<Bytes> {
    *request.uri_mut() = path.parse().unwrap();
    request
}

const BY_SECRET: (&str, &str) = ("x-escalated-inbound-secret", SECRET);

#[tokio::test]
async fn the_curl_of_escalateds_documentation_works_as_printed() {
    for path in ["/support/webhook/email/inbound", "/escalated/webhook/email/inbound"] {
        let world = World::new().await;
        let app = open(&world);
        let first = hear(&app, posted(&format!("{path}?adapter=postmark"), &curl("<abc@mail>"), &[BY_SECRET])).await;
        assert_eq!((first.status, first.text("status"), first.text("outcome")), (200, "created", "created_new"));
        for (snake, camel) in [
            ("inbound_id", "inboundId"),
            ("ticket_id", "ticketId"),
            ("reply_id", "replyId"),
            ("pending_attachment_downloads", "pendingAttachmentDownloads"),
        ] {
            assert_eq!(first.body[snake], first.body[camel], "{snake}");
            assert!(!first.body[camel].is_string(), "{camel} is no text: {:?}", first.body);
        }
        assert_eq!((first.body["ticketId"].as_u64(), first.body["replyId"].is_null()), (Some(1), true));
        let id = first.body["inboundId"].as_u64().unwrap();
        assert!(id > 0 && id < 1 << 52, "a JSON number holds it exactly: {id}");
        assert_eq!(first.body["pendingAttachmentDownloads"], json!([]));
        let again = posted(path, &curl("<abc@mail>"), &[BY_SECRET, ("x-escalated-adapter", "postmark")]);
        let again = hear(&app, again).await;
        assert_eq!(
            (again.status, &again.body["ticketId"]),
            (200, &first.body["ticketId"]),
            "by header, and told twice"
        );
        assert_eq!(world.tickets().await, 1);
        let mut reply = curl("<def@mail>");
        reply["Headers"] = json!([{ "Name": "In-Reply-To", "Value": "<abc@mail>" }]);
        let reply = hear(&app, posted(&format!("{path}?adapter=postmark"), &reply, &[BY_SECRET])).await;
        assert_eq!((reply.text("status"), reply.text("outcome")), ("matched", "replied_to_existing"), "{reply:?}");
        assert!(reply.body["replyId"].as_u64().is_some_and(|id| id > 0 && id < 1 << 52), "{:?}", reply.body);
    }
}

#[tokio::test]
async fn a_shared_secret_that_is_wrong_or_not_there_opens_nothing() {
    let world = World::new().await;
    let app = open(&world);
    let path = "/support/webhook/email/inbound?adapter=postmark";
    for (what, fields, secret, status, code) in [
        ("wrong", vec![("x-escalated-inbound-secret", "shared-secret-Oak")], operator(), 401, "unauthorized"),
        ("blank", vec![("x-escalated-inbound-secret", "")], operator(), 401, "unauthorized"),
        ("missing, so Postmark's own proof counts", vec![], operator(), 401, "unauthorized"),
        ("none configured", vec![BY_SECRET], json!({"postmark": {"credentials": ["a:b"]}}), 503, "not-configured"),
        (
            "a blank one configured",
            vec![("x-escalated-inbound-secret", " ")],
            json!({"escalated": {"inbound_secrets": [" "]}}),
            503,
            "not-configured",
        ),
    ] {
        let app = App {
            secrets: door_with(world.over(&Wire::new()), SecretSource::Text(secret.to_string())).secrets,
            ..open(&world)
        };
        let heard = hear(&app, posted(path, &curl("<a@mail>"), &fields)).await;
        assert_eq!((heard.status, heard.text("error")), (status, code), "{what}: {:?}", heard.body);
    }
    // Our own routes know no shared secret.
    let heard = hear(&app, posted("/inbound/postmark", &curl("<a@mail>"), &[BY_SECRET])).await;
    assert_eq!(heard.status, 401);
    assert!(world.items("MAIL#").await.is_empty());
}

#[tokio::test]
async fn escalateds_route_for_each_provider_takes_that_providers_proof() {
    let world = World::new().await;
    let app = open(&world);
    let octets = |name: &str| mail(name, "cust").octets(name);
    let mailgun = Form::mailgun(Encoding::Urlencoded, "a", &octets("a")).request();
    let postmark = Postmark::new("b", std::str::from_utf8(&octets("b")).unwrap()).request();
    let by_header = posted("/support/inbound/postmark", &curl("<c@mail>"), &[("x-postmark-inbound-token", TOKEN)]);
    let by_query = posted(&format!("/support/inbound/postmark?token={TOKEN}"), &curl("<d@mail>"), &[]);
    for request in
        [at(mailgun, "/support/inbound/mailgun"), at(postmark, "/support/inbound/postmark"), by_header, by_query]
    {
        let heard = hear(&app, request).await;
        assert_eq!((heard.status, heard.text("status")), (200, "created"), "{heard:?}");
        assert!(heard.body["ticketId"].is_u64());
    }
    for forged in [
        posted("/support/inbound/postmark?token=x", &curl("<e@mail>"), &[]),
        posted("/support/inbound/postmark", &curl("<e@mail>"), &[("x-postmark-inbound-token", SECRET)]),
        // Postmark's token is no word for Mailgun.
        posted(&format!("/support/inbound/mailgun?token={TOKEN}"), &curl("<e@mail>"), &[]),
    ] {
        let heard = hear(&app, forged).await;
        assert!(matches!(heard.status, 400 | 401), "{heard:?}");
    }
    assert_eq!(world.tickets().await, 4);
}

#[tokio::test]
async fn a_route_without_a_provider_goes_to_the_one_that_is_set_up() {
    let world = World::new().await;
    let path = "/support/webhook/email/inbound";
    let of = |adapter| App {
        settings: SettingsSource::fixed(
            Settings { mailboxes: world.mailboxes.clone(), adapter, ..Settings::default() },
            world.ingest.ambient.clone(),
        ),
        ..open(&world)
    };
    let heard = hear(&of(None), posted(path, &curl("<a@mail>"), &[BY_SECRET])).await;
    assert_eq!((heard.status, heard.text("error")), (404, "unknown-adapter"), "{heard:?}");
    let heard = hear(&of(Some(Provider::Postmark)), posted(path, &curl("<a@mail>"), &[BY_SECRET])).await;
    assert_eq!((heard.status, heard.text("status")), (200, "created"), "{heard:?}");
}

/// Two mailboxes, and a door for a configuration id of the old system.
async fn weave() -> (World, App) {
    let world =
        World::with(vec![mailbox("billing", "billing@us.example", "BIL"), mailbox("support", SUPPORT, "INC")]).await;
    let relay = Door::new(DoorId::parse("relay-7f").unwrap(), Provider::Raw);
    let doors = Doors::new(vec![Door { mailbox: MailboxId::parse("billing"), ..relay }], &world.mailboxes).unwrap();
    let settings = Settings { mailboxes: world.mailboxes.clone(), doors, ..Settings::default() };
    let settings = SettingsSource::fixed(settings, world.ingest.ambient.clone());
    let app = App { settings, ..open(&world) };
    (world, app)
}

fn number(heard: &Heard) -> String {
    heard.text("ticket_number").split('-').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn opsweaves_configuration_ids_are_mailboxes_or_doors() {
    let (world, app) = weave().await;
    let octets = |name: &str| mail(name, "cust").octets(name);
    let path = |query: &str| format!("/api/v1/email/webhook?provider={query}");
    let mailgun = |name: &str| Form::mailgun(Encoding::Multipart, name, &octets(name)).request();
    let raw = |name: &str, key| Raw::unsigned(name, &octets(name)).bearer(key).request();
    for (request, query, expected) in [
        (mailgun("a"), "mailgun&config_id=billing", "BIL"),
        (mailgun("b"), "webhook_mailgun&config_id=SUPPORT", "INC"),
        (mailgun("c"), "mailgun", "INC"),
        (raw("d", "bearer-key-Yew"), "smtp_gateway&config_id=support", "INC"),
        (raw("e", "bearer-key-Oak"), "smtp_gateway&config_id=relay-7f", "BIL"),
    ] {
        let heard = hear(&app, at(request, &path(query))).await;
        assert_eq!((heard.status, number(&heard).as_str()), (200, expected), "{query}: {heard:?}");
        assert!(heard.body["ticketId"].is_u64());
    }
    for (request, query, status) in [
        (mailgun("f"), "mailgun&config_id=nowhere", 404),
        (mailgun("g"), "imap", 404),
        // A door is opened by its own keys only, and only as its own provider.
        (raw("h", "bearer-key-Yew"), "smtp_gateway&config_id=relay-7f", 401),
        (mailgun("i"), "mailgun&config_id=relay-7f", 404),
    ] {
        assert_eq!(hear(&app, at(request, &path(query))).await.status, status, "{query}");
    }
    assert_eq!(world.tickets().await, 5);
}

#[tokio::test]
async fn opsweaves_sendgrid_is_sendgrid() {
    let (world, app) = weave().await;
    let form = Form {
        path: "/api/v1/email/webhook?provider=webhook_sendgrid&config_id=billing".to_owned(),
        encoding: Encoding::Multipart,
        fields: Vec::new(),
        files: Vec::new(),
    };
    let form = form.set("email", &mail("a", "cust").octets("a"));
    let form = form
        .set("envelope", json!({ "to": ["billing@us.example"], "from": "cust@people.example" }).to_string().as_bytes());
    let heard = hear(&app, form.request()).await;
    assert_eq!((heard.status, heard.text("error")), (503, "unauthorized"), "SendGrid gives up on 401: {heard:?}");
    let login = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, "parse:password-Ash");
    let heard = hear(&app, with(form.request(), &[("authorization", &format!("Basic {login}"))])).await;
    assert_eq!((heard.status, number(&heard).as_str()), (200, "BIL"), "{heard:?}");
    assert_eq!(world.tickets().await, 1);
}

#[tokio::test]
async fn a_switched_off_system_keeps_every_sender_waiting() {
    let world = World::new().await;
    let settings = Settings { mailboxes: world.mailboxes.clone(), closed: true, ..Settings::default() };
    let app = App { settings: SettingsSource::fixed(settings, world.ingest.ambient.clone()), ..open(&world) };
    let before = world.stored().await;
    let signed =
        Form::mailgun(Encoding::Multipart, "a", &mail("a", "cust").octets("a")).signed(MAILGUN_KEY, now(), "a");
    for request in [signed.request(), posted("/support/inbound/postmark", &curl("<a@mail>"), &[BY_SECRET])] {
        let heard = hear(&app, request).await;
        assert_eq!((heard.status, heard.text("error")), (503, "switched-off"), "{heard:?}");
    }
    assert_eq!(world.stored().await, before);
}
