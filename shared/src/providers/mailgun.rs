//! Mailgun routes, `forward("https://…/inbound/mailgun/mime")`: the raw form.
//!
//! Contract (Mailgun user manual, "Parsed Messages Parameters", "Securing Webhooks"; routes documentation, retries):
//! - URL ends in `mime`: fields `recipient` (RCPT TO, one POST each), `sender` (MAIL FROM), `from`, `subject`,
//!   `body-mime` (the message), `timestamp`, `token` (50 characters), `signature`. `multipart/form-data` or
//!   `application/x-www-form-urlencoded`, at Mailgun's choice: both are read.
//! - `signature` = hex HMAC-SHA256 over timestamp ++ token under the *HTTP webhook signing key* (not the API key).
//!   **The body is not signed**: so a token is used once, bound to a digest of the other fields (DESIGN section 6).
//! - Whether retries are signed anew is not documented: the window is 24 hours on both sides, longer than the
//!   eight hours of retries; a tight window loses mail.
//! - 200 = done, 406 = never again, anything else = again after 10, 15, 30 min, 1, 2, 4 h.
//! - `X-Mailgun-Sflag`, `-Spf`, `-Dkim-Check-Result` stand inside the message, and only where the domain's spam filter
//!   marks with headers: they count where the operator says so, and only if they occur once.

use jiff::{SignedDuration, Timestamp};

use super::{
    Accepted, Context, Rejected, Request,
    form::{Form, FormError},
};
use crate::{
    address::AddrSpec,
    digest::{sha256_hex, sha256_parts},
    envelope::{Envelope, ReversePath},
    headers,
    inbound::{InboundMessage, Ingress, Origin, ReplayGuard, Verdict, Verdicts},
    secrets::live,
    signature::hmac_sha256_hex,
};

/// How far the timestamp may be from our clock, either side.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// Fields that are not part of the body digest: they differ when the same mail is signed anew.
const SIGNATURE_FIELDS: [&str; 3] = ["timestamp", "token", "signature"];

pub(super) async fn accept(request: &Request, context: &Context<'_>) -> Result<Accepted, Rejected> {
    let keys = live(&context.secrets.signing_keys);
    if keys.is_empty() {
        return Err(Rejected::NotConfigured(context.secret("signing_keys")));
    }
    let form = match Form::read(request.content_type(), &request.body).await {
        Ok(form) => form,
        Err(FormError::ContentType) => return Err(not_a_form(request, &keys, context.now)),
        Err(FormError::Unreadable | FormError::TooMany) => {
            return Err(Rejected::Malformed("the form does not read: a proxy may have re-encoded the body".to_owned()));
        }
    };
    let signed = Signed::of(&form)?;
    let time = signed.verify(&keys, context.now)?;
    let guard = Some(signed.guard(&form));
    // The token names the event; it is not kept readable, because whoever reads it could still use it.
    let ingress = context.ingress(Some(sha256_hex(signed.token.as_bytes())), time);
    let Some(raw) = form.once("body-mime").filter(|raw| !raw.is_empty()) else {
        return Err(no_message(&form, ingress, guard));
    };
    let recipients = form.text("recipient").unwrap_or_default().split(',').filter_map(AddrSpec::parse);
    let envelope = Envelope {
        reverse_path: form.text("sender").map_or(ReversePath::Unknown, ReversePath::parse),
        forward_paths: recipients.collect(),
        from_header: false,
    };
    Ok(Accepted::Message(Box::new(InboundMessage {
        verdicts: if context.door.spam_fields { verdicts(raw) } else { Verdicts::default() },
        raw: raw.clone(),
        origin: Origin::Received,
        envelope,
        ingress,
        mailbox: request.mailbox.clone(),
        replay_guard: guard,
        payload: None,
        fetch: None,
    })))
}

struct Signed<'a> {
    timestamp: &'a str,
    token: &'a str,
    signature: &'a str,
}

