//! Postmark: inbound mail that it could not deliver (Postmark API, "Messages API": inbound message search, details, retry).

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Credential, FetchError, Fetcher, Question};
use crate::{address::AddrSpec, door::Door, headers, message_id::MessageId};

const API: &str = "https://api.postmarkapp.com/messages/inbound";
/// Octets of a page of 500 lines, and of one mail's details: its texts, never its attachments.
const ANSWER_OCTETS_MAX: usize = 32 * 1024 * 1024;
/// Octets of one request that Lambda takes, the event around the body included (AWS Lambda quotas: 6 MB).
pub const LAMBDA_OCTETS_MAX: u64 = 6 * 1024 * 1024;
/// How long mail is delivered again that is too large only if the door is set up with RawEmail.
const RAW_TRIED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How long any other; Postmark's own date ends it a day later, in `ingest/reconcile/postmark.rs`.
const ANY_TRIED_FOR: SignedDuration = SignedDuration::from_hours(6 * 24);
/// Octets of the event around a body.
const EVENT_OCTETS: u64 = 16 * 1024;

/// What Postmark tells of one mail.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Details {
    /// Postmark's own id.
    #[serde(rename = "MessageID", deserialize_with = "or_default")]
    pub message_id: String,
    /// Who wrote it.
    #[serde(deserialize_with = "or_default")]
    pub from_full: Person,
    /// As the field stood.
    #[serde(deserialize_with = "or_default")]
    pub from: String,
    /// To.
    #[serde(deserialize_with = "or_default")]
    pub to_full: Vec<Person>,
    /// Cc.
    #[serde(deserialize_with = "or_default")]
    pub cc_full: Vec<Person>,
    /// RCPT TO.
    #[serde(deserialize_with = "or_default")]
    pub original_recipient: String,
    /// Subject.
    #[serde(deserialize_with = "or_default")]
    pub subject: String,
    /// Date as the sender wrote it, or as Postmark did.
    #[serde(deserialize_with = "or_default")]
    pub date: String,
    /// Text.
    #[serde(deserialize_with = "or_default")]
    pub text_body: String,
    /// HTML.
    #[serde(deserialize_with = "or_default")]
    pub html_body: String,
    /// The rest of the header.
    #[serde(deserialize_with = "or_default")]
    pub headers: Vec<Field>,
    /// Attachments, without their content.
    #[serde(deserialize_with = "or_default")]
    pub attachments: Vec<Attachment>,
}

/// An address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Person {
    /// Address.
    #[serde(deserialize_with = "or_default")]
    pub email: String,
    /// Display name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
}

/// A field of the header.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Field {
    /// Name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Value, unfolded.
    #[serde(deserialize_with = "or_default")]
    pub value: String,
}

/// An attachment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Attachment {
    /// File name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Declared type.
    #[serde(deserialize_with = "or_default")]
    pub content_type: String,
    /// Octets.
    #[serde(deserialize_with = "or_default")]
    pub content_length: u64,
}

/// Postmark writes null where it has nothing.
fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(value: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

impl Details {
    /// Octets of the parts in the request that Postmark makes of it, estimated: texts, and attachments in Base64. With
    /// RawEmail all of it stands there once more.
    #[must_use]
    pub fn request_octets(&self) -> u64 {
        let files = self.attachments.iter().map(|file| file.content_length.saturating_mul(4) / 3);
        let files = files.fold(0, u64::saturating_add);
        let texts = (self.text_body.len() + self.html_body.len()) as u64;
        files.saturating_add(texts).saturating_add(EVENT_OCTETS)
    }

    /// The reason for which no retry brings it here, if there is one: already its parts are more than Lambda takes; or they would be with RawEmail,
    /// whose line ends are escaped, and a day of retries has not helped; or six days have not, whatever its size.
    #[must_use]
    pub fn never_comes(&self, now: Timestamp) -> Option<&'static str> {
        let octets = self.request_octets();
        let with_raw = octets.saturating_mul(21) / 10 > LAMBDA_OCTETS_MAX;
        let at = self.received_at();
        let older_than = |age| at.is_some_and(|at| now.duration_since(at) > age);
        if octets > LAMBDA_OCTETS_MAX || (with_raw && older_than(RAW_TRIED_FOR)) {
            return Some("too-large");
        }
        older_than(ANY_TRIED_FOR).then_some("not-deliverable")
    }

    /// When it came: by the topmost Received line, which Postmark wrote, else by what the sender says.
    fn received_at(&self) -> Option<Timestamp> {
        let received = self.headers.iter().find(|field| field.name.eq_ignore_ascii_case("received"));
        let stamp = received.and_then(|field| field.value.rsplit(';').next());
        let read = |text: &str| headers::date::read(text).map(|read| read.instant);
        stamp.and_then(read).or_else(|| read(&self.date))
    }

    /// The RFC 5322 id: in the header, never [`Details::message_id`].
    #[must_use]
    pub fn rfc_id(&self) -> Option<MessageId> {
        let field = self.headers.iter().find(|field| field.name.eq_ignore_ascii_case("message-id"));
        field.and_then(|field| MessageId::parse(&field.value))
    }

    /// RCPT TO, else who stands in To.
    #[must_use]
    pub fn recipients(&self) -> Vec<AddrSpec> {
        match AddrSpec::parse(&self.original_recipient) {
            Some(recipient) => vec![recipient],
            None => self.to_full.iter().filter_map(|person| AddrSpec::parse(&person.email)).collect(),
        }
    }
}

