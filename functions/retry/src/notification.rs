//! S3 event notifications (Amazon S3 User Guide, "Event message structure").

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// What a notification names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Objects {
    /// Keys of raw objects of ours that were written.
    pub(crate) keys: Vec<String>,
    /// Records that name nothing of ours.
    pub(crate) unread: usize,
}

/// `None` = no S3 notification. The test event that S3 sends when a notification is set up names nothing.
pub(crate) fn read(body: &str, own_bucket: &str) -> Option<Objects> {
    let json: Value = serde_json::from_str(body).ok()?;
    if json.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Some(Objects::default());
    }
    let records = json.get("Records")?.as_array()?;
    if !records.iter().any(|record| record.get("s3").is_some()) {
        return None;
    }
    let mut objects = Objects::default();
    for record in records {
        let text = |path: &str| record.pointer(path).and_then(Value::as_str);
        if text("/eventName").is_some_and(|name| !name.contains("ObjectCreated")) {
            continue;
        }
        match (text("/s3/bucket/name"), text("/s3/object/key")) {
            (Some(bucket), Some(key)) if bucket == own_bucket && !key.is_empty() => objects.keys.push(decoded(key)),
            _ => objects.unread += 1,
        }
    }
    Some(objects)
}

/// Keys are URL-encoded in notifications, a blank as `+`.
fn decoded(key: &str) -> String {
    let blanks = key.replace('+', " ");
    percent_decode_str(&blanks).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(bucket: &str, key: &str) -> Value {
        json!({ "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
                "s3": { "bucket": { "name": bucket }, "object": { "key": key } } })
    }

    #[test]
    fn keys_of_ours_are_read() {
        let body = json!({ "Records": [record("b", "raw/ses/a%2Bb+c"), record("other", "raw/x"), json!({})] });
        let read = read(&body.to_string(), "b").unwrap();
        assert_eq!(read, Objects { keys: vec!["raw/ses/a+b c".to_owned()], unread: 2 });
    }

    #[test]
    fn what_is_none() {
        for (body, expected) in [
            (json!({ "Service": "Amazon S3", "Event": "s3:TestEvent" }), Some(0)),
            (json!({ "Records": [{ "eventName": "ObjectRemoved:Delete", "s3": {} }] }), Some(0)),
            (json!({ "Records": [{ "Sns": {} }] }), None),
            (json!({ "work": "sweep" }), None),
            (json!([]), None),
        ] {
            assert_eq!(read(&body.to_string(), "b").map(|o| o.keys.len() + o.unread), expected, "{body}");
        }
    }
}
