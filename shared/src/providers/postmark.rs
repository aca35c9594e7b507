//! Postmark inbound streams: JSON with `RawEmail`.
//!
//! Contract (Postmark developer documentation, "Inbound webhook", "Webhooks overview"; support article on retries):
//! - No signature: `https://user:password@host/inbound/postmark`, HTTP basic authentication over HTTPS. It stands
//!   outside the body and is judged first.
//! - `RawEmail` is there where "Include raw email content in JSON payload" is on. It is a JSON string, so 8-bit mail
//!   that is not UTF-8 arrives as Postmark decoded it.
//! - `MessageID` is Postmark's own UUID, the event id, never an RFC 5322 id. `OriginalRecipient` is RCPT TO.
//!   `Headers[0]` is a prepended Return-Path (MAIL FROM); a Return-Path anywhere else is the sender's word.
//! - 200 = done; **403 = never again**; anything else = again, ten times within about ten hours.
//! - A `RecordType` other than `Inbound` is a tracking webhook: 200, told in words.
//! - `X-Spam-Status` is added by Postmark's SpamAssassin: counts where the operator says so, and only if it occurs once.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::Value;

use super::{Accepted, Context, Rejected, Request};
use crate::{
    address::AddrSpec,
    envelope::{Envelope, ReversePath},
    headers,
    inbound::{InboundMessage, Origin, Verdict, Verdicts},
    secrets::live,
    signature::one_of,
};

pub(super) fn accept(request: &Request, context: &Context<'_>) -> Result<Accepted, Rejected> {
    if live(&context.secrets.credentials).is_empty() {
        return Err(Rejected::NotConfigured(context.secret("credentials")));
    }
    authenticate(request, &context.secrets.credentials)?;
    let unreadable = |slug, why: &str, event_id: Option<&str>| Rejected::Unreadable {
        why: why.to_owned(),
        slug,
        ingress: Box::new(context.ingress(event_id.map(str::to_owned), context.now)),
        guard: None,
    };
    let payload: Value = serde_json::from_slice(&request.body)
        .map_err(|_| unreadable("not-json", "the body is not JSON: is this Postmark's inbound webhook?", None))?;
    let event_id = payload.get("MessageID").and_then(Value::as_str);
    match payload.get("RecordType").and_then(Value::as_str) {
        None | Some("Inbound") => {}
        Some(other) => {
            let kind: String = other.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
            return Err(Rejected::OtherWebhook(format!(
                "this is Postmark's {kind} webhook; inbound mail comes from the inbound stream's webhook"
            )));
        }
    }
    let raw = match payload.get("RawEmail") {
        Some(Value::String(raw)) if !raw.is_empty() => Bytes::copy_from_slice(raw.as_bytes()),
        Some(Value::String(_)) | None => {
            let why = "RawEmail is missing: turn on \"Include raw email content in JSON payload\"";
            return Err(unreadable("no-raw-email", why, event_id));
        }
        Some(_) => return Err(unreadable("raw-email-not-text", "RawEmail is not a string", event_id)),
    };
    Ok(Accepted::Message(Box::new(InboundMessage {
        verdicts: if context.door.spam_fields { verdicts(&raw) } else { Verdicts::default() },
        raw,
        origin: Origin::Received,
        envelope: envelope(&payload),
        ingress: context.ingress(event_id.map(str::to_owned), context.now),
        mailbox: request.mailbox.clone(),
        replay_guard: None,
        payload: None,
        fetch: None,
    })))
}

fn authenticate(request: &Request, credentials: &[String]) -> Result<(), Rejected> {
    let missing = || {
        let why = "credentials are missing: the webhook URL must be https://user:password@host/inbound/postmark";
        Rejected::Unauthorized(why.to_owned())
    };
    let header = request.header("authorization").ok_or_else(missing)?;
    let (scheme, encoded) = header.trim().split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(missing());
    }
    let presented = BASE64_STANDARD.decode(encoded.trim()).map_err(|_| missing())?;
    if one_of(&presented, credentials) {
        Ok(())
    } else {
        Err(Rejected::Unauthorized("user or password do not match postmark.credentials".to_owned()))
    }
}

fn envelope(payload: &Value) -> Envelope {
    let recipient = payload.get("OriginalRecipient").and_then(Value::as_str);
    let first = payload.pointer("/Headers/0");
    let field = |name: &str| first.and_then(|field| field.get(name)).and_then(Value::as_str);
    let reverse_path = match (field("Name"), field("Value")) {
        (Some(name), Some(value)) if name.eq_ignore_ascii_case("return-path") => ReversePath::parse(value),
        _ => ReversePath::Unknown,
    };
    Envelope {
        reverse_path,
        forward_paths: recipient.and_then(AddrSpec::parse).into_iter().collect(),
        from_header: false,
    }
}

fn verdicts(raw: &[u8]) -> Verdicts {
    let headers = headers::scan(raw);
    let mut values = headers.all("x-spam-status");
    let status = values.next().filter(|_| values.next().is_none());
    let spam = status.map(|status| {
        let yes = status.trim().get(..3).is_some_and(|word| word.eq_ignore_ascii_case("yes"));
        if yes { Verdict::Fail } else { Verdict::Pass }
    });
    Verdicts { spam, asserted_by: Some("postmark".to_owned()), ..Verdicts::default() }
}
