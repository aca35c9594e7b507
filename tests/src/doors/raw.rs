//! Mail as a relay posts it.

use base64::Engine as _;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Request};
use jiff::Timestamp;
use postern::secrets::SecretSource;
use postern_webhook::App;
use serde_json::json;
use sha2::Sha256;

use super::{RECIPIENT, SENDER, door_with, post};
use crate::{
    harness::wire::Wire,
    world::{World, now},
};

/// The relay's HMAC key.
pub(crate) const RAW_KEY: &str = "hmac-key-Rowan";
/// The key of a relay that cannot sign.
pub(crate) const RAW_BEARER: &str = "bearer-key-Yew";

/// The door's section of the operator's secret.
pub(crate) fn raw_operator(hmac_keys: &[&str], bearer_keys: &[&str]) -> String {
    json!({ "raw": { "hmac_keys": hmac_keys, "bearer_keys": bearer_keys } }).to_string()
}

/// The door of a world, with both keys.
pub(crate) fn raw_door(world: &World) -> App {
    door_with(world.over(&Wire::new()), SecretSource::Text(raw_operator(&[RAW_KEY], &[RAW_BEARER])))
}

/// One mail.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) path: String,
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Raw {
    /// Envelope and mail, not signed.
    pub(crate) fn unsigned(event_id: &str, mime: &[u8]) -> Self {
        let raw = Self { path: "/inbound/raw".to_owned(), fields: Vec::new(), body: mime.to_vec() };
        let raw = raw.set("content-type", "message/rfc822").set("x-postern-mail-from", SENDER);
        raw.set("x-postern-rcpt-to", RECIPIENT).set("x-postern-event-id", event_id)
    }

    /// The same, well signed.
    pub(crate) fn mail(event_id: &str, mime: &[u8]) -> Self {
        Self::unsigned(event_id, mime).signed(RAW_KEY, now())
    }

    /// Sets a field; the signature stays.
    pub(crate) fn set(mut self, name: &'static str, value: &str) -> Self {
        self.fields.retain(|(n, _)| *n != name);
        self.fields.push((name, value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(n, _)| *n != name);
        self
    }

    /// Another path; the signature stays.
    pub(crate) fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Signed as it stands. The mailbox is what the path names behind the door.
    pub(crate) fn signed(self, key: &str, at: Timestamp) -> Self {
        let field = |name: &str| self.fields.iter().find(|(n, _)| *n == name).map_or("", |(_, value)| value.as_str());
        let mailbox = self.path.strip_prefix("/inbound/raw/").unwrap_or_default();
        let timestamp = at.as_second().to_string();
        let mut hmac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        for line in [&timestamp, mailbox, field("x-postern-mail-from"), field("x-postern-rcpt-to")] {
            hmac.update(format!("{line}\n").as_bytes());
        }
        for line in [field("x-postern-event-id"), field("x-postern-received-at")] {
            hmac.update(format!("{line}\n").as_bytes());
        }
        hmac.update(&self.body);
        let hex: String = hmac.finalize().into_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
        self.set("x-postern-timestamp", &timestamp).set("x-postern-signature", &format!("sha256={hex}"))
    }

    /// With a key instead of a signature.
    pub(crate) fn bearer(self, key: &str) -> Self {
        let unsigned = self.without("x-postern-signature").without("x-postern-timestamp");
        unsigned.set("authorization", &format!("Bearer {key}"))
    }

    pub(crate) fn request(&self) -> Request<Bytes> {
        let mut request = post(&self.path, "message/rfc822", self.body.clone());
        for (name, value) in &self.fields {
            request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        request
    }

    /// The requests of somebody who is not the relay, each with what is wrong.
    pub(crate) fn forgeries(mime: &[u8]) -> Vec<(&'static str, Request<Bytes>)> {
        let good = Self::mail("forged", mime);
        let unsigned = Self::unsigned("forged", mime);
        let basic = base64::prelude::BASE64_STANDARD.encode(format!("postern:{RAW_BEARER}"));
        let set = |name, value: &str| good.clone().set(name, value).request();
        vec![
            ("another key", good.clone().signed("hmac-key-Alder", now()).request()),
            ("a blank key", good.clone().signed("", now()).request()),
            ("the bearer key", good.clone().signed(RAW_BEARER, now()).request()),
            ("another body", Self { body: b"From: x@people.example\r\n\r\nx".to_vec(), ..good.clone() }.request()),
            ("another recipient", set("x-postern-rcpt-to", "other@us.example")),
            ("another sender", set("x-postern-mail-from", "other@people.example")),
            ("another mailbox", good.clone().path("/inbound/raw/support").request()),
            ("another event", set("x-postern-event-id", "x")),
            ("another time of receipt", set("x-postern-received-at", "2026-11-02T08:00:00Z")),
            ("no recipient", good.clone().without("x-postern-rcpt-to").request()),
            ("another timestamp", set("x-postern-timestamp", "1793610001")),
            ("no timestamp", good.clone().without("x-postern-timestamp").request()),
            ("no hex", set("x-postern-signature", "sha256=zz")),
            ("half a signature", set("x-postern-signature", "sha256=5bdcc146bf60754e")),
            ("no algorithm", set("x-postern-signature", &"0".repeat(64))),
            ("no proof", unsigned.request()),
            ("another bearer key", unsigned.clone().bearer("bearer-key-Fir").request()),
            ("the HMAC key as bearer key", unsigned.clone().bearer(RAW_KEY).request()),
            ("a blank bearer key", unsigned.clone().bearer("").request()),
            ("another scheme", unsigned.set("authorization", &format!("Basic {basic}")).request()),
        ]
    }
}
