//! What can go wrong with one call, in the words AWS uses for it.

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::call::{Call, Service, json_body};

pub(crate) type Answer = Result<HttpResponse, ConnectorError>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// Not sent: the connection was refused.
    Refused,
    /// Not sent: no answer in time. To the client the same as [`Fault::AnswerLost`].
    TimedOut,
    /// Not sent: the service answers 500.
    ServerError,
    /// Sent and applied; the answer does not arrive in time.
    AnswerLost,
    /// Not sent: another transaction holds an item, or another PUT the key. Of no effect on reads, queues and topics.
    Conflict,
    /// Not sent: too many requests.
    Throttled,
    /// Not sent: a BatchGetItem is told that none of its keys was processed. Of no effect on other calls.
    Unprocessed,
}

impl Fault {
    /// Each kind of failure once, for tests that try them all.
    pub(crate) const ALL: [Self; 6] =
        [Self::Refused, Self::TimedOut, Self::ServerError, Self::AnswerLost, Self::Conflict, Self::Throttled];

    /// What the client gets instead of a sent call; `None`: this call is sent.
    pub(super) fn instead(self, request: &HttpRequest, call: &Call) -> Option<Answer> {
        match self {
            Self::Refused => Some(Err(ConnectorError::io("injected: connection refused".into()).never_connected())),
            Self::TimedOut => Some(Err(timeout())),
            Self::ServerError => Some(Ok(match call.service {
                Service::DynamoDb => dynamodb_error(500, "InternalServerError", &json!({})),
                Service::S3 => s3_error(500, "InternalError"),
                Service::Sns => sns_error(500, "InternalError"),
                Service::Sqs => sqs_error(500, "InternalError"),
            })),
            Self::Throttled => Some(Ok(match call.service {
                Service::DynamoDb => dynamodb_error(400, "ProvisionedThroughputExceededException", &json!({})),
                Service::S3 => s3_error(503, "SlowDown"),
                Service::Sns => sns_error(400, "Throttling"),
                Service::Sqs => sqs_error(400, "RequestThrottled"),
            })),
            Self::Conflict => conflict(request, call).map(Ok),
            Self::Unprocessed => unprocessed(request, call),
            Self::AnswerLost => None,
        }
    }
}

pub(super) fn timeout() -> ConnectorError {
    ConnectorError::timeout("injected: no answer in time".into())
}

fn conflict(request: &HttpRequest, call: &Call) -> Option<HttpResponse> {
    match call.operation.as_str() {
        "TransactWriteItems" => {
            let body = json_body(request);
            let items = body.get("TransactItems").and_then(Value::as_array).map_or(1, Vec::len);
            let mut reasons = vec![json!({"Code": "None"}); items];
            reasons[0] = json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"});
            Some(dynamodb_error(400, "TransactionCanceledException", &json!({ "CancellationReasons": reasons })))
        }
        "PutItem" | "UpdateItem" | "DeleteItem" => {
            Some(dynamodb_error(400, "TransactionConflictException", &json!({})))
        }
        "PutObject" => Some(s3_error(409, "ConditionalRequestConflict")),
        _ => None,
    }
}

fn unprocessed(request: &HttpRequest, call: &Call) -> Option<Answer> {
    let asked = json_body(request).get("RequestItems")?.clone();
    let body = json!({ "Responses": {}, "UnprocessedKeys": asked });
    (call.operation == "BatchGetItem").then(|| Ok(response(200, "application/x-amz-json-1.0", body.to_string())))
}

fn dynamodb_error(status: u16, code: &str, members: &Value) -> HttpResponse {
    let mut body = members.clone();
    body["__type"] = format!("com.amazonaws.dynamodb.v20120810#{code}").into();
    // A transaction's error spells it with a capital, the others do not; both are read.
    let message = if code == "TransactionCanceledException" { "Message" } else { "message" };
    body[message] = format!("injected: {code}").into();
    response(status, "application/x-amz-json-1.0", body.to_string())
}

fn s3_error(status: u16, code: &str) -> HttpResponse {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>injected</Message><RequestId>0</RequestId></Error>"
    );
    response(status, "application/xml", body)
}

/// The query protocol's error.
pub(super) fn sns_error(status: u16, code: &str) -> HttpResponse {
    let by = if status < 500 { "Sender" } else { "Receiver" };
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>{by}</Type><Code>{code}</Code>\
         <Message>injected</Message></Error><RequestId>0</RequestId></ErrorResponse>"
    );
    response(status, "text/xml", body)
}

fn sqs_error(status: u16, code: &str) -> HttpResponse {
    let body = json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": format!("injected: {code}")});
    response(status, "application/x-amz-json-1.0", body.to_string())
}

pub(super) fn response(status: u16, content_type: &'static str, body: String) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
    response.headers_mut().insert("content-type", content_type);
    response
}

/// A small generator whose sequence is given by its seed (xorshift64*), so that a failed run can be run again.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap() % sides
    }
}
