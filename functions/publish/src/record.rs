//! Stream records, read leniently: only what is needed, each on its own, so that a broken one spoils no other.
//!
//! Shape: Amazon DynamoDB Streams API Reference, Record; as Lambda delivers it, member names begin in lower case but
//! those within `dynamodb`.

use postern::store::{Key, keys::OUTBOX_PREFIX};
use serde_json::Value;

/// The service that removes what has expired, as `userIdentity` names it.
const EXPIRY: &str = "dynamodb.amazonaws.com";

/// One record.
#[derive(Debug)]
pub(crate) struct Record {
    sequence: Option<String>,
    /// The item to look at; `None` = nothing to tell.
    key: Result<Option<Key>, String>,
}

/// The records of an event, or why it is none of a stream.
pub(crate) fn of(event: &Value) -> Result<Vec<Record>, String> {
    let records = event.get("Records").and_then(Value::as_array).ok_or("it has no list \"Records\"")?;
    let source = |record: &Value| record.get("eventSource").and_then(Value::as_str).map(str::to_owned);
    match records.iter().filter_map(source).find(|source| source != "aws:dynamodb") {
        Some(other) => Err(format!("a record comes from {other:?}")),
        None => Ok(records.iter().map(Record::of).collect()),
    }
}

impl Record {
    fn of(record: &Value) -> Self {
        let sequence = record.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str);
        Self { sequence: sequence.filter(|number| !number.is_empty()).map(str::to_owned), key: key(record) }
    }

    /// How a partial batch response names it. A record without one cannot be asked for again: its item stays marked,
    /// and the sweep brings it.
    pub(crate) fn sequence(&self) -> Option<&str> {
        self.sequence.as_deref()
    }

    pub(crate) fn key(&self) -> Result<Option<&Key>, String> {
        self.key.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// For logs.
    pub(crate) fn item(&self) -> String {
        match &self.key {
            Ok(Some(key)) => format!("{} {}", key.pk, key.sk),
            Ok(None) | Err(_) => format!("record {}", self.sequence().unwrap_or("without a number")),
        }
    }
}

fn key(record: &Value) -> Result<Option<Key>, String> {
    let name = record.get("eventName").and_then(Value::as_str).ok_or("it has no eventName")?;
    let by_expiry = record.pointer("/userIdentity/principalId").and_then(Value::as_str) == Some(EXPIRY);
    if name == "REMOVE" || by_expiry {
        return Ok(None);
    }
    let image = record.pointer("/dynamodb/NewImage").ok_or("it has no NewImage: the stream must carry new images")?;
    let marked = image.pointer("/gsi4pk/S").and_then(Value::as_str);
    if !marked.is_some_and(|mark| mark.starts_with(OUTBOX_PREFIX)) {
        return Ok(None);
    }
    let part = |name: &str| {
        let text = record.pointer(&format!("/dynamodb/Keys/{name}/S")).and_then(Value::as_str);
        text.map(str::to_owned).ok_or(format!("it has no key {name}"))
    };
    Ok(Some(Key { pk: part("pk")?, sk: part("sk")? }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record() -> Value {
        json!({
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {
                "Keys": {"pk": {"S": "TICKET#1"}, "sk": {"S": "ENTRY#x#y"}},
                "NewImage": {"gsi4pk": {"S": "outbox#1"}},
                "SequenceNumber": "100",
            },
        })
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut record = record();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        record.pointer_mut(parent).unwrap()[member] = value;
        record
    }

    #[test]
    fn which_records_are_looked_at() {
        let looked = |record: &Value| Record::of(record).key().map(|key| key.is_some());
        assert_eq!(looked(&record()), Ok(true));
        assert_eq!(looked(&with("/eventName", json!("MODIFY"))), Ok(true));
        let expired = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
        for passed in [
            with("/eventName", json!("REMOVE")),
            with("/userIdentity", expired),
            with("/dynamodb/NewImage", json!({})),
            with("/dynamodb/NewImage", json!({"gsi4pk": {"S": "other"}})),
        ] {
            assert_eq!(looked(&passed), Ok(false), "{passed}");
        }
        for broken in [
            json!(null),
            json!({}),
            with("/eventName", json!(7)),
            with("/dynamodb", json!("text")),
            with("/dynamodb/Keys", json!({"pk": {"S": "TICKET#1"}})),
            with("/dynamodb/Keys/pk", json!({"N": "1"})),
            with("/dynamodb/NewImage", Value::Null).pointer("/dynamodb/none").cloned().unwrap_or_default(),
        ] {
            assert!(looked(&broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn events_of_other_sources_are_told_in_words() {
        assert!(of(&json!({"Records": [record()]})).is_ok());
        assert!(of(&json!({"Records": []})).is_ok(), "an empty batch is one");
        for (event, expected) in [
            (json!({"detail-type": "Scheduled Event"}), "no list"),
            (json!({"Records": [{"eventSource": "aws:sqs", "messageId": "1"}]}), "aws:sqs"),
            (json!([]), "no list"),
        ] {
            let why = of(&event).map(|records| records.len()).unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
    }
}
