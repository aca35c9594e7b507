//! SendGrid Inbound Parse: the raw form and the parsed one (`parsed.rs`).
//!
//! Contract (Twilio SendGrid documentation, "Setting up the Inbound Parse Webhook", "Securing your Parse Webhooks"):
//! - `multipart/form-data`. With "POST the raw, full MIME message" the message is the field `email`. Besides, in both
//!   forms: `envelope` (JSON `{"to": [...], "from": "..."}`), `charsets` (JSON, one for each field), `SPF`, `dkim`, and
//!   with spam check on `spam_score`, `spam_report`.
//! - Proof: a security policy with `signature` signs each request, `X-Twilio-Email-Event-Webhook-Signature` = Base64 of
//!   the DER of ECDSA over P-256 with SHA-256 of `X-Twilio-Email-Event-Webhook-Timestamp` ++ the body as it is sent; or
//!   `https://user:password@host/…`. Either is enough; both stand outside the body and are judged first.
//! - There is no id of the event: the mail's own id, or its octets, tell that it came before.
//! - 2xx = done, 5xx = again for three days, then it is dropped **without a word**; a 4xx may end it at once, so what
//!   might be our own fault is 503. Redirects are not followed.
//! - SPF, dkim and spam fields are SendGrid's own and not the sender's; they count where the operator says so.

mod parsed;
mod proof;

use bytes::Bytes;
use serde_json::Value;

use super::{
    Accepted, Context, Rejected, Request,
    form::{Form, FormError},
    rebuild::rebuild,
    reencoded,
};
use crate::{
    address::AddrSpec,
    envelope::{Envelope, ReversePath},
    inbound::{InboundMessage, Ingress, Origin, Verdict, Verdicts},
};

/// SpamAssassin's own threshold (`required_score`), which SendGrid does not send.
const SPAM_SCORE: f64 = 5.0;

pub(super) async fn accept(request: &Request, context: &Context<'_>) -> Result<Accepted, Rejected> {
    let time = if request.vouched { context.now } else { proof::of(request, context)? };
    let unreadable = |slug, why: &str| Rejected::Unreadable {
        why: why.to_owned(),
        slug,
        ingress: Box::new(context.ingress(None, time)),
        guard: None,
    };
    let form = match Form::read(request.content_type(), &request.body).await {
        Ok(form) => form,
        Err(FormError::ContentType) if is_event(&request.body) => {
            let why = "this is SendGrid's event webhook; inbound mail comes by Settings > Inbound Parse";
            return Err(Rejected::OtherWebhook(why.to_owned()));
        }
        Err(_) => {
            let why = reencoded::form_in_disguise(request);
            let why = why.unwrap_or("the body is not the form of SendGrid's Inbound Parse");
            return Err(unreadable("not-a-form", why));
        }
    };
    let raw = form.once("email").filter(|raw| !raw.is_empty());
    let (raw, origin) = match raw {
        Some(raw) => (raw.clone(), Origin::Received),
        None => {
            let parsed = parsed::of(&form);
            if parsed.is_empty() {
                let why = reencoded::form_in_disguise(request);
                let why = why.unwrap_or("there is no mail in this form: neither email nor the fields of a parsed mail");
                return Err(unreadable("no-mail-in-form", why));
            }
            (rebuild(&parsed), Origin::Rebuilt)
        }
    };
    Ok(Accepted::Message(Box::new(message(&form, raw, origin, request, context.ingress(None, time), context))))
}

fn message(
    form: &Form,
    raw: Bytes,
    origin: Origin,
    request: &Request,
    ingress: Ingress,
    context: &Context<'_>,
) -> InboundMessage {
    InboundMessage {
        payload: (origin == Origin::Rebuilt).then(|| request.body.clone()),
        raw,
        origin,
        envelope: envelope(form),
        ingress,
        verdicts: if context.door.spam_fields { verdicts(form) } else { Verdicts::default() },
        mailbox: request.mailbox.clone(),
        replay_guard: None,
        fetch: None,
    }
}

