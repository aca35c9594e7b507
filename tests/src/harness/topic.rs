//! A topic that remembers what it was sent: the other end of a wire for PublishBatch, with the limits of SNS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use serde_json::Value;

use super::fault::{response, sns_error};

/// Octets of one PublishBatch (Amazon SNS API Reference).
const BATCH_OCTETS_MAX: usize = 256 * 1024;

/// One topic. Clones share what was sent.
#[derive(Clone, Default)]
pub(crate) struct Topic(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    published: Vec<Published>,
    refusals: Vec<Refusal>,
    panic_at: Option<String>,
}

struct Refusal {
    text: String,
    left: usize,
    sender_fault: bool,
}

/// One message as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Published {
    pub(crate) event: Value,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Published {
    pub(crate) fn text(&self, member: &str) -> &str {
        self.event[member].as_str().unwrap_or_default()
    }
}

impl Topic {
    /// All that was published, in order, repetitions included.
    pub(crate) fn published(&self) -> Vec<Published> {
        self.state().published.clone()
    }

    /// The types of all that was published, in order.
    pub(crate) fn types(&self) -> Vec<String> {
        self.published().iter().map(|published| published.text("type").to_owned()).collect()
    }

    /// The ids of all that was published, each once.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        self.published().iter().map(|published| published.text("id").to_owned()).collect()
    }

    /// Entries whose message holds `text` are not taken, so many times.
    pub(crate) fn refuse(&self, text: &str, times: usize, sender_fault: bool) {
        self.state().refusals.push(Refusal { text: text.to_owned(), left: times, sender_fault });
    }

    /// The caller panics where a message holds `text`.
    pub(crate) fn panic_at(&self, text: &str) {
        self.state().panic_at = Some(text.to_owned());
    }

    pub(super) fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let body = request.body().bytes().unwrap_or_default();
        let fields: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let entries = entries(&fields);
        if let Some(code) = fault(&fields, &entries) {
            return sns_error(400, code);
        }
        let (mut successful, mut failed) = (String::new(), String::new());
        for (id, message, attributes) in entries {
            assert!(self.state().panic_at.as_ref().is_none_or(|text| !message.contains(text)), "injected panic");
            match self.refusal(&message) {
                Some(sender_fault) => failed.push_str(&format!(
                    "<member><Id>{id}</Id><Code>InternalError</Code><SenderFault>{sender_fault}</SenderFault></member>"
                )),
                None => {
                    successful.push_str(&format!("<member><Id>{id}</Id><MessageId>m-{id}</MessageId></member>"));
                    let event = serde_json::from_str(&message).unwrap();
                    self.state().published.push(Published { event, attributes });
                }
            }
        }
        let body = format!(
            "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
             <Failed>{failed}</Failed><Successful>{successful}</Successful></PublishBatchResult>\
             <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></PublishBatchResponse>"
        );
        response(200, "text/xml", body)
    }

    fn refusal(&self, message: &str) -> Option<bool> {
        let mut state = self.state();
        let refusal = state.refusals.iter_mut().find(|r| r.left > 0 && message.contains(&r.text))?;
        refusal.left -= 1;
        Some(refusal.sender_fault)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

type Entry = (String, String, BTreeMap<String, String>);

/// `PublishBatchRequestEntries.member.1.Message`, `...MessageAttributes.entry.1.Value.StringValue`.
fn entries(fields: &BTreeMap<String, String>) -> Vec<Entry> {
    let field = |name: String| fields.get(&name).cloned();
    let entry = |n: usize| {
        let at = format!("PublishBatchRequestEntries.member.{n}");
        let pair = |m: usize| {
            let at = format!("{at}.MessageAttributes.entry.{m}");
            Some((field(format!("{at}.Name"))?, field(format!("{at}.Value.StringValue"))?))
        };
        Some((field(format!("{at}.Id"))?, field(format!("{at}.Message"))?, (1..).map_while(pair).collect()))
    };
    (1..).map_while(entry).collect()
}

/// What SNS would say of a whole batch.
fn fault(fields: &BTreeMap<String, String>, entries: &[Entry]) -> Option<&'static str> {
    let ids: BTreeSet<&String> = entries.iter().map(|(id, ..)| id).collect();
    let octets: usize = entries.iter().map(|(_, message, _)| message.len()).sum();
    let bare = entries.iter().flat_map(|(.., attributes)| attributes.values()).any(String::is_empty);
    match entries.len() {
        _ if fields.get("Action").map(String::as_str) != Some("PublishBatch") => Some("InvalidAction"),
        0 => Some("EmptyBatchRequest"),
        11.. => Some("TooManyEntriesInBatchRequest"),
        n if ids.len() < n => Some("BatchEntryIdsNotDistinct"),
        _ if octets > BATCH_OCTETS_MAX => Some("BatchRequestTooLong"),
        _ if bare => Some("InvalidParameter"),
        _ => None,
    }
}
