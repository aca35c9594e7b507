//! Mailgun routes: the raw form, the parsed form, and word of stored mail.
//!
//! Contract (Mailgun user manual, "Parsed Messages Parameters", "Securing Webhooks"; routes documentation, retries):
//! - `forward("https://…/inbound/mailgun/mime")`, the URL ends in `mime`: `body-mime` is the message. Any other URL: the
//!   parsed form (`parsed.rs`). `store(notify="https://…")`: the parsed form with `message-url`, to fetch it from
//!   (`stored.rs`).
//! - In all of them `recipient` (RCPT TO, one POST each), `sender` (MAIL FROM), `timestamp`, `token` (50 characters),
//!   `signature`. `multipart/form-data` where there are files, else `application/x-www-form-urlencoded`: both are read.
//! - `signature` = hex HMAC-SHA256 over timestamp ++ token under the *HTTP webhook signing key* (not the API key).
//!   **The body is not signed**: so a token is used once, bound to a digest of the other fields (DESIGN section 6).
//! - Whether retries are signed anew is not documented: the window is 24 hours on both sides, longer than the
//!   eight hours of retries; a tight window loses mail.
//! - 200 = done, 406 = never again, anything else = again after 10, 15, 30 min, 1, 2, 4 h.
//! - `X-Mailgun-Sflag`, `-Spf`, `-Dkim-Check-Result` stand inside the message, and only where the domain's spam filter
//!   marks with headers: they count where the operator says so, and only if they occur once.

mod parsed;
mod signed;
mod stored;

use bytes::Bytes;

use self::signed::{Proof, Signed};
pub use self::stored::is_storage_url;
use super::{
    Accepted, Context, Rejected, Request,
    form::{Form, FormError},
    rebuild::rebuild,
    reencoded,
};
use crate::{
    address::AddrSpec,
    envelope::{Envelope, ReversePath},
    headers,
    inbound::{InboundMessage, Origin, Verdict, Verdicts},
};

/// What a route does, for whoever pointed something else here.
const ROUTE: &str = "inbound mail comes by a route: Receiving > Routes > forward(\"https://…/inbound/mailgun/mime\")";

pub(super) async fn accept(request: &Request, context: &Context<'_>) -> Result<Accepted, Rejected> {
    let keys =
        if request.vouched { Vec::new() } else { context.live("signing_keys", &context.secrets.signing_keys)? };
    let form = match Form::read(request.content_type(), &request.body).await {
        Ok(form) => form,
        Err(FormError::ContentType) => return Err(not_a_form(request, &keys, context)),
        Err(FormError::Unreadable | FormError::TooMany) => return Err(unreadable_form(request)),
    };
    if let Some(why) = reencoded::form_in_disguise(request).filter(|_| !form.has("signature")) {
        return Err(Rejected::Malformed(why.to_owned()));
    }
    let proof = if request.vouched { Proof::vouched(&form, context) } else { Proof::of(&form, &keys, context)? };
    read(&form, request, context, proof)
}

/// What a form with that proof is.
fn read(form: &Form, request: &Request, context: &Context<'_>, proof: Proof) -> Result<Accepted, Rejected> {
    // With the parsed form Mailgun posts each field of the mail's header too: those are the sender's words, whatever they
    // are called. Both of these stand in every parsed form, and in no raw one.
    let taken_apart = form.has("message-headers") && form.has("body-plain");
    let listed = parsed::header_names(form);
    let own = |name: &str| form.has(name) && !listed.iter().any(|listed| listed == name);
    if let Some(raw) = form.once("body-mime").filter(|raw| !raw.is_empty() && !taken_apart) {
        let mail = message(form, request, context, proof);
        return Ok(Accepted::Message(Box::new(with_octets(mail, raw.clone(), context))));
    }
    let unreadable = |proof: Proof, slug, why: &str| {
        let ingress = Box::new(context.ingress(proof.event_id, proof.time));
        Err(Rejected::Unreadable { why: why.to_owned(), slug, ingress, guard: proof.guard })
    };
    if !taken_apart && form.all("body-mime").nth(1).is_some() {
        return unreadable(proof, "no-body-mime", "field body-mime occurs more than once");
    }
    if form.has("event") && !form.has("body-plain") && !form.has("body-html") {
        return Err(Rejected::OtherWebhook(format!("this is an event (tracking) webhook; {ROUTE}")));
    }
    if own("message-url") || own("attachments") {
        return match stored::fetch(form, proof.time) {
            Ok(fetch) => {
                let mail = message(form, request, context, proof);
                let payload = Some(request.body.clone());
                Ok(Accepted::Fetch(Box::new(InboundMessage { fetch: Some(fetch), payload, ..mail })))
            }
            Err((slug, why)) => unreadable(proof, slug, why),
        };
    }
    let parsed = parsed::of(form);
    if parsed.is_empty() {
        let why = "there is no mail in this form: neither body-mime nor the fields of a parsed mail";
        return unreadable(proof, "no-body-mime", why);
    }
    let mail = message(form, request, context, proof);
    let mail = with_octets(mail, rebuild(&parsed), context);
    let payload = Some(request.body.clone());
    Ok(Accepted::Message(Box::new(InboundMessage { origin: Origin::Rebuilt, payload, ..mail })))
}

/// Everything about a mail but its octets.
fn message(form: &Form, request: &Request, context: &Context<'_>, proof: Proof) -> InboundMessage {
    let recipients = form.text("recipient").unwrap_or_default().split(',').filter_map(AddrSpec::parse);
    InboundMessage {
        raw: Bytes::new(),
        origin: Origin::Received,
        envelope: Envelope {
            reverse_path: form.text("sender").map_or(ReversePath::Unknown, ReversePath::parse),
            forward_paths: recipients.collect(),
            from_header: false,
        },
        ingress: context.ingress(proof.event_id, proof.time),
        verdicts: Verdicts::default(),
        mailbox: request.mailbox.clone(),
        replay_guard: proof.guard,
        payload: None,
        fetch: None,
    }
}

fn with_octets(mail: InboundMessage, raw: Bytes, context: &Context<'_>) -> InboundMessage {
    let verdicts = if context.door.spam_fields { verdicts(&raw) } else { Verdicts::default() };
    InboundMessage { raw, verdicts, ..mail }
}

fn unreadable_form(request: &Request) -> Rejected {
    let why = reencoded::form_in_disguise(request);
    Rejected::Malformed(why.unwrap_or("the form does not read: a proxy may have re-encoded the body").to_owned())
}

/// JSON with `signature` and `event-data` is a tracking webhook; anything else has no place for a signature.
fn not_a_form(request: &Request, keys: &[&String], context: &Context<'_>) -> Rejected {
    let json: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let text = |name: &str| json.pointer(&format!("/signature/{name}")).and_then(|v| v.as_str());
    let (Some(timestamp), Some(token), Some(signature)) = (text("timestamp"), text("token"), text("signature")) else {
        let why = reencoded::form_in_disguise(request);
        let why = why.unwrap_or("a route's POST is multipart/form-data or x-www-form-urlencoded");
        return Rejected::Malformed(why.to_owned());
    };
    match (Signed { timestamp, token, signature }).verify(keys, context) {
        Err(rejected) if !request.vouched => rejected,
        _ => Rejected::OtherWebhook(format!("this is an event (tracking) webhook; {ROUTE}")),
    }
}

/// What Mailgun's fields inside a message say. To be asked only where the door says that Mailgun adds them.
pub(crate) fn verdicts(raw: &[u8]) -> Verdicts {
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
