//! SNS's query protocol: a form in, XML out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Display;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;

use super::super::server;
use super::{EVENTS_TOPIC, MESSAGE_SIZE_MAX, Topic};

/// Entries of a batch, attributes of a message that are looked for (SNS API).
const ENTRIES_MAX: usize = 10;

struct Fault {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Fault {
    fn sender(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }

    fn parameter(reason: &str) -> Self {
        Self::sender("InvalidParameter", format!("Invalid parameter: {reason}"))
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        let message = format!("the log of events cannot be written: {error}");
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, code: "InternalError", message }
    }
}

/// The fields of a form.
struct Form(HashMap<String, String>);

impl Form {
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

pub(super) fn answer(topic: &Topic, body: &Bytes) -> Response<Full<Bytes>> {
    let form = Form(form_urlencoded::parse(body).into_owned().collect());
    let action = form.get("Action");
    let result = match action {
        "Publish" => expect_topic(&form).and_then(|()| publish(topic, &form, "")).map(|id| tag("MessageId", &id)),
        "PublishBatch" => expect_topic(&form).and_then(|()| publish_batch(topic, &form)),
        other => Err(Fault::sender("InvalidAction", format!("The local topic engine does not know {other:?}."))),
    };
    match result {
        Ok(result) => {
            let body = format!(
                "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><{action}Result>{result}\
                 </{action}Result></{action}Response>"
            );
            server::response(StatusCode::OK, "text/xml", body.into())
        }
        Err(fault) => refused(&fault),
    }
}

/// The engine itself broke.
pub(super) fn internal(error: &dyn Display) -> Response<Full<Bytes>> {
    refused(&Fault::from(std::io::Error::other(error.to_string())))
}

fn refused(fault: &Fault) -> Response<Full<Bytes>> {
    if fault.status.is_server_error() {
        tracing::error!(why = fault.message, "the topic does not work");
    }
    let whose = if fault.status.is_client_error() { "Sender" } else { "Receiver" };
    let inside = [tag("Type", whose), tag("Code", fault.code), tag("Message", &fault.message)].concat();
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error>{inside}</Error></ErrorResponse>"
    );
    server::response(fault.status, "text/xml", body.into())
}

fn tag(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}

fn expect_topic(form: &Form) -> Result<(), Fault> {
    if form.get("TopicArn") == EVENTS_TOPIC {
        return Ok(());
    }
    Err(Fault { status: StatusCode::NOT_FOUND, code: "NotFound", message: "Topic does not exist".to_owned() })
}

/// Publishes the message whose fields begin with `prefix`; answers its id.
fn publish(topic: &Topic, form: &Form, prefix: &str) -> Result<String, Fault> {
    let message = form.get(&format!("{prefix}Message"));
    if message.is_empty() {
        return Err(Fault::parameter("Empty message"));
    }
    let attributes = attributes(form, prefix)?;
    let size = message.len() + attributes.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    if size > MESSAGE_SIZE_MAX {
        return Err(Fault::parameter("Message too long"));
    }
    Ok(topic.publish(message.to_owned(), attributes)?)
}

fn attributes(form: &Form, prefix: &str) -> Result<BTreeMap<String, String>, Fault> {
    let mut attributes = BTreeMap::new();
    for n in 1.. {
        let entry = format!("{prefix}MessageAttributes.entry.{n}");
        let name = form.get(&format!("{entry}.Name"));
        if name.is_empty() {
            break;
        }
        let (kind, value) =
            (form.get(&format!("{entry}.Value.DataType")), form.get(&format!("{entry}.Value.StringValue")));
        if kind.is_empty() || value.is_empty() {
            let code = "ParameterValueInvalid";
            let why = format!("The message attribute '{name}' must contain a type and a non-empty value.");
            return Err(Fault::sender(code, why));
        }
        attributes.insert(name.to_owned(), value.to_owned());
    }
    Ok(attributes)
}

fn publish_batch(topic: &Topic, form: &Form) -> Result<String, Fault> {
    let entries: Vec<String> = (1..)
        .map(|n| format!("PublishBatchRequestEntries.member.{n}."))
        .take_while(|prefix| !form.get(&format!("{prefix}Id")).is_empty())
        .collect();
    let id = |prefix: &String| form.get(&format!("{prefix}Id"));
    let mut ids = HashSet::new();
    match entries.len() {
        0 => return Err(Fault::sender("EmptyBatchRequest", "The batch request doesn't contain any entries.")),
        1..=ENTRIES_MAX => {}
        _ => {
            let why = "The batch request contains more entries than permissible.";
            return Err(Fault::sender("TooManyEntriesInBatchRequest", why));
        }
    }
    if !entries.iter().map(id).all(|id| ids.insert(id)) {
        let why = "Two or more batch entries in the request have the same Id.";
        return Err(Fault::sender("BatchEntryIdsNotDistinct", why));
    }
    if entries.iter().map(|prefix| form.get(&format!("{prefix}Message")).len()).sum::<usize>() > MESSAGE_SIZE_MAX {
        let why = "The length of all the batch messages put together is more than the limit.";
        return Err(Fault::sender("BatchRequestTooLong", why));
    }
    let (mut successful, mut failed) = (String::new(), String::new());
    for prefix in &entries {
        let id = tag("Id", id(prefix));
        match publish(topic, form, prefix) {
            Ok(message) => successful += &format!("<member>{id}{}</member>", tag("MessageId", &message)),
            Err(fault) => {
                let whose = tag("SenderFault", if fault.status.is_client_error() { "true" } else { "false" });
                let why = [tag("Code", fault.code), tag("Message", &fault.message), whose].concat();
                failed += &format!("<member>{id}{why}</member>");
            }
        }
    }
    Ok(format!("<Successful>{successful}</Successful><Failed>{failed}</Failed>"))
}
