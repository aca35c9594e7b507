//! Requests as providers send them, and the HTTP door over a test's world.

mod parsed;
pub(crate) mod raw;
mod sendgrid;
pub(crate) mod sns;

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_sns::config::{BehaviorVersion, Region};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, Request, Response, header};
use jiff::Timestamp;
use postern::{
    door::{Door, Doors, Provider},
    ingest::Ingest,
    secrets::SecretSource,
    settings::{Settings, SettingsSource},
};
use postern_cli::{engines::BUCKET, samples::MailgunSignature};
use postern_webhook::App;
use serde_json::{Value, json};

pub(crate) use self::sendgrid::{Proof, SENDGRID_KEY, SENDGRID_LOGIN, SendGrid};
use crate::{
    harness::wire::Wire,
    world::{World, now},
};

/// Mailgun's HTTP webhook signing key.
pub(crate) const MAILGUN_KEY: &str = "signing-key-Walnut";
/// Postmark's `user:password`.
pub(crate) const POSTMARK_LOGIN: &str = "postern:password-Hazel";
/// Where the mail goes in every request.
pub(crate) const RECIPIENT: &str = crate::world::SUPPORT;
/// MAIL FROM in every request.
pub(crate) const SENDER: &str = "cust@people.example";

/// The operator's secret with these keys and logins.
pub(crate) fn operator(keys: &[&str], logins: &[&str]) -> String {
    let sendgrid = if keys.is_empty() { Vec::new() } else { vec![SENDGRID_KEY] };
    let of_sendgrid = if logins.is_empty() { Vec::new() } else { vec![SENDGRID_LOGIN] };
    json!({
        "mailgun": { "signing_keys": keys }, "postmark": { "credentials": logins },
        "sendgrid": { "verification_keys": sendgrid, "credentials": of_sendgrid },
    })
    .to_string()
}

/// The door of a world, with the usual secret.
pub(crate) fn door(world: &World) -> App {
    door_with(world.over(&Wire::new()), SecretSource::Text(operator(&[MAILGUN_KEY], &[POSTMARK_LOGIN])))
}

pub(crate) fn door_with(ingest: Ingest, secret: SecretSource) -> App {
    App::over(ingest, secret, no_sns())
}

/// The same door, where every provider's spam and authentication fields count.
pub(crate) fn trusting(world: &World, mut app: App) -> App {
    let doors = Provider::ALL.map(|provider| Door { spam_fields: true, ..Door::own(provider) });
    let doors = Doors::new(doors.to_vec(), &world.mailboxes).unwrap();
    let settings = Settings { mailboxes: world.mailboxes.clone(), doors, ..Settings::default() };
    app.settings = SettingsSource::fixed(settings, app.ingest.ambient.clone());
    app
}

/// A client of SNS that reaches nothing.
pub(crate) fn no_sns() -> aws_sdk_sns::Client {
    let config = aws_sdk_sns::Config::builder().behavior_version(BehaviorVersion::latest());
    aws_sdk_sns::Client::from_conf(config.region(Region::new("eu-central-1")).build())
}

/// What the sender's side hears.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) headers: http::HeaderMap,
}

impl Heard {
    /// A field of the body as text; empty where it is missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    pub(crate) fn reasons(&self) -> Vec<&str> {
        self.body["reasons"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

pub(crate) async fn hear(app: &App, request: Request<Bytes>) -> Heard {
    let response: Response<String> = app.handle(request).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    let body = serde_json::from_str(response.body()).expect("every answer is JSON");
    Heard { status: response.status().as_u16(), body, headers: response.headers().clone() }
}

/// How a provider's request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Multipart,
    Urlencoded,
}

/// A form as Mailgun's route posts it.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) path: String,
    pub(crate) encoding: Encoding,
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) files: Vec<FormFile>,
}

/// A part of a form that is a file; a urlencoded form has none.
#[derive(Clone, Debug)]
pub(crate) struct FormFile {
    pub(crate) field: String,
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) content: Vec<u8>,
}

impl Form {
    /// The raw form with a good signature of `at`.
    pub(crate) fn mailgun(encoding: Encoding, token: &str, mime: &[u8]) -> Self {
        let form = Self { path: "/inbound/mailgun/mime".to_owned(), encoding, fields: Vec::new(), files: Vec::new() };
        let form = form.set("recipient", RECIPIENT.as_bytes()).set("sender", SENDER.as_bytes());
        form.set("body-mime", mime).signed(MAILGUN_KEY, now(), token)
    }

