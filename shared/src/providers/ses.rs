//! Amazon SES receiving: receipt notifications in all the shapes in which they reach us.
//!
//! | shape | the octets are |
//! |---|---|
//! | S3 action (SNS notification, by SQS or directly) | in the bucket, written by SES |
//! | SNS action | in the notification, `content`, Base64 or UTF-8 |
//! | Lambda action | in the bucket, if an S3 action stood before it: `raw/ses/<message id>` |
//!
//! Field by field and lenient: AWS's own samples lack verdicts, write numbers as text, and leave out From (Amazon SES
//! Developer Guide, "Contents of notifications for Amazon SES email receiving"). Verdicts come from the notification
//! alone; `X-SES-*` fields stand inside the mail, where a sender can write them.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    address::AddrSpec,
    envelope::{Envelope, ReversePath},
    inbound::{InboundMessage, Ingress, Origin, Verdict, Verdicts},
};

/// Door and provider.
pub const NAME: &str = "ses";
/// Where the receipt rule lets SES write, and nothing else does but mail whose octets came in a notification.
pub const KEY_PREFIX: &str = "raw/ses/";
/// Who asserts the verdicts (its authserv-id, RFC 8601 section 2.2).
pub const AUTHSERV_ID: &str = "amazonses.com";
/// Message id and object name of the note that SES writes when a receipt rule is set up.
const SETUP: &str = "AMAZON_SES_SETUP_NOTIFICATION";
/// Above it a number is milliseconds: as seconds it would be the year 5138.
const SECONDS_MAX: i64 = 100_000_000_000;

/// A receipt, read.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Where the octets are.
    pub octets: Octets,
    /// What the transport said.
    pub envelope: Envelope,
    /// Door, SES's message id, time of receipt.
    pub ingress: Ingress,
    /// What SES asserts.
    pub verdicts: Verdicts,
    /// True for the note that a rule was set up.
    pub setup: bool,
}

/// Where the octets of a receipt are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Octets {
    /// SES wrote them.
    Stored {
        /// To this bucket; `None` = the notification does not say, so ours.
        bucket: Option<String>,
        /// Under this key.
        key: String,
    },
    /// They came along.
    Here(Bytes),
}

impl Receipt {
    /// The receipt, if its octets are ours to read: only what our own receipt rule wrote is.
    ///
    /// # Errors
    /// SES wrote to another bucket, or elsewhere in ours.
    pub fn ours(self, own_bucket: &str) -> Result<Self, NotAReceipt> {
        let Octets::Stored { bucket, key } = &self.octets else { return Ok(self) };
        if let Some(other) = bucket.as_deref().filter(|bucket| *bucket != own_bucket) {
            let why = format!(
                "SES wrote this mail to bucket {other:?}, which is not this stack's: let the receipt rule's S3 action \
                 write to {own_bucket:?} with the object key prefix {KEY_PREFIX:?}"
            );
            return Err(not("foreign-bucket", why));
        }
        if !key.starts_with(KEY_PREFIX) {
            let why = format!("SES wrote this mail outside {KEY_PREFIX:?}: make that the rule's object key prefix");
            return Err(not("foreign-prefix", why));
        }
        Ok(self)
    }

    /// What the pipeline takes. Octets that SES stored are still to be read.
    #[must_use]
    pub fn into_inbound(self, own_bucket: &str) -> InboundMessage {
        let (raw, origin) = match self.octets {
            Octets::Stored { key, .. } => (Bytes::new(), Origin::Stored { bucket: own_bucket.to_owned(), key }),
            Octets::Here(raw) => (raw, Origin::Received),
        };
        InboundMessage {
            raw,
            origin,
            envelope: self.envelope,
            ingress: self.ingress,
            verdicts: self.verdicts,
            mailbox: None,
            replay_guard: None,
            payload: None,
            fetch: None,
        }
    }
}

/// This door, at that time.
#[must_use]
pub fn ingress(event_id: Option<String>, transport_time: Timestamp) -> Ingress {
    Ingress { door: NAME.to_owned(), provider: NAME.to_owned(), event_id, transport_time }
}

