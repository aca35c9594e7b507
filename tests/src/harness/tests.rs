//! The harness, seen working: a guard nobody tested guards nothing.

mod gate;
mod runtime_api;
mod wire;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use postern_cli::engines::TABLE;

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn put(table: &Client, pk: &str) -> PutItemFluentBuilder {
    table.put_item().table_name(TABLE).item("pk", text(pk)).item("sk", text("TICKET"))
}

fn transact_put(pk: &str, sk: &str) -> TransactWriteItem {
    let put = Put::builder().table_name(TABLE).item("pk", text(pk)).item("sk", text(sk));
    TransactWriteItem::builder().put(put.condition_expression("attribute_not_exists(pk)").build().unwrap()).build()
}

async fn exists(table: &Client, pk: &str) -> bool {
    let get = table.get_item().table_name(TABLE).key("pk", text(pk)).key("sk", text("TICKET"));
    get.consistent_read(true).send().await.unwrap().item().is_some()
}