/// The event webhook posts a JSON array of events.
fn is_event(body: &[u8]) -> bool {
    let events: Vec<Value> = serde_json::from_slice(body).unwrap_or_default();
    events.iter().any(|event| event.get("event").is_some() || event.get("sg_event_id").is_some())
}

fn envelope(form: &Form) -> Envelope {
    let json: Value = form.text("envelope").and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let to = json.get("to").and_then(Value::as_array).into_iter().flatten();
    Envelope {
        reverse_path: json.get("from").and_then(Value::as_str).map_or(ReversePath::Unknown, ReversePath::parse),
        forward_paths: to.filter_map(Value::as_str).filter_map(AddrSpec::parse).collect(),
        from_header: false,
    }
}

fn verdicts(form: &Form) -> Verdicts {
    let score = form.text("spam_score").and_then(|score| score.trim().parse::<f64>().ok());
    let mut verdicts = Verdicts {
        spf: form.text("SPF").and_then(Verdict::parse),
        spam: score.map(|score| if score >= SPAM_SCORE { Verdict::Fail } else { Verdict::Pass }),
        asserted_by: Some("sendgrid".to_owned()),
        ..Verdicts::default()
    };
    form.text("dkim").into_iter().for_each(|field| dkim(field, &mut verdicts));
    verdicts
}

/// `{@example.com : pass, @lists.example : fail}`, `none`: a pass of any signature is a pass, for its domain.
fn dkim(field: &str, verdicts: &mut Verdicts) {
    for one in field.trim().trim_start_matches('{').trim_end_matches('}').split(',') {
        let (domain, word) = one.rsplit_once(':').unwrap_or(("", one));
        let Some(verdict) = Verdict::parse(word) else { continue };
        if verdict == Verdict::Pass {
            verdicts.add_dkim_domain(domain.trim().trim_start_matches('@'));
        }
        if verdict == Verdict::Pass || verdicts.dkim.is_none() {
            verdicts.dkim = Some(verdict);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dkim_as_sendgrid_writes_it() {
        for (field, expected, domains) in [
            ("{@example.com : pass}", Some(Verdict::Pass), "example.com"),
            ("{@a.example : fail, @b.example : pass}", Some(Verdict::Pass), "b.example"),
            ("{@a.example : pass, @B.example : pass}", Some(Verdict::Pass), "a.example b.example"),
            ("{@a.example : fail}", Some(Verdict::Fail), ""),
            ("none", Some(Verdict::Neutral), ""),
            ("pass", Some(Verdict::Pass), ""),
            ("{}", None, ""),
            ("{@pass.example : whatever}", None, ""),
            ("", None, ""),
        ] {
            let mut verdicts = Verdicts::default();
            dkim(field, &mut verdicts);
            assert_eq!((verdicts.dkim, verdicts.dkim_domains.join(" ").as_str()), (expected, domains), "{field}");
        }
    }

    #[tokio::test]
    async fn scores_without_a_number_say_nothing() {
        for (score, expected) in [
            ("4.99", Some(Verdict::Pass)),
            ("5.0", Some(Verdict::Fail)),
            ("-1", Some(Verdict::Pass)),
            ("", None),
            ("x", None),
        ] {
            let body = format!("spam_score={score}&SPF=pass").into();
            let form = Form::read("application/x-www-form-urlencoded", &body).await.unwrap();
            assert_eq!((verdicts(&form).spam, verdicts(&form).spf), (expected, Some(Verdict::Pass)), "{score}");
        }
    }

    #[test]
    fn events_are_told_from_forms() {
        assert!(is_event(br#"[{"event":"delivered","sg_event_id":"x"}]"#));
        assert!(!is_event(b"[]") && !is_event(b"{}") && !is_event(b"garbage"));
    }
}
