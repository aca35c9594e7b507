//! SQS's JSON protocol: what is asked, how faults look. SQS was an XML service first; its SDKs read the old code of a fault
//! from `x-amzn-query-error`.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::server;
use super::queue::Refused;

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// A refused request. Texts and codes are AWS's, so that a client that matches on them finds them here.
#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    /// `__type` of the body.
    kind: &'static str,
    /// The old code.
    code: &'static str,
    message: String,
}

impl Fault {
    fn sender(kind: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind, code, message: message.into() }
    }

    pub(super) fn no_queue() -> Self {
        let code = "AWS.SimpleQueueService.NonExistentQueue";
        Self::sender("com.amazonaws.sqs#QueueDoesNotExist", code, "The specified queue does not exist.")
    }

    pub(super) fn parameter(reason: impl Into<String>) -> Self {
        Self::sender("com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue", reason)
    }

    pub(super) fn value(value: impl std::fmt::Display, name: &str, reason: &str) -> Self {
        Self::parameter(format!("Value {value} for parameter {name} is invalid. Reason: {reason}."))
    }

    pub(super) fn missing(name: &str) -> Self {
        let message = format!("The request must contain the parameter {name}.");
        Self::sender("com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter", message)
    }

    pub(super) fn contents() -> Self {
        let kind = "com.amazonaws.sqs#InvalidMessageContents";
        Self::sender(kind, "InvalidMessageContents", "Invalid characters found.")
    }

    pub(super) fn unsupported(what: &str) -> Self {
        let kind = "com.amazonaws.sqs#UnsupportedOperation";
        let message = format!("The local queue engine does not know {what}.");
        Self::sender(kind, "AWS.SimpleQueueService.UnsupportedOperation", message)
    }

    pub(super) fn empty_batch() -> Self {
        let code = "AWS.SimpleQueueService.EmptyBatchRequest";
        let message = "There should be at least one entry in the request.";
        Self::sender("com.amazonaws.sqs#EmptyBatchRequest", code, message)
    }

    pub(super) fn large_batch() -> Self {
        let code = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest";
        let message = "Maximum number of entries per request are 10.";
        Self::sender("com.amazonaws.sqs#TooManyEntriesInBatchRequest", code, message)
    }

    pub(super) fn long_batch(limit: usize) -> Self {
        let code = "AWS.SimpleQueueService.BatchRequestTooLong";
        let message = format!("Batch requests cannot be longer than {limit} bytes.");
        Self::sender("com.amazonaws.sqs#BatchRequestTooLong", code, message)
    }

    pub(super) fn repeated_entry(id: &str) -> Self {
        let code = "AWS.SimpleQueueService.BatchEntryIdsNotDistinct";
        Self::sender("com.amazonaws.sqs#BatchEntryIdsNotDistinct", code, format!("Id {id} repeated."))
    }

    /// As an entry of a batch's `Failed`.
    pub(super) fn entry(&self, id: &str) -> Value {
        json!({"Id": id, "SenderFault": self.status.is_client_error(), "Code": self.code, "Message": self.message})
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotAHandle => Self::sender(
                "com.amazonaws.sqs#ReceiptHandleIsInvalid",
                "ReceiptHandleIsInvalid",
                "The input receipt handle is invalid.",
            ),
            Refused::NotHeld => Self::parameter(
                "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for \
                 visibility timeout change.",
            ),
            Refused::NotInFlight => Self::sender(
                "com.amazonaws.sqs#MessageNotInflight",
                "AWS.SimpleQueueService.MessageNotInflight",
                "The specified message isn't in flight.",
            ),
            Refused::TooLong => Self::parameter(
                "Value for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is \
                 beyond the limit [43200 seconds].",
            ),
            Refused::Io(error) => Self::from(error),
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            kind: "com.amazon.coral.service#InternalFailure",
            code: "InternalFailure",
            message: format!("a file of the queue cannot be written: {error}"),
        }
    }
}

/// The members that are not understood; a message attribute that is silently dropped would be a lie.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Send {
    pub(super) id: String,
    pub(super) message_body: String,
    pub(super) delay_seconds: Option<i64>,
    pub(super) message_attributes: Option<serde_json::Map<String, Value>>,
    pub(super) message_system_attributes: Option<serde_json::Map<String, Value>>,
    pub(super) message_group_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Receive {
    pub(super) max_number_of_messages: Option<i64>,
    pub(super) visibility_timeout: Option<i64>,
    pub(super) wait_time_seconds: Option<i64>,
    pub(super) attribute_names: Vec<String>,
    pub(super) message_system_attribute_names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Held {
    pub(super) id: String,
    pub(super) receipt_handle: String,
    pub(super) visibility_timeout: Option<i64>,
}

/// The answer to a request.
pub(super) fn response(result: Result<Value, Fault>) -> Response<Full<Bytes>> {
    match result {
        Ok(answer) => server::response(StatusCode::OK, CONTENT_TYPE, answer.to_string().into()),
        Err(fault) => {
            if fault.status.is_server_error() {
                tracing::error!(why = fault.message, "a queue does not work");
            }
            let body = json!({"__type": fault.kind, "message": fault.message}).to_string();
            let mut response = server::response(fault.status, CONTENT_TYPE, body.into());
            let whose = if fault.status.is_client_error() { "Sender" } else { "Receiver" };
            if let Ok(code) = HeaderValue::try_from(format!("{};{whose}", fault.code)) {
                response.headers_mut().insert("x-amzn-query-error", code);
            }
            response
        }
    }
}
