//! The sample mails that an empty data directory receives, and requests as providers send them.

use anyhow::anyhow;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request, header};
use jiff::Timestamp;
use serde_json::json;
use sha2::Sha256;

use crate::local::DoorKeys;

/// A customer writes, answers, a second customer writes.
pub const SAMPLES: [&str; 3] = [
    include_str!("../samples/1-customer-writes.eml"),
    include_str!("../samples/2-customer-answers.eml"),
    include_str!("../samples/3-second-customer.eml"),
];
/// For the printed `curl` line of Mailgun.
pub const CURL_MAILGUN: &str = include_str!("../samples/curl-mailgun.eml");
/// For the printed `curl` line of Postmark.
pub const CURL_POSTMARK: &str = include_str!("../samples/curl-postmark.eml");
/// Recipient in the samples, replaced by the mailbox's own address.
const RECIPIENT: &str = "support@postern.test";

/// A sample written to `address`, lines ended as on the wire.
#[must_use]
pub fn to(sample: &str, address: &str) -> String {
    sample.replace("\r\n", "\n").replace(RECIPIENT, address).replace('\n', "\r\n")
}

/// The signature fields of one Mailgun request.
#[derive(Clone)]
pub struct MailgunSignature {
    /// Seconds since the epoch.
    pub timestamp: String,
    /// 50 characters, used once.
    pub token: String,
    /// Hex HMAC-SHA256.
    pub signature: String,
}

impl MailgunSignature {
    /// Signs as Mailgun does: timestamp ++ token.
    ///
    /// # Errors
    /// The key cannot be used.
    pub fn new(key: &str, now: Timestamp, token: &str) -> anyhow::Result<Self> {
        let timestamp = now.as_second().to_string();
        let mut hmac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(|e| anyhow!("signing key: {e}"))?;
        hmac.update(timestamp.as_bytes());
        hmac.update(token.as_bytes());
        let signature = hmac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        Ok(Self { timestamp, token: token.to_owned(), signature })
    }
}

/// A request as Mailgun's route makes it: raw form, multipart.
///
/// # Errors
/// The request does not build.
pub fn mailgun_request(
    signature: &MailgunSignature,
    recipient: &str,
    sender: &str,
    mime: &[u8],
) -> anyhow::Result<Request<Bytes>> {
    let boundary = "postern-sample-boundary";
    let mut body = Vec::new();
    let fields: [(&str, &[u8]); 6] = [
        ("recipient", recipient.as_bytes()),
        ("sender", sender.as_bytes()),
        ("timestamp", signature.timestamp.as_bytes()),
        ("token", signature.token.as_bytes()),
        ("signature", signature.signature.as_bytes()),
        ("body-mime", mime),
    ];
    for (name, value) in fields {
        body.extend_from_slice(
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let content_type = format!("multipart/form-data; boundary={boundary}");
    let request = Request::builder().method(Method::POST).uri("/inbound/mailgun/mime");
    Ok(request.header(header::CONTENT_TYPE, content_type).body(body.into())?)
}

/// The JSON that Postmark posts, with the raw mail.
#[must_use]
pub fn postmark_payload(recipient: &str, sender: &str, event_id: &str, mime: &str) -> String {
    json!({
        "MessageStream": "inbound",
        "MessageID": event_id,
        "OriginalRecipient": recipient,
        "Headers": [{ "Name": "Return-Path", "Value": format!("<{sender}>") }],
        "RawEmail": mime,
    })
    .to_string()
}

/// A request as Postmark makes it.
///
/// # Errors
/// The request does not build.
pub fn postmark_request(keys: &DoorKeys, payload: String) -> anyhow::Result<Request<Bytes>> {
    let credentials = format!("Basic {}", BASE64_STANDARD.encode(&keys.postmark));
    let request = Request::builder().method(Method::POST).uri("/inbound/postmark");
    let request = request.header(header::CONTENT_TYPE, "application/json").header(header::AUTHORIZATION, credentials);
    Ok(request.body(payload.into())?)
}