impl<'a> Signed<'a> {
    /// The three fields, each there once and text.
    fn of(form: &'a Form) -> Result<Self, Rejected> {
        for name in SIGNATURE_FIELDS {
            if form.has(name) && form.text(name).is_none() {
                return Err(Rejected::Malformed(format!("field {name} must occur once and be text")));
            }
        }
        let field = |name: &'static str| {
            let missing = || Rejected::Unauthorized(format!("field {name} is missing: the request is not signed"));
            form.text(name).filter(|text| !text.is_empty()).ok_or_else(missing)
        };
        Ok(Self { timestamp: field("timestamp")?, token: field("token")?, signature: field("signature")? })
    }

    /// The time of the delivery, once the signature holds.
    fn verify(&self, keys: &[&String], now: Timestamp) -> Result<Timestamp, Rejected> {
        let parts: [&[u8]; 2] = [self.timestamp.as_bytes(), self.token.as_bytes()];
        if !keys.iter().any(|key| hmac_sha256_hex(key, &parts, self.signature)) {
            let why =
                "the signature does not match: is mailgun.signing_keys the HTTP webhook signing key, not the API key?";
            return Err(Rejected::Unauthorized(why.to_owned()));
        }
        let seconds = self.timestamp.trim().parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let unreadable = || Rejected::Unauthorized("the timestamp is not a number of seconds".to_owned());
        let time = seconds.ok_or_else(unreadable)?;
        if now.duration_since(time).abs() > WINDOW {
            return Err(Rejected::Unauthorized("the timestamp is more than 24 hours from our clock".to_owned()));
        }
        Ok(time)
    }

    fn guard(&self, form: &Form) -> ReplayGuard {
        let mut fields: Vec<(&str, &[u8])> =
            form.iter().filter(|(n, _)| !SIGNATURE_FIELDS.contains(n)).map(|(n, v)| (n, v.as_ref())).collect();
        fields.sort_unstable();
        let parts: Vec<&[u8]> = fields.iter().flat_map(|(name, value)| [name.as_bytes(), *value]).collect();
        ReplayGuard {
            token_sha256: sha256_parts(&[b"mailgun", self.token.as_bytes()]),
            body_digest: sha256_parts(&parts),
        }
    }
}

/// JSON with `signature` and `event-data` is a tracking webhook; anything else has no place for a signature.
fn not_a_form(request: &Request, keys: &[&String], now: Timestamp) -> Rejected {
    let json: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let text = |name: &str| json.pointer(&format!("/signature/{name}")).and_then(|v| v.as_str());
    let (Some(timestamp), Some(token), Some(signature)) = (text("timestamp"), text("token"), text("signature")) else {
        return Rejected::Malformed("a route's POST is multipart/form-data or x-www-form-urlencoded".to_owned());
    };
    match (Signed { timestamp, token, signature }).verify(keys, now) {
        Err(rejected) => rejected,
        Ok(_) => Rejected::OtherWebhook(
            "this is an event (tracking) webhook; inbound mail comes by a route: \
             Receiving > Routes > forward(\"https://…/inbound/mailgun/mime\")"
                .to_owned(),
        ),
    }
}

fn no_message(form: &Form, ingress: Ingress, guard: Option<ReplayGuard>) -> Rejected {
    let why = if form.has("message-url") || form.has("attachments") {
        "this is the payload of store(); use forward(\"https://…/inbound/mailgun/mime\")"
    } else if form.has("event") {
        "this is an event (tracking) webhook; point a route's forward() here"
    } else {
        "field body-mime is missing: the route's URL must end in /mime"
    };
    Rejected::Unreadable { why: why.to_owned(), slug: "no-body-mime", ingress: Box::new(ingress), guard }
}

fn verdicts(raw: &[u8]) -> Verdicts {
    let headers = headers::scan(raw);
    let once = |name: &str| {
        let mut values = headers.all(name);
        values.next().filter(|_| values.next().is_none()).and_then(Verdict::parse)
    };
    let mut flags = headers.all("x-mailgun-sflag");
    let flagged = flags.next().filter(|_| flags.next().is_none());
    let spam = flagged.map(|flag| if flag.trim().eq_ignore_ascii_case("yes") { Verdict::Fail } else { Verdict::Pass });
    Verdicts {
        spf: once("x-mailgun-spf"),
        dkim: once("x-mailgun-dkim-check-result"),
        dmarc: None,
        spam,
        virus: None,
        asserted_by: Some("mailgun".to_owned()),
        ..Verdicts::default()
    }
}
