//! Raw relay: a mail server or a worker of one's own posts RFC 5322 octets.
//!
//! Contract (ours; `docs/PROVIDERS.md`, "Raw relay", has it with examples):
//! - `POST /inbound/raw[/<mailbox>]`, body = the mail, `message/rfc822` or `application/octet-stream`. `text/plain` is
//!   taken too, but API Gateway reads it as UTF-8 and damages any other octets.
//! - `X-Postern-Mail-From`: MAIL FROM, `<>` = null, missing or blank = unknown. `X-Postern-Rcpt-To`: RCPT TO, several
//!   separated by commas or in several fields. Missing: the topmost Delivered-To (and Return-Path), marked as read there.
//! - `X-Postern-Event-Id`: the relay's id of this mail, the same on each try; it tells mails apart that have neither
//!   Message-ID nor Date. `X-Postern-Received-At`: RFC 3339; without it, our clock.
//! - Proof, one of: `Authorization: Bearer KEY`; or `X-Postern-Timestamp` (Unix seconds) with `X-Postern-Signature:
//!   sha256=HEX`, HMAC-SHA256 over timestamp, mailbox as named in the URL, Mail-From, Rcpt-To, Event-Id, Received-At,
//!   each followed by LF and empty where missing, then the body. All that decides what becomes of the mail is signed:
//!   else whoever gets hold of one request could send its body to another mailbox.
//! - The window is 15 minutes on both sides: a relay signs each try anew, so only clocks may differ. A copy within it
//!   does nothing twice: the same octets, the same ledger row.
//! - 200 = done; anything else = keep it and try again. A mail that this door refuses for its size comes back 413.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::{Accepted, Context, Rejected, Request};
use crate::{
    address::AddrSpec,
    envelope::{Envelope, ReversePath},
    headers,
    inbound::{InboundMessage, Origin, Verdicts},
    secrets::live,
    signature::{hmac_sha256_hex, one_of},
};

/// How far the timestamp may be from our clock, either side.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// Octets of an event id at most; a longer one is no queue's.
const EVENT_ID_MAX: usize = 256;

const MAIL_FROM: &str = "x-postern-mail-from";
const RCPT_TO: &str = "x-postern-rcpt-to";
const EVENT_ID: &str = "x-postern-event-id";
const RECEIVED_AT: &str = "x-postern-received-at";
const TIMESTAMP: &str = "x-postern-timestamp";
const SIGNATURE: &str = "x-postern-signature";

pub(super) fn accept(request: &Request, context: &Context<'_>) -> Result<Accepted, Rejected> {
    let fields = Fields::of(request)?;
    if !request.vouched {
        prove(request, &fields, context)?;
    }
    mail_expected(request.content_type())?;
    let ingress = context.ingress(fields.event_id(), fields.received_at(context.now));
    if request.body.is_empty() {
        let why = "the body is empty: the mail itself belongs there".to_owned();
        return Err(Rejected::Unreadable { why, slug: "no-octets", ingress: Box::new(ingress), guard: None });
    }
    Ok(Accepted::Message(Box::new(InboundMessage {
        envelope: fields.envelope(&request.body),
        raw: request.body.clone(),
        origin: Origin::Received,
        ingress,
        verdicts: Verdicts::default(),
        mailbox: request.mailbox.clone(),
        replay_guard: None,
        payload: None,
        fetch: None,
    })))
}

/// The envelope and its like as the header says them: without white space around, empty where missing.
struct Fields {
    mail_from: String,
    /// Each without white space around.
    rcpt_to: Vec<String>,
    event_id: String,
    received_at: String,
}

impl Fields {
    fn of(request: &Request) -> Result<Self, Rejected> {
        let once = |name: &str| {
            let mut values = all(request, name)?;
            match (values.pop(), values.is_empty()) {
                (value, true) => Ok(value.unwrap_or_default()),
                (_, false) => Err(Rejected::Malformed(format!("{name} must occur once"))),
            }
        };
        Ok(Self {
            mail_from: once(MAIL_FROM)?,
            rcpt_to: all(request, RCPT_TO)?.iter().flat_map(|field| addresses(field)).collect(),
            event_id: once(EVENT_ID)?,
            received_at: once(RECEIVED_AT)?,
        })
    }

    fn event_id(&self) -> Option<String> {
        Some(self.event_id.clone()).filter(|id| !id.is_empty() && id.len() <= EVENT_ID_MAX)
    }

    /// What lies ahead of our clock is the fault of another one.
    fn received_at(&self, now: Timestamp) -> Timestamp {
        self.received_at.parse().map_or(now, |at: Timestamp| at.min(now))
    }