/// Why a message is not a receipt that can be worked on: a slug for the row, and words for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAReceipt {
    /// Reason on the ledger row.
    pub slug: &'static str,
    /// What is wrong and what to do.
    pub why: String,
}

fn not(slug: &'static str, why: impl Into<String>) -> NotAReceipt {
    NotAReceipt { slug, why: why.into() }
}

/// True for the object that SES writes when a receipt rule is set up.
#[must_use]
pub fn is_setup_key(key: &str) -> bool {
    key.rsplit('/').next() == Some(SETUP)
}

/// Reads a receipt out of a queue message's body or an SNS message: the notification itself (raw delivery), or wrapped
/// by SNS. `now` stands in for a missing time.
///
/// # Errors
/// It is not JSON, or not a receipt.
pub fn read(body: &str, now: Timestamp) -> Result<Receipt, NotAReceipt> {
    let json: Value = serde_json::from_str(body).map_err(|_| not("not-json", "the message is not JSON"))?;
    match (json.get("Type").and_then(Value::as_str), json.get("Message").and_then(Value::as_str)) {
        (Some("Notification"), Some(inner)) => {
            let inner: Value = serde_json::from_str(inner)
                .map_err(|_| not("not-json", "the SNS notification's Message is not JSON"))?;
            receipt(&inner, now)
        }
        (Some(other), _) if json.get("receipt").is_none() => {
            Err(not("not-a-receipt", format!("an SNS message of type {other:?}, not a notification")))
        }
        _ => receipt(&json, now),
    }
}

/// Reads the receipt itself: `notificationType` where SNS tells it, `mail` and `receipt` in any case.
///
/// # Errors
/// It is no receipt, or nothing says where the octets are.
pub fn receipt(json: &Value, now: Timestamp) -> Result<Receipt, NotAReceipt> {
    if let Some(other) = text(json, "/notificationType").filter(|kind| !kind.eq_ignore_ascii_case("received")) {
        let why = format!("a notification of type {other:?}; only receipts of inbound mail are taken here");
        return Err(not("not-a-receipt", why));
    }
    if !json.get("mail").is_some_and(Value::is_object) || !json.get("receipt").is_some_and(Value::is_object) {
        return Err(not("not-a-receipt", "there is no `mail` and `receipt`: this is not an SES receipt"));
    }
    let id = filled(json, "/mail/messageId");
    let times = ["/receipt/timestamp", "/mail/timestamp"];
    let received_at = times.into_iter().find_map(|path| json.pointer(path).and_then(time));
    Ok(Receipt {
        setup: id.as_deref() == Some(SETUP),
        octets: octets(json, id.as_deref())?,
        envelope: envelope(json),
        ingress: ingress(id, received_at.unwrap_or(now)),
        verdicts: verdicts(json),
    })
}

/// By what is there, not by the action's name alone: the name may be missing.
fn octets(json: &Value, id: Option<&str>) -> Result<Octets, NotAReceipt> {
    if let Some(content) = json.get("content").and_then(Value::as_str) {
        let encoding = text(json, "/receipt/action/encoding").unwrap_or_default();
        if !encoding.eq_ignore_ascii_case("base64") {
            return Ok(Octets::Here(Bytes::copy_from_slice(content.as_bytes())));
        }
        let dense: String = content.split_ascii_whitespace().collect();
        let decoded = BASE64_STANDARD.decode(dense);
        let decoded = decoded.map_err(|_| not("content-not-base64", "`content` is said to be Base64 and is not"))?;
        return Ok(Octets::Here(decoded.into()));
    }
    let bucket = text(json, "/receipt/action/bucketName");
    match (filled(json, "/receipt/action/objectKey"), id) {
        (Some(key), _) => {
            let prefix = text(json, "/receipt/action/objectKeyPrefix").unwrap_or_default();
            let key = if key.starts_with(&prefix) { key } else { format!("{prefix}{key}") };
            Ok(Octets::Stored { bucket, key })
        }
        // The Lambda action does not say where: our receipt rule's S3 action does.
        (None, Some(id)) if bucket.is_none() => Ok(Octets::Stored { bucket, key: format!("{KEY_PREFIX}{id}") }),
        _ => Err(not("no-octets", "neither `content` nor an object key: give the receipt rule an S3 action")),
    }
}