    pub(crate) fn signed(self, key: &str, at: Timestamp, token: &str) -> Self {
        let token = format!("{token:0>50}");
        let signature = MailgunSignature::new(key, at, &token).unwrap();
        let form = self.set("timestamp", signature.timestamp.as_bytes()).set("token", signature.token.as_bytes());
        form.set("signature", signature.signature.as_bytes())
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(n, _)| n != name);
        self
    }

    pub(crate) fn set(self, name: &str, value: &[u8]) -> Self {
        self.without(name).add(name, value)
    }

    /// Adds a field, though one of that name may be there.
    pub(crate) fn add(mut self, name: &str, value: &[u8]) -> Self {
        self.fields.push((name.to_owned(), value.to_vec()));
        self
    }

    pub(crate) fn request(&self) -> Request<Bytes> {
        let (content_type, body) = match self.encoding {
            Encoding::Multipart => ("multipart/form-data; boundary=\"of the form\"", self.multipart()),
            Encoding::Urlencoded => ("application/x-www-form-urlencoded", self.urlencoded()),
        };
        post(&self.path, content_type, body)
    }

    pub(crate) fn multipart(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            let head = format!("--of the form\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(value);
            body.extend_from_slice(b"\r\n");
        }
        for FormFile { field, name, content_type, content } in &self.files {
            let head = format!(
                "--of the form\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
                 Content-Type: {content_type}\r\n\r\n"
            );
            body.extend_from_slice(&[head.as_bytes(), content, b"\r\n"].concat());
        }
        body.extend_from_slice(b"--of the form--\r\n");
        body
    }

    fn urlencoded(&self) -> Vec<u8> {
        let encode = |octets: &[u8]| form_urlencoded::byte_serialize(octets).collect::<String>();
        let pairs = self.fields.iter().map(|(name, value)| format!("{}={}", encode(name.as_bytes()), encode(value)));
        pairs.collect::<Vec<_>>().join("&").into_bytes()
    }
}

/// Postmark's JSON and what stands beside it.
#[derive(Clone, Debug)]
pub(crate) struct Postmark {
    pub(crate) path: String,
    pub(crate) login: Option<String>,
    pub(crate) json: Value,
}

impl Postmark {
    pub(crate) fn new(uuid: &str, mime: &str) -> Self {
        Self {
            path: "/inbound/postmark".to_owned(),
            login: Some(POSTMARK_LOGIN.to_owned()),
            json: json!({
                "FromName": "", "MessageStream": "inbound", "MessageID": uuid,
                "OriginalRecipient": RECIPIENT, "Subject": "of the payload",
                "Headers": [{ "Name": "Return-Path", "Value": format!("<{SENDER}>") }],
                "Attachments": [], "RawEmail": mime,
            }),
        }
    }

    pub(crate) fn login(mut self, login: Option<&str>) -> Self {
        self.login = login.map(str::to_owned);
        self
    }

    pub(crate) fn set(mut self, name: &str, value: Value) -> Self {
        self.json[name] = value;
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.json.as_object_mut().unwrap().remove(name);
        self
    }

    pub(crate) fn request(&self) -> Request<Bytes> {
        self.with_body(self.json.to_string())
    }

    /// The same request with another body.
    pub(crate) fn with_body(&self, body: impl Into<Bytes>) -> Request<Bytes> {
        let mut request = post(&self.path, "application/json", body);
        if let Some(login) = &self.login {
            let value = format!("Basic {}", BASE64_STANDARD.encode(login));
            request.headers_mut().insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        request
    }
}

pub(crate) fn post(path: &str, content_type: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    let request = Request::builder().method(Method::POST).uri(path).header(header::CONTENT_TYPE, content_type);
    request.body(body.into()).unwrap()
}

/// What lies in table and bucket: to see that a refusal leaves nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) items: usize,
    pub(crate) objects: Vec<String>,
}

impl World {
    pub(crate) async fn stored(&self) -> Stored {
        Stored { items: self.items("").await.len(), objects: self.objects("").await }
    }

    /// Keys of the bucket that begin so.
    pub(crate) async fn objects(&self, prefix: &str) -> Vec<String> {
        let (_, s3) = self.engines.clients(None);
        let pages = s3.list_objects_v2().bucket(BUCKET).prefix(prefix).into_paginator().send();
        let pages: Vec<_> = pages.collect::<Result<_, _>>().await.unwrap();
        pages.iter().flat_map(ListObjectsV2Output::contents).filter_map(|o| o.key().map(str::to_owned)).collect()
    }

    pub(crate) async fn tickets(&self) -> usize {
        self.items("TICKET").await.keys().filter(|(pk, sk)| pk.starts_with("TICKET#") && sk == "TICKET").count()
    }
}
