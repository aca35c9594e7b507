//! Amazon SES receipts, delivered by Amazon SNS over HTTPS.
//!
//! Contract (Amazon SNS Developer Guide, "Parsing Amazon SNS message formats", "Verifying the signatures of Amazon SNS
//! messages", "Amazon SNS message delivery retries"):
//! - A JSON object as `text/plain`; `Type` is `Notification`, `SubscriptionConfirmation` or `UnsubscribeConfirmation`.
//!   The `x-amz-sns-*` fields of the header are not signed, so only the body counts.
//! - Signed is, for each of a type's names in byte order, `name LF value LF`; a Notification's `Subject` only where it
//!   is there and not null. `SignatureVersion` 1 is RSA with SHA-1 (what a topic does unless told otherwise), 2 with
//!   SHA-256.
//! - `SigningCertURL` is not signed. It is fetched only from the SNS endpoint of the topic's own region, one file at its
//!   root: a pattern such as `sns.*.amazonaws.com` would also let in buckets of that name (`sns.s3-us-west-2…`).
//! - A valid signature proves *some* topic of somebody's. So the topic must be on the door's list, which is looked at
//!   before anything is fetched, and a subscription is confirmed by asking SNS itself, never by following a URL.
//! - 2xx = done, 4xx = never again, else again, for an hour in all. The window for `Timestamp` is 24 hours on both
//!   sides, because clocks differ and a copy does nothing twice: the same SES object, the same ledger row.
//! - *Raw message delivery* must be off: without its envelope a message carries no signature.

mod certificates;
mod message;

use jiff::SignedDuration;
use serde_json::Value;

pub use self::certificates::Certificates;
use self::message::{Kind, Message};
use super::{
    Accepted, Context, Rejected, Request,
    ses::{self, NotAReceipt},
};
use crate::{inbound::InboundMessage, signature::Certificate};

/// How far `Timestamp` may be from our clock, either side.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// What SES sends to a topic that is set up for its sending events.
const VALIDATED: &str = "Successfully validated SNS topic for Amazon SES";

pub(super) async fn accept(request: &Request, context: &Context<'_>) -> Result<Accepted, Rejected> {
    let message = Message::read(&request.body);
    if request.vouched {
        // Somebody passes receipts on, as they came or out of their envelope.
        return match message {
            Ok(message) => accepted(&message, request, context),
            Err(_) => receipt(&String::from_utf8_lossy(&request.body), request, context),
        };
    }
    if context.door.topics.is_empty() {
        return Err(Rejected::NotConfigured(context.secret("topics")));
    }
    let message = message?;
    listed(message.topic()?, context)?;
    prove(&message, context).await?;
    accepted(&message, request, context)
}

/// The allow-list of the door.
fn listed(topic: &str, context: &Context<'_>) -> Result<(), Rejected> {
    if context.door.topics.iter().any(|listed| listed == topic) {
        return Ok(());
    }
    let id = &context.door.id;
    Err(Rejected::Unauthorized(format!(
        "the topic is not on the list of door {id}: if it is yours, add its ARN with `postern door set {id} --topic ARN`"
    )))
}

/// Time, certificate, signature: in the order of what costs least.
async fn prove(message: &Message, context: &Context<'_>) -> Result<(), Rejected> {
    let refused = |why: &str| Err(Rejected::Unauthorized(why.to_owned()));
    if message.time().is_none_or(|time| context.now.duration_since(time).abs() > WINDOW) {
        return refused("Timestamp is missing, or more than 24 hours from our clock");
    }
    let signed = message.signed_text()?;
    let signature = message.text("Signature").unwrap_or_default();
    let holds: fn(&Certificate, &[u8], &str) -> bool = match message.text("SignatureVersion") {
        Some("1") => Certificate::rsa_sha1,
        Some("2") => Certificate::rsa_sha256,
        _ => return refused("SignatureVersion is neither 1 nor 2"),
    };
    let url = message.certificate_url()?;
    let proven = context
        .certificates
        .prove(url, context.now, |certificate| holds(certificate, signed.as_bytes(), signature))
        .await;
    match proven {
        Ok(true) => Ok(()),
        Ok(false) => refused("the signature does not match: was the body changed on its way?"),
        Err(why) => Err(Rejected::Unavailable(format!("the certificate of SNS cannot be had now: {why}"))),
    }
}

fn accepted(message: &Message, request: &Request, context: &Context<'_>) -> Result<Accepted, Rejected> {
    match message.kind {
        Kind::Notification => receipt(message.text("Message").unwrap_or_default(), request, context),
        Kind::Subscription => {
            let topic = message.topic()?;
            listed(topic, context)?;
            let token = message.text("Token").filter(|token| !token.is_empty());
            let token = token.ok_or_else(|| Rejected::Malformed("there is no Token to confirm with".to_owned()))?;
            Ok(Accepted::Confirm { topic: topic.to_owned(), token: token.to_owned() })
        }
        Kind::Unsubscription => {
            let ingress = Box::new(context.ingress(message.text("MessageId").map(str::to_owned), context.now));
            Ok(Accepted::Noted { slug: "sns-unsubscribed", ingress })
        }
    }
}

/// The receipt in a notification.
fn receipt(text: &str, request: &Request, context: &Context<'_>) -> Result<Accepted, Rejected> {
    let receipt = match ses::read(text, context.now).and_then(|receipt| receipt.ours(context.bucket)) {
        Ok(receipt) => receipt,
        Err(not) => return Err(no_receipt(text, not, context)),
    };
    let ingress = context.ingress(receipt.ingress.event_id.clone(), receipt.ingress.transport_time);
    if receipt.setup {
        return Ok(Accepted::Noted { slug: "ses-setup", ingress: Box::new(ingress) });
    }
    let mailbox = request.mailbox.clone();
    let inbound = receipt.into_inbound(context.bucket);
    Ok(Accepted::Message(Box::new(InboundMessage { ingress, mailbox, ..inbound })))
}

/// What else a topic may tell: SES's events of *sending*, which belong to another webhook; the rest is kept.
fn no_receipt(text: &str, not: NotAReceipt, context: &Context<'_>) -> Rejected {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let kind = ["notificationType", "eventType"].iter().find_map(|name| json.get(name)).and_then(Value::as_str);
    let sending = kind.filter(|kind| !kind.eq_ignore_ascii_case("received"));
    if sending.is_some() || text.starts_with(VALIDATED) {
        let kind: String = sending.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        return Rejected::OtherWebhook(format!(
            "this is an event of SES sending ({kind}); inbound mail comes from the topic of a receipt rule"
        ));
    }
    let ingress = Box::new(context.ingress(None, context.now));
    Rejected::Unreadable { why: not.why, slug: not.slug, ingress, guard: None }
}
