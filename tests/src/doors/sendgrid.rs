//! Requests as SendGrid's Inbound Parse sends them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, header};
use jiff::{SignedDuration, Timestamp};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair},
};
use serde_json::json;

use super::{Encoding, Form, RECIPIENT, SENDER, parsed::Taken};
use crate::world::now;

/// The public key of the policy: Base64 of its SubjectPublicKeyInfo.
pub(crate) const SENDGRID_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKhkizYZ2e6iHC2WlT2UnbyQw84Duo5L8QSTF3gO8hlfqScC7\
    RovrQZn5lhV4+w6+VHK0h2TIJYbjpACP7ElvKg==";
/// Its private key, made for these tests (PKCS #8).
const PRIVATE: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFixkkvcAIdF3NPM0CGjwcY0sONhmXpISwEIB6HKBp5KhRANCAAQq\
    GSLNhnZ7qIcLZaVPZSdvJDDzgO6jkvxBJMXeA7yGV+pJwLtGi+tBmfmWFXj7Dr5UcrSHZMglhuOkAI/sSW8q";
/// `user:password` of the URL.
pub(crate) const SENDGRID_LOGIN: &str = "postern:password-Rowan";

const SIGNATURE: &str = "X-Twilio-Email-Event-Webhook-Signature";
const TIMESTAMP: &str = "X-Twilio-Email-Event-Webhook-Timestamp";

/// How a request proves whose it is.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    Signed(Timestamp),
    Login(String),
    Nothing,
}

/// A form and its proof.
#[derive(Clone, Debug)]
pub(crate) struct SendGrid {
    pub(crate) form: Form,
    pub(crate) proof: Proof,
}

impl SendGrid {
    fn new(mime: &[u8]) -> (Self, Taken) {
        let taken = Taken::of(mime);
        let path = "/inbound/sendgrid".to_owned();
        let form = Form { path, encoding: Encoding::Multipart, fields: Vec::new(), files: Vec::new() };
        let envelope = json!({ "to": [RECIPIENT], "from": SENDER }).to_string();
        let first = |name: &str| taken.headers.first(name).unwrap_or_default().as_bytes().to_vec();
        let form = form.set("to", &first("to")).set("from", &first("from"));
        let form = form.set("subject", taken.headers.subject.as_bytes()).set("envelope", envelope.as_bytes());
        let form = form.set("sender_ip", b"192.0.2.1").set("SPF", b"pass").set("dkim", b"{@people.example : pass}");
        (Self { form, proof: Proof::Signed(now()) }, taken)
    }

    /// The raw form, signed.
    pub(crate) fn raw(mime: &[u8]) -> Self {
        let (request, _) = Self::new(mime);
        request.set("charsets", br#"{"to":"UTF-8","subject":"UTF-8","from":"UTF-8"}"#).set("email", mime)
    }

    /// The parsed form, signed; its text is Latin-1 where that has all its characters.
    pub(crate) fn parsed(mime: &[u8]) -> Self {
        let (request, taken) = Self::new(mime);
        let text = if taken.has_text { taken.message.text.as_str() } else { "" };
        let latin: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
        let charset = if latin.is_some() { "iso-8859-1" } else { "UTF-8" };
        let charsets = json!({ "to": "UTF-8", "html": "UTF-8", "subject": "UTF-8", "from": "UTF-8", "text": charset });
        let mut request = request.set("charsets", charsets.to_string().as_bytes()).set("headers", &taken.block);
        if taken.has_text {
            request = request.set("text", &latin.unwrap_or_else(|| text.as_bytes().to_vec()));
        }
        if let Some(html) = &taken.message.html {
            request = request.set("html", html.as_bytes());
        }
        let (files, ids) = taken.files("attachment");
        if !files.is_empty() {
            let info: serde_json::Map<_, _> = files
                .iter()
                .map(|file| {
                    let id = ids.iter().find(|(_, field)| **field == json!(file.field)).map(|(id, _)| id);
                    let told = json!({ "filename": file.name, "name": file.name, "type": file.content_type, "content-id": id });
                    (file.field.clone(), told)
                })
                .collect();
            request = request.set("attachments", files.len().to_string().as_bytes());
            request = request.set("attachment-info", json!(info).to_string().as_bytes());
            request = request.set("content-ids", json!(ids).to_string().as_bytes());
        }
        request.form.files = files;
        request
    }

    pub(crate) fn set(mut self, name: &str, value: &[u8]) -> Self {
        self.form = self.form.set(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.form = self.form.without(name);
        self
    }

    pub(crate) fn proof(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }

    pub(crate) fn request(&self) -> Request<Bytes> {
        self.proven(self.form.request())
    }

    /// Any request with this one's proof.
    pub(crate) fn proven(&self, mut request: Request<Bytes>) -> Request<Bytes> {
        match &self.proof {
            Proof::Nothing => {}
            Proof::Login(login) => {
                let value = format!("Basic {}", BASE64_STANDARD.encode(login));
                request.headers_mut().insert(header::AUTHORIZATION, value.parse().unwrap());
            }
            Proof::Signed(at) => {
                let timestamp = at.as_second().to_string();
                let signature = sign(&[timestamp.as_bytes(), request.body()].concat());
                request.headers_mut().insert(TIMESTAMP, timestamp.parse().unwrap());
                request.headers_mut().insert(SIGNATURE, signature.parse().unwrap());
            }
        }
        request
    }

    /// The requests of somebody who is not SendGrid, each with what is wrong.
    pub(crate) fn forgeries(&self) -> Vec<(&'static str, Request<Bytes>)> {
        let with = |name: &'static str, value: &str| {
            let mut request = self.request();
            request.headers_mut().insert(name, value.parse().unwrap());
            request
        };
        let without = |name: &'static str| {
            let mut request = self.request();
            request.headers_mut().remove(name);
            request
        };
        let mut another = self.request();
        *another.body_mut() = self.form.clone().set("subject", b"another").request().into_body();
        let login = |login: &str| self.clone().proof(Proof::Login(login.to_owned())).request();
        let day = now() - SignedDuration::from_hours(25);
        vec![
            ("another body", another),
            ("another timestamp", with(TIMESTAMP, "1793610001")),
            ("another signature", with(SIGNATURE, &sign(b"something else"))),
            ("no Base64", with(SIGNATURE, "!!!")),
            ("an empty signature", with(SIGNATURE, "")),
            ("stale", self.clone().proof(Proof::Signed(day)).request()),
            ("no signature", without(SIGNATURE)),
            ("no timestamp", without(TIMESTAMP)),
            ("another password", login("postern:wrong")),
            ("blank", login("")),
            ("no credentials", self.clone().proof(Proof::Nothing).request()),
        ]
    }
}

/// Base64 of the DER of a signature, as Twilio sends it.
fn sign(octets: &[u8]) -> String {
    let random = SystemRandom::new();
    let key = BASE64_STANDARD.decode(PRIVATE).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key, &random).unwrap();
    BASE64_STANDARD.encode(key.sign(&random, octets).unwrap())
}
