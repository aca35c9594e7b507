//! The table as DESIGN section 4 draws it, for the embedded engine. `template.yaml` says the same to CloudFormation.

use dynoxide::Database;
use dynoxide::errors::DynoxideError;
use serde_json::{Value, json};

use super::TABLE;

/// The engine's handle, which does not print itself.
#[derive(Clone)]
pub(super) struct Table(pub(super) Database);

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Table")
    }
}

/// Why the table is not there to be used.
pub(super) enum Trouble {
    OtherShape,
    Engine(Box<dyn std::error::Error + Send + Sync>),
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Engine(Box::new(error))
    }
}

/// What the listings show without reading the item itself. DynamoDB projects at most 20 named attributes into one index
/// and 100 into all indexes of a table (its developer guide, "Service quotas": secondary indexes).
const LISTED: [&str; 20] = [
    "number",
    "subject",
    "status",
    "priority",
    "queue",
    "mailbox",
    "requester",
    "updated_at",
    "created_at",
    "entry_count",
    "outcome",
    "effect",
    "cause",
    "reasons",
    "author",
    "ticket_number",
    "entry",
    "received_at",
    "door",
    "raw_key",
];

/// What the sweep of due items needs.
const DUE: [&str; 2] = ["outcome", "ticket"];

/// The `CreateTable` request of the one table.
pub fn definition() -> Value {
    let keys = ["pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk", "gsi3pk", "gsi3sk", "gsi4pk", "gsi4sk"];
    json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": keys.map(|name| json!({"AttributeName": name, "AttributeType": "S"})),
        "KeySchema": key_schema("pk", "sk"),
        "GlobalSecondaryIndexes": [
            index("gsi1", &LISTED),
            index("gsi2", &LISTED),
            index("gsi3", &LISTED),
            index("gsi4", &DUE),
        ],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    })
}

fn index(name: &str, attributes: &[&str]) -> Value {
    json!({
        "IndexName": name,
        "KeySchema": key_schema(&format!("{name}pk"), &format!("{name}sk")),
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": attributes},
    })
}

fn key_schema(partition: &str, sort: &str) -> Value {
    json!([
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ])
}

/// Makes the table where it is missing; refuses one of another shape, whose indexes would silently answer less.
pub(super) fn ensure(database: &Database) -> Result<(), Trouble> {
    match database.describe_table(request(json!({"TableName": TABLE}))?) {
        Ok(answer) => expect_shape(&serde_json::to_value(answer)?)?,
        Err(DynoxideError::ResourceNotFoundException(_)) => {
            database.create_table(request(definition())?)?;
        }
        Err(error) => return Err(error.into()),
    }
    let name = json!({"TableName": TABLE});
    let expiry = database.describe_time_to_live(request(name)?)?;
    let expiry = serde_json::to_value(expiry)?;
    if expiry.pointer("/TimeToLiveDescription/AttributeName").is_none() {
        let by =
            json!({"TableName": TABLE, "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": true}});
        database.update_time_to_live(request(by)?)?;
    }
    Ok(())
}

fn expect_shape(described: &Value) -> Result<(), Trouble> {
    let wanted = definition();
    let shapes = |list: Option<&Value>| -> Vec<String> {
        let indexes = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut shapes: Vec<String> = indexes.iter().map(shape).collect();
        shapes.sort();
        shapes
    };
    let found = shapes(described.pointer("/Table/GlobalSecondaryIndexes"));
    if found == shapes(wanted.get("GlobalSecondaryIndexes")) { Ok(()) } else { Err(Trouble::OtherShape) }
}

/// An index as one comparable text: its name, keys and sorted projection.
fn shape(index: &Value) -> String {
    let text = |pointer: &str| index.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let attributes = index.pointer("/Projection/NonKeyAttributes").and_then(Value::as_array);
    let mut names: Vec<&str> = attributes.into_iter().flatten().filter_map(Value::as_str).collect();
    names.sort_unstable();
    format!(
        "{} {} {} {} {}",
        text("/IndexName"),
        text("/KeySchema/0/AttributeName"),
        text("/KeySchema/1/AttributeName"),
        text("/Projection/ProjectionType"),
        names.join(",")
    )
}

fn request<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Trouble> {
    Ok(serde_json::from_value(value)?)
}
