//! Postmark inbound streams: JSON, with `RawEmail` or without (`parsed.rs`).
//!
//! Contract (Postmark developer documentation, "Inbound webhook", "Webhooks overview"; support article on retries):
//! - No signature: `https://user:password@host/inbound/postmark`, HTTP basic authentication over HTTPS. It stands
//!   outside the body and is judged first.
//! - `RawEmail` is there where "Include raw email content in JSON payload" is on. It is a JSON string, so 8-bit mail
//!   that is not UTF-8 arrives as Postmark decoded it.
//! - `MessageID` is Postmark's own UUID, the event id. `OriginalRecipient` is RCPT TO. `Headers[0]` is a prepended
//!   Return-Path (MAIL FROM); a Return-Path anywhere else is the sender's word. `MailboxHash` is the plus tag.
//! - 200 = done; **403 = never again**; anything else = again, ten times within about ten hours.
//! - A `RecordType` other than `Inbound` is a tracking webhook: 200, told in words.
//! - `X-Spam-Status` is added by Postmark's SpamAssassin: counts where the operator says so, and only if it occurs once.

mod parsed;

pub(crate) use self::parsed::mailbox;

use bytes::Bytes;
use serde_json::Value;

use super::{
    Accepted, Context, Rejected, Request,
    basic::{Login, login},
    rebuild::rebuild,
    reencoded,
};
use crate::{
    address::AddrSpec,
    envelope::{Envelope, ReversePath},
    headers,
    inbound::{InboundMessage, Origin, Verdict, Verdicts},
};

pub(super) fn accept(request: &Request, context: &Context<'_>) -> Result<Accepted, Rejected> {
    if !request.vouched {
        authenticate(request, context)?;
    }
    let unreadable = |slug, why: &str, event_id: Option<String>| Rejected::Unreadable {
        why: why.to_owned(),
        slug,
        ingress: Box::new(context.ingress(event_id, context.now)),
        guard: None,
    };
    let payload: Value = serde_json::from_slice(&request.body).map_err(|_| {
        let why = reencoded::json_in_disguise(request);
        unreadable("not-json", why.unwrap_or("the body is not JSON: is this Postmark's inbound webhook?"), None)
    })?;
    let event_id = text(&payload, "MessageID").map(str::to_owned);
    match text(&payload, "RecordType") {
        None | Some("Inbound") => {}
        Some(other) => {
            let kind: String = other.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
            return Err(Rejected::OtherWebhook(format!(
                "this is Postmark's {kind} webhook; inbound mail comes from the inbound stream's webhook"
            )));
        }
    }
    let raw = payload.get("RawEmail").filter(|raw| !raw.is_null());
    let (raw, origin) = match raw.and_then(Value::as_str).filter(|raw| !raw.is_empty()) {
        Some(raw) => (Bytes::copy_from_slice(raw.as_bytes()), Origin::Received),
        None => {
            let parsed = parsed::of(&payload);
            if parsed.is_empty() {
                let why =
                    "there is no mail in this JSON: neither RawEmail nor the fields of Postmark's inbound webhook";
                return Err(unreadable("no-mail-in-json", why, event_id));
            }
            (rebuild(&parsed), Origin::Rebuilt)
        }
    };
    Ok(Accepted::Message(Box::new(InboundMessage {
        verdicts: if context.door.spam_fields { verdicts(&raw) } else { Verdicts::default() },
        payload: (origin == Origin::Rebuilt).then(|| request.body.clone()),
        raw,
        origin,
        envelope: envelope(&payload),
        ingress: context.ingress(event_id, context.now),
        mailbox: request.mailbox.clone(),
        replay_guard: None,
        fetch: None,
    })))
}

fn text<'a>(payload: &'a Value, name: &str) -> Option<&'a str> {
    payload.get(name).and_then(Value::as_str)
}

fn authenticate(request: &Request, context: &Context<'_>) -> Result<(), Rejected> {
    context.live("credentials", &context.secrets.credentials)?;
    let why = match login(request, &context.secrets.credentials) {
        Login::Known => return Ok(()),
        Login::Wrong => format!("user or password do not match {}", context.secret("credentials")),
        Login::Missing => {
            let door = &context.door.id;
            format!("credentials are missing: the webhook URL must be https://user:password@host/inbound/{door}")
        }
    };
    Err(Rejected::Unauthorized(why))
}

fn envelope(payload: &Value) -> Envelope {
    let field = |name: &str| payload.pointer("/Headers/0").and_then(|field| text(field, name));
    let reverse_path = match (field("Name"), field("Value")) {
        (Some(name), Some(value)) if name.eq_ignore_ascii_case("return-path") => ReversePath::parse(value),
        _ => ReversePath::Unknown,
    };
    Envelope { reverse_path, forward_paths: forward_paths(payload), from_header: false }
}

/// RCPT TO, else whom the mail reached without naming him. Where an address lost its plus tag on the way (a forwarder,
/// an alias), the one with it stands beside it: replies are known by it.
fn forward_paths(payload: &Value) -> Vec<AddrSpec> {
    let original = text(payload, "OriginalRecipient").and_then(AddrSpec::parse);
    let mut paths: Vec<AddrSpec> = match original {
        Some(address) => vec![address],
        None => parsed::people(payload, "BccFull").filter_map(|(_, email)| AddrSpec::parse(email)).collect(),
    };
    let hash = text(payload, "MailboxHash").map(str::trim).filter(|hash| !hash.is_empty());
    if let (Some(hash), [only]) = (hash, paths.as_slice())
        && !only.local_part().contains('+')
    {
        paths.extend(AddrSpec::parse(&format!("{}+{hash}@{}", only.local_part(), only.domain())));
    }
    paths
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
