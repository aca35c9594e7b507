//! What the engine says that a call took: DynamoDB tells it where the request asks (`ReturnConsumedCapacity`).

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::call::json_body;

/// Capacity units of some calls, as DynamoDB counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Consumed {
    /// Write units of the table itself.
    pub(crate) table: f64,
    /// Write units of its indexes.
    pub(crate) indexes: f64,
    /// Read units.
    pub(crate) read: f64,
}

impl Consumed {
    pub(crate) fn written(&self) -> f64 {
        self.table + self.indexes
    }
}

/// Asks for the units of table and indexes.
pub(super) fn ask(request: &mut HttpRequest) {
    let mut body = json_body(request);
    body["ReturnConsumedCapacity"] = json!("INDEXES");
    let body = body.to_string();
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
}

/// Adds what the answer says.
pub(super) fn note(operation: &str, response: &HttpResponse, consumed: &mut Consumed) {
    let body: Value = response.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let told = match &body["ConsumedCapacity"] {
        Value::Array(tables) => tables.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    for table in told {
        let units = |value: &Value| value["CapacityUnits"].as_f64().unwrap_or_default();
        let indexes: f64 =
            table["GlobalSecondaryIndexes"].as_object().into_iter().flatten().map(|(_, of)| units(of)).sum();
        if matches!(operation, "GetItem" | "BatchGetItem" | "Query" | "TransactGetItems") {
            consumed.read += units(&table);
        } else {
            consumed.table += units(&table["Table"]);
            consumed.indexes += indexes;
        }
    }
}