impl Fetcher {
    /// Ids of inbound mail that Postmark gave up, of those received since a time (its search knows days, inclusive).
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn failed(
        &self,
        door: &Door,
        since: Timestamp,
        offset: u64,
        count: usize,
    ) -> Result<Vec<String>, FetchError> {
        let day = since.to_zoned(TimeZone::UTC).date();
        let url = format!("{API}?count={count}&offset={offset}&status=failed&fromdate={day}");
        let json: Value = self.of_postmark(door, "GET", &url).await?;
        let lines = json.get("InboundMessages").and_then(Value::as_array);
        let lines = lines.ok_or(FetchError::Unreadable("no InboundMessages"))?;
        let ids = lines.iter().filter_map(|line| line.get("MessageID")?.as_str());
        Ok(ids.filter(|id| is_id(id)).map(str::to_owned).collect())
    }

    /// What Postmark tells of one mail.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn details(&self, door: &Door, id: &str) -> Result<Details, FetchError> {
        let details: Details = self.of_postmark(door, "GET", &of_mail(id, "details")?).await?;
        Ok(Details { message_id: id.to_owned(), ..details })
    }

    /// Has Postmark deliver a mail again.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn deliver_again(&self, door: &Door, id: &str) -> Result<(), FetchError> {
        let _: Value = self.of_postmark(door, "PUT", &of_mail(id, "retry")?).await?;
        Ok(())
    }

    async fn of_postmark<T: serde::de::DeserializeOwned>(
        &self,
        door: &Door,
        method: &'static str,
        url: &str,
    ) -> Result<T, FetchError> {
        let (credential, accept) = (Credential::Postmark, "application/json");
        let question = Question { credential, method, url, accept, octets_max: ANSWER_OCTETS_MAX };
        let told = self.ask(door, &question).await?;
        serde_json::from_slice(&told.body).map_err(|_| FetchError::Unreadable("not the documented JSON"))
    }
}

/// It becomes part of a URL.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn of_mail(id: &str, what: &str) -> Result<String, FetchError> {
    if is_id(id) { Ok(format!("{API}/{id}/{what}")) } else { Err(FetchError::Unreadable("no id of a message")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lambda_cannot_take_is_known_by_its_attachments() {
        let with = |octets| Details {
            attachments: vec![Attachment { content_length: octets, ..Attachment::default() }],
            ..Details::default()
        };
        let written = "Mon, 02 Nov 2026 09:00:00 +0000".to_owned();
        let at: Timestamp = "2026-11-02T09:00:00Z".parse().unwrap();
        let after = |hours| at + SignedDuration::from_hours(hours);
        let dated = |details: Details| Details { date: written.clone(), ..details };
        let (small, middle, large) = (dated(with(2_000)), dated(with(2_400_000)), dated(with(5_000_000)));
        let large_word = Some("too-large");
        assert_eq!((small.never_comes(after(143)), small.never_comes(after(145))), (None, Some("not-deliverable")));
        assert_eq!(
            (middle.never_comes(after(23)), middle.never_comes(after(25))),
            (None, large_word),
            "RawEmail may be off"
        );
        assert_eq!((large.never_comes(at), dated(with(u64::MAX)).never_comes(at)), (large_word, large_word), "at once");
        let long = Details { html_body: "x".repeat(7_000_000), ..Details::default() };
        assert_eq!(dated(long).never_comes(at), large_word, "so may a text be");
        let field = |name: &str, value: &str| Field { name: name.into(), value: value.into() };
        let received = field("Received", "from a by b; Mon, 02 Nov 2026 09:00:00 +0000 (UTC)");
        let lying = Details { date: "Mon, 02 Nov 2020 09:00:00 +0000".into(), headers: vec![received], ..with(2_000) };
        assert_eq!(lying.never_comes(after(1)), None, "a sender's clock does not decide");
        assert_eq!(with(2_000).never_comes(after(10_000)), None, "nor does one that nobody can read");
    }

    #[test]
    fn details_read_with_nulls() {
        let json = r#"{"MessageID":"m","FromFull":null,"TextBody":null,"Attachments":[{"Name":"a","ContentLength":null}],
            "Headers":[{"Name":"Message-ID","Value":"<a@ids.example>"}],"Tag":null}"#;
        let details: Details = serde_json::from_str(json).unwrap();
        assert_eq!(details.attachments.len(), 1);
        assert_eq!(details.rfc_id().unwrap().as_str(), "a@ids.example");
    }

    #[test]
    fn ids_stay_in_their_place() {
        assert!(of_mail("b0a1-2F", "retry").unwrap().ends_with("/messages/inbound/b0a1-2F/retry"));
        for id in ["", "a/b", "../x", "a?b", &"x".repeat(65)] {
            assert!(of_mail(id, "retry").is_err(), "{id}");
        }
    }
}
