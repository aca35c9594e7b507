//! What the sender's side hears, in the spelling of its route.

use http::{Response, StatusCode, header};
use postern::outcome::{Answer, IngestError};
use serde_json::{Value, json};

use crate::route::Style;

/// The answer of a door that could not be built: the provider tries again, the operator reads why.
#[must_use]
pub fn not_ready(why: &str) -> Response<String> {
    told(StatusCode::SERVICE_UNAVAILABLE, "not-ready", why)
}

pub(crate) fn answered(result: Result<Vec<Answer>, IngestError>, style: Style, octets: usize) -> Response<String> {
    match result {
        Ok(answers) => {
            let mut answers = answers.into_iter().map(|answer| spelt(&answer, style));
            // A confirmed subscription is no mail.
            let Some(mut first) = answers.next() else {
                return respond(StatusCode::OK, &json!({ "status": "confirmed" }));
            };
            // Several configured recipients: the first copy answers, the others are listed.
            let others: Vec<Value> = answers.collect();
            if let (false, Some(object)) = (others.is_empty(), first.as_object_mut()) {
                object.insert("copies".to_owned(), json!(others));
            }
            respond(StatusCode::OK, &first)
        }
        Err(error) => {
            let retryable = error.retryable();
            tracing::error!(%error, retryable, octets, "mail not taken; the provider tries again");
            told(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &error.to_string())
        }
    }
}

/// Escalated's ports write snake case or camel case, and ids as whole numbers: both spellings stand in the answer. A
/// reply's number there is that of its row; here it is the first 52 bits of a hash, which JSON numbers hold exactly.
fn spelt(answer: &Answer, style: Style) -> Value {
    let mut json = json!(answer);
    let Some(object) = json.as_object_mut() else { return json };
    if style == Style::Postern {
        return json;
    }
    object.insert("inbound_id".to_owned(), json!(leading_bits(&answer.inbound_id)));
    let reply = answer.reply_id.as_deref().and_then(|entry| entry.rsplit('#').next()).map(leading_bits);
    object.insert("reply_id".to_owned(), json!(reply));
    for (snake, camel) in [
        ("inbound_id", "inboundId"),
        ("ticket_id", "ticketId"),
        ("ticket_number", "ticketNumber"),
        ("reply_id", "replyId"),
        ("pending_attachment_downloads", "pendingAttachmentDownloads"),
    ] {
        let value = object.get(snake).cloned().unwrap_or_default();
        object.insert(camel.to_owned(), value);
    }
    json
}

/// The first 13 hex digits as a number.
fn leading_bits(hex: &str) -> u64 {
    let digits = hex.chars().take(13).map_while(|c| c.to_digit(16));
    digits.fold(0, |number, digit| number << 4 | u64::from(digit))
}

pub(crate) fn with_hint(body: &str, hint: &str) -> String {
    let mut json: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(object) = json.as_object_mut() {
        object.insert("hint".to_owned(), json!(hint));
    }
    json.to_string()
}

pub(crate) fn told(status: StatusCode, code: &str, message: &str) -> Response<String> {
    respond(status, &json!({ "error": code, "message": message }))
}

fn respond(status: StatusCode, json: &Value) -> Response<String> {
    let mut response = Response::new(json.to_string());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
