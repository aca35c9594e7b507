//! Mailgun: mail that `store()` keeps, and the events that tell of it (Mailgun API reference, "Stored messages" and
//! "Events").

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::{Credential, FetchError, Fetcher, Question};
use crate::{
    address::AddrSpec,
    blobs::OBJECT_OCTETS_MAX,
    door::{Door, Provider, Region},
    message_id::MessageId,
    providers::mailgun::is_storage_url,
};

/// Hosts of the API, by region.
const HOSTS: [&str; 2] = ["api.mailgun.net", "api.eu.mailgun.net"];
/// What is asked for: the mail as it was received, within JSON.
const RFC2822: &str = "message/rfc2822";
/// Octets of an answer that holds a mail: JSON escapes each line end, so a mail of short lines nearly doubles.
const ANSWER_OCTETS_MAX: u64 = 2 * OBJECT_OCTETS_MAX + 1024 * 1024;
/// Octets of one page of events: 300 of them, a few KB each.
const PAGE_OCTETS_MAX: usize = 16 * 1024 * 1024;
/// Names of attachments kept of one event.
const ATTACHMENTS_MAX: usize = 200;

/// One page of events.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Those that read.
    pub events: Vec<StoredEvent>,
    /// Those that do not: no URL, or no time.
    pub unread: usize,
    /// Where the next page is; `None` where this one is empty, so all was seen.
    pub next: Option<String>,
}

/// Word of a mail that Mailgun has stored.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Where it is.
    pub url: String,
    /// Its key in the storage.
    pub key: String,
    /// When it was stored.
    pub at: Timestamp,
    /// RFC 5322 id.
    pub message_id: Option<MessageId>,
    /// RCPT TO.
    pub recipients: Vec<AddrSpec>,
    /// Octets.
    pub size: Option<u64>,
    /// Names.
    pub attachments: Vec<String>,
    /// The event as it came.
    pub json: Bytes,
}

#[derive(Deserialize)]
struct Stored {
    #[serde(rename = "body-mime")]
    body_mime: String,
}

impl Fetcher {
    /// Fetches a stored mail.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn stored(&self, door: &str, url: &str) -> Result<Bytes, FetchError> {
        if !is_storage_url(url) {
            return Err(FetchError::ForeignHost);
        }
        let found = self.doors.by_id(door).filter(|door| door.provider == Provider::Mailgun);
        let door = found.ok_or_else(|| FetchError::NoDoor(door.to_owned()))?;
        let octets_max = usize::try_from(ANSWER_OCTETS_MAX).unwrap_or(usize::MAX);
        let question = Question { credential: Credential::Mailgun, method: "GET", url, accept: RFC2822, octets_max };
        let told = self.ask(door, &question).await?;
        let kind = told.content_type.to_ascii_lowercase();
        let raw = if kind.starts_with("message/") {
            told.body
        } else {
            // serde would quote what stands there.
            let stored: Stored =
                serde_json::from_slice(&told.body).map_err(|_| FetchError::Unreadable("no JSON with body-mime"))?;
            Bytes::from(stored.body_mime.into_bytes())
        };
        match raw.len() as u64 {
            0 => Err(FetchError::Unreadable("an empty mail")),
            octets if octets > OBJECT_OCTETS_MAX => Err(FetchError::TooLarge),
            _ => Ok(raw),
        }
    }

    /// Reads a page of events, at the URL that the page before gave, or of the first one.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn stored_events(&self, door: &Door, url: &str) -> Result<Page, FetchError> {
        if !is_storage_url(url) {
            return Err(FetchError::ForeignHost);
        }
        let (credential, accept) = (Credential::Mailgun, "application/json");
        let question = Question { credential, method: "GET", url, accept, octets_max: PAGE_OCTETS_MAX };
        let told = self.ask(door, &question).await?;
        page(&told.body)
    }
}

/// The URL of the first page of a domain's stored events since a time, oldest first.
#[must_use]
pub(crate) fn first_page(region: Region, domain: &str, since: Timestamp) -> String {
    let [us, eu] = HOSTS;
    let host = if region == Region::Eu { eu } else { us };
    format!("https://{host}/v3/{domain}/events?begin={}&ascending=yes&limit=300&event=stored", since.as_second())
}

fn page(body: &[u8]) -> Result<Page, FetchError> {
    let json: Value = serde_json::from_slice(body).map_err(|_| FetchError::Unreadable("no JSON"))?;
    let items = json.get("items").and_then(Value::as_array).ok_or(FetchError::Unreadable("no items"))?;
    let events: Vec<StoredEvent> = items.iter().filter_map(stored_event).collect();
    let next = json.pointer("/paging/next").and_then(Value::as_str).map(str::to_owned);
    if !items.is_empty() && next.is_none() {
        return Err(FetchError::Unreadable("no next page"));
    }
    Ok(Page { unread: items.len() - events.len(), events, next: next.filter(|_| !items.is_empty()) })
}

fn stored_event(item: &Value) -> Option<StoredEvent> {
    let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str);
    let list = |pointer: &str| item.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let seconds = SignedDuration::try_from_secs_f64(item.get("timestamp")?.as_f64()?).ok()?;
    let named = |file: &Value| {
        let name = file.get("filename").or_else(|| file.get("name"))?;
        name.as_str().map(str::to_owned)
    };
    let url = text("/storage/url")?;
    Some(StoredEvent {
        url: url.to_owned(),
        key: text("/storage/key").unwrap_or(url).to_owned(),
        at: Timestamp::UNIX_EPOCH.checked_add(seconds).ok()?,
        message_id: text("/message/headers/message-id").and_then(MessageId::parse),
        recipients: list("/message/recipients").filter_map(Value::as_str).filter_map(AddrSpec::parse).collect(),
        size: item.pointer("/message/size").and_then(Value::as_u64),
        attachments: list("/message/attachments").filter_map(named).take(ATTACHMENTS_MAX).collect(),
        json: Bytes::from(item.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_is_read_and_an_empty_one_is_the_last() {
        let item = json!({
            "event": "stored", "timestamp": 1_793_610_000.5, "id": "x",
            "storage": { "url": "https://se.api.mailgun.net/v3/domains/d/messages/k", "key": "k" },
            "message": {
                "headers": { "message-id": "a@ids.example" }, "recipients": ["support@us.example", "?"],
                "size": 2_048, "attachments": [{ "filename": "a.txt" }, { "name": "b.txt" }, {}],
            },
        });
        let next = json!({ "next": "https://api.mailgun.net/v3/d/events/2" });
        let body = json!({ "items": [item, { "event": "stored" }], "paging": next }).to_string();
        let read = page(body.as_bytes()).unwrap();
        let event = &read.events[0];
        assert_eq!((read.events.len(), read.unread, read.next.is_some()), (1, 1, true));
        assert_eq!((event.recipients.len(), event.size, event.attachments.len()), (1, Some(2_048), 2));
        assert_eq!(event.at.to_string(), "2026-11-02T09:00:00.5Z");
        assert_eq!(event.message_id.as_ref().map(MessageId::as_str), Some("a@ids.example"));
        let last = page(json!({ "items": [], "paging": next }).to_string().as_bytes()).unwrap();
        assert!(last.next.is_none() && last.events.is_empty());
        for broken in ["", "[]", r#"{"items": [{}]}"#] {
            assert!(page(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