fn envelope(json: &Value) -> Envelope {
    let recipients = json.pointer("/receipt/recipients").and_then(Value::as_array);
    let recipients = recipients.into_iter().flatten().filter_map(Value::as_str);
    Envelope {
        reverse_path: text(json, "/mail/source").map_or(ReversePath::Unknown, |source| ReversePath::parse(&source)),
        forward_paths: recipients.filter_map(AddrSpec::parse).collect(),
        from_header: false,
    }
}

fn verdicts(json: &Value) -> Verdicts {
    // DISABLED and words to come are no verdict.
    let of = |name: &str| text(json, &format!("/receipt/{name}Verdict/status")).and_then(|word| Verdict::parse(&word));
    Verdicts {
        spf: of("spf"),
        dkim: of("dkim"),
        dmarc: of("dmarc"),
        spam: of("spam"),
        virus: of("virus"),
        asserted_by: Some(AUTHSERV_ID.to_owned()),
        scans_for_viruses: true,
        ..Verdicts::default()
    }
}

/// Text, or a number as text. An empty text is there: an empty `source` is the null reverse-path.
fn text(json: &Value, path: &str) -> Option<String> {
    match json.pointer(path)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn filled(json: &Value, path: &str) -> Option<String> {
    text(json, path).filter(|text| !text.trim().is_empty())
}

/// RFC 3339, or seconds or milliseconds since the epoch, as number or text.
fn time(value: &Value) -> Option<Timestamp> {
    let number = match value {
        Value::Number(number) => number.as_i64().or_else(|| float(number.as_f64()?)),
        Value::String(text) => match text.trim().parse::<Timestamp>() {
            Ok(at) => return Some(at),
            Err(_) => text.trim().parse().ok(),
        },
        _ => None,
    }?;
    let at =
        if number.abs() < SECONDS_MAX { Timestamp::from_second(number) } else { Timestamp::from_millisecond(number) };
    at.ok()
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and a time that far off is refused next")]
fn float(number: f64) -> Option<i64> {
    number.is_finite().then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-02T09:00:00Z".parse().unwrap()
    }

    fn sample() -> Value {
        json!({
            "notificationType": "Received",
            "mail": { "timestamp": "2026-11-02T08:59:58.123Z", "source": "cust@people.example", "messageId": "abc" },
            "receipt": {
                "timestamp": "2026-11-02T08:59:59.000Z", "processingTimeMillis": 494,
                "recipients": ["support@us.example", "not an address"],
                "spamVerdict": { "status": "PASS" }, "virusVerdict": { "status": "GRAY" },
                "spfVerdict": { "status": "PROCESSING_FAILED" }, "dkimVerdict": { "status": "DISABLED" },
                "dmarcVerdict": { "status": "FAIL" },
                "action": { "type": "S3", "bucketName": "ours", "objectKey": "raw/ses/abc" }
            }
        })
    }

    #[test]
    fn a_receipt_is_read() {
        let receipt = receipt(&sample(), now()).unwrap();
        assert_eq!(receipt.octets, Octets::Stored { bucket: Some("ours".into()), key: "raw/ses/abc".into() });
        assert_eq!(receipt.envelope.forward_paths.len(), 1);
        assert_eq!(receipt.ingress.transport_time.to_string(), "2026-11-02T08:59:59Z");
        assert_eq!(receipt.ingress.event_id.as_deref(), Some("abc"));
        let Verdicts { spf, dkim, dmarc, spam, virus, .. } = receipt.verdicts;
        let expected = (Some(Verdict::Error), None, Some(Verdict::Fail), Some(Verdict::Pass), Some(Verdict::Neutral));
        assert_eq!((spf, dkim, dmarc, spam, virus), expected);
        assert!(receipt.verdicts.withhold_attachments() && !receipt.setup);
        assert_eq!(receipt.verdicts.doubts(), ["virus-unsure"]);
    }

    #[test]
    fn times_in_every_spelling() {
        for written in [
            json!("2026-11-02T08:59:59Z"),
            json!("2026-11-02T09:59:59.000+01:00"),
            json!(1_793_609_999),
            json!("1793609999"),
            json!(1_793_609_999_000_i64),
            json!(1_793_609_999.0),
        ] {
            assert_eq!(time(&written).map(|t| t.to_string()).as_deref(), Some("2026-11-02T08:59:59Z"), "{written}");
        }
        for nonsense in [json!("yesterday"), json!(null), json!([]), json!(f64::MAX), json!("")] {
            assert_eq!(time(&nonsense), None, "{nonsense}");
        }
        let mut json = sample();
        json["receipt"]["timestamp"] = json!({});
        assert_eq!(receipt(&json, now()).unwrap().ingress.transport_time.to_string(), "2026-11-02T08:59:58.123Z");
        json["mail"]["timestamp"] = json!(null);
        assert_eq!(receipt(&json, now()).unwrap().ingress.transport_time, now());
    }

    #[test]
    fn what_is_missing_is_nothing_worse() {
        let bare = json!({ "mail": { "messageId": "abc" }, "receipt": {} });
        let receipt = receipt(&bare, now()).unwrap();
        assert_eq!(receipt.octets, Octets::Stored { bucket: None, key: "raw/ses/abc".into() });
        assert_eq!(receipt.envelope, Envelope::default(), "no source is unknown, not null");
        assert!(receipt.verdicts.withhold_attachments(), "no verdict is no pass");
    }

    #[test]
    fn only_a_null_source_is_null() {
        let mut json = sample();
        for (source, expected) in
            [("", ReversePath::Null), ("<>", ReversePath::Null), ("no address", ReversePath::Unknown)]
        {
            json["mail"]["source"] = json!(source);
            assert_eq!(receipt(&json, now()).unwrap().envelope.reverse_path, expected, "{source:?}");
        }
    }

    #[test]
    fn content_by_its_encoding() {
        let mut json = sample();
        json["receipt"]["action"] = json!({ "type": "SNS", "encoding": "BASE64" });
        json["content"] = json!("RnJvbTog\r\n/w==");
        assert_eq!(receipt(&json, now()).unwrap().octets, Octets::Here(Bytes::from_static(b"From: \xff")));
        json["content"] = json!("%");
        assert_eq!(receipt(&json, now()).unwrap_err().slug, "content-not-base64");
        json["receipt"]["action"] = json!({ "type": "SNS", "encoding": "UTF8" });
        json["content"] = json!("From: ä");
        assert_eq!(receipt(&json, now()).unwrap().octets, Octets::Here("From: ä".into()));
    }

    #[test]
    fn keys_get_their_prefix_once() {
        let mut json = sample();
        for key in ["raw/ses/abc", "abc"] {
            json["receipt"]["action"]["objectKeyPrefix"] = json!("raw/ses/");
            json["receipt"]["action"]["objectKey"] = json!(key);
            let expected = Octets::Stored { bucket: Some("ours".into()), key: "raw/ses/abc".into() };
            assert_eq!(receipt(&json, now()).unwrap().octets, expected);
        }
    }

    #[test]
    fn wrapped_or_not() {
        let inner = sample().to_string();
        let wrapped = json!({ "Type": "Notification", "TopicArn": "arn", "Message": inner }).to_string();
        assert!(read(&inner, now()).is_ok() && read(&wrapped, now()).is_ok());
        for (body, slug) in [
            ("", "not-json"),
            ("[]", "not-a-receipt"),
            ("{}", "not-a-receipt"),
            (r#"{"Type":"Notification","Message":"hello"}"#, "not-json"),
            (r#"{"Type":"SubscriptionConfirmation","Message":"{}"}"#, "not-a-receipt"),
            (r#"{"notificationType":"Bounce","mail":{},"receipt":{}}"#, "not-a-receipt"),
            (r#"{"mail":{},"receipt":{}}"#, "no-octets"),
        ] {
            assert_eq!(read(body, now()).unwrap_err().slug, slug, "{body}");
        }
    }

    #[test]
    fn the_set_up_note_is_known() {
        let mut json = sample();
        json["mail"]["messageId"] = json!(SETUP);
        assert!(receipt(&json, now()).unwrap().setup);
        assert!(is_setup_key("raw/ses/AMAZON_SES_SETUP_NOTIFICATION") && !is_setup_key("raw/ses/abc"));
    }
}