    fn signed_head(&self, timestamp: &str, mailbox: &str) -> String {
        let Self { mail_from, rcpt_to, event_id, received_at } = self;
        let rcpt_to = rcpt_to.join(",");
        format!("{timestamp}\n{mailbox}\n{mail_from}\n{rcpt_to}\n{event_id}\n{received_at}\n")
    }

    fn envelope(&self, raw: &Bytes) -> Envelope {
        let given = Some(self.mail_from.as_str()).filter(|path| !path.is_empty()).map(ReversePath::parse);
        let forward_paths: Vec<AddrSpec> = self.rcpt_to.iter().filter_map(|text| AddrSpec::parse(text)).collect();
        if !forward_paths.is_empty() {
            return Envelope { reverse_path: given.unwrap_or_default(), forward_paths, from_header: false };
        }
        let headers = headers::scan(raw);
        let forward_paths = headers.delivered_to.first().cloned().into_iter().collect();
        Envelope { reverse_path: given.unwrap_or(headers.return_path), forward_paths, from_header: true }
    }
}

/// All fields of that name, without white space around.
fn all(request: &Request, name: &str) -> Result<Vec<String>, Rejected> {
    let values = request.headers.get_all(name).iter();
    let text = |value: &http::HeaderValue| std::str::from_utf8(value.as_bytes()).map(|text| text.trim().to_owned());
    let texts: Result<Vec<String>, _> = values.map(text).collect();
    texts.map_err(|_| Rejected::Malformed(format!("{name} is not UTF-8")))
}

/// Splits at commas outside of quotes (RFC 5321 section 4.1.2, Quoted-string).
fn addresses(field: &str) -> Vec<String> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = field.split(|c: char| {
        let separates = c == ',' && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && quoted && !escaped;
        separates
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn prove(request: &Request, fields: &Fields, context: &Context<'_>) -> Result<(), Rejected> {
    let (hmac_keys, bearer_keys) = (live(&context.secrets.hmac_keys), &context.secrets.bearer_keys);
    if hmac_keys.is_empty() && live(bearer_keys).is_empty() {
        let names = format!("{} or {}", context.secret("hmac_keys"), context.secret("bearer_keys"));
        return Err(Rejected::NotConfigured(names));
    }
    let refused = |why: &str| Err(Rejected::Unauthorized(why.to_owned()));
    if let Some(signature) = request.header(SIGNATURE) {
        let Some(timestamp) = request.header(TIMESTAMP).map(str::trim) else {
            return refused("X-Postern-Timestamp is missing: it belongs to the signature");
        };
        let hex = signature.trim().strip_prefix("sha256=").unwrap_or_default();
        let signed = |mailbox: &str| {
            let head = fields.signed_head(timestamp, mailbox);
            hmac_keys.iter().any(|key| hmac_sha256_hex(key, &[head.as_bytes(), &request.body], hex))
        };
        if !mailboxes(request, context).into_iter().any(signed) {
            let names = context.secret("hmac_keys");
            return refused(&format!("the signature does not match {names}: was the body or a field changed?"));
        }
        let time = timestamp.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        if time.is_none_or(|time| context.now.duration_since(time).abs() > WINDOW) {
            return refused(
                "the timestamp is more than 15 minutes from our clock: sign each try anew, and set the clock",
            );
        }
        return Ok(());
    }
    let Some((scheme, key)) = request.header("authorization").and_then(|value| value.trim().split_once(' ')) else {
        return refused("the request is not signed (X-Postern-Signature), and there is no Authorization: Bearer");
    };
    if scheme.eq_ignore_ascii_case("bearer") && one_of(key.trim().as_bytes(), bearer_keys) {
        return Ok(());
    }
    refused(&format!("Authorization is not Bearer with one of {}", context.secret("bearer_keys")))
}

/// The mailbox that the URL may have named: where it is the door's own, the URL may as well have named none.
fn mailboxes<'a>(request: &'a Request, context: &Context<'_>) -> Vec<&'a str> {
    let Some(mailbox) = &request.mailbox else { return vec![""] };
    if context.door.mailbox.as_ref() == Some(mailbox) { vec![mailbox.as_str(), ""] } else { vec![mailbox.as_str()] }
}

/// Refuses what is a form or JSON, in words: somebody else's webhook points here. The relay keeps its mail.
fn mail_expected(content_type: &str) -> Result<(), Rejected> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "" | "message/rfc822" | "message/global" | "application/octet-stream" | "text/plain" => Ok(()),
        _ => {
            let why = "the body must be the mail itself: Content-Type message/rfc822 or application/octet-stream; \
                       forms and JSON of a provider go to /inbound/<provider>";
            Err(Rejected::Malformed(why.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests;
