//! The table's stream, as `publish` gets it.

use aws_sdk_dynamodb::types::AttributeValue;
use postern_cli::engines::stream::sequence_number;
use postern_cli::engines::{Engines, TABLE};
use serde_json::{Value, json};

/// Writes an item, due to be told or not.
pub(super) async fn write(engines: &Engines, pk: &str, due: bool) {
    let (table, _) = engines.clients(None);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = table.put_item().table_name(TABLE).item("pk", text(pk)).item("sk", text("TICKET"));
    let due = due.then(|| text("outbox#3"));
    let put = match due {
        Some(due) => put.item("gsi4pk", due).item("gsi4sk", text("2026")),
        None => put,
    };
    put.send().await.unwrap();
}

pub(super) fn names(records: &[Value]) -> Vec<&str> {
    records.iter().filter_map(|record| record.pointer("/dynamodb/Keys/pk/S")).filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn what_is_due_arrives_as_lambda_shapes_it_and_nothing_else() {
    let engines = Engines::start(None).await.unwrap();
    write(&engines, "A", true).await;
    write(&engines, "B", false).await;
    write(&engines, "C", true).await;
    write(&engines, "C", false).await;
    write(&engines, "B", true).await;
    let (table, _) = engines.clients(None);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    table.delete_item().table_name(TABLE).key("pk", text("A")).key("sk", text("TICKET")).send().await.unwrap();

    let batch = engines.stream().read(100).unwrap();
    let told: Vec<_> = batch.records.iter().map(|record| record["eventName"].as_str().unwrap()).collect();
    assert_eq!((names(&batch.records), told), (vec!["A", "C", "B"], vec!["INSERT", "INSERT", "MODIFY"]));
    let record = &batch.records[2];
    assert_eq!(record["eventSource"], "aws:dynamodb");
    assert_eq!(record["dynamodb"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert_eq!(record["dynamodb"]["NewImage"]["gsi4pk"], json!({"S": "outbox#3"}));
    assert_eq!(record["dynamodb"]["OldImage"]["pk"], json!({"S": "B"}));
    assert!(
        record["eventSourceARN"]
            .as_str()
            .unwrap()
            .starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/postern/")
    );
    let event: aws_lambda_events::event::dynamodb::Event =
        serde_json::from_value(json!({"Records": batch.records})).unwrap();
    assert_eq!(event.records[0].event_name, "INSERT");
}

#[tokio::test]
async fn a_reader_goes_on_behind_what_is_settled_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let engines = Engines::start(Some(folder.path())).await.unwrap();
    for pk in ["A", "B", "C"] {
        write(&engines, pk, true).await;
    }
    let mut stream = engines.stream();
    let first = stream.read(2).unwrap();
    assert_eq!(names(&first.records), ["A", "B"]);
    assert_eq!(stream.read(2).unwrap(), first, "the same again until it is settled");
    stream.settle(sequence_number(&first.records[0])).unwrap();
    assert_eq!(names(&stream.read(2).unwrap().records), ["B", "C"]);
    engines.stop().await;

    let engines = Engines::start(Some(folder.path())).await.unwrap();
    write(&engines, "D", true).await;
    let mut stream = engines.stream();
    let rest = stream.read(100).unwrap();
    assert_eq!(names(&rest.records), ["B", "C", "D"]);
    stream.settle(rest.upto.as_deref().unwrap()).unwrap();
    assert_eq!(stream.read(100).unwrap(), Default::default());
    engines.stop().await;

    std::fs::write(folder.path().join("stream.json"), b"torn").unwrap();
    let engines = Engines::start(Some(folder.path())).await.unwrap();
    assert_eq!(names(&engines.stream().read(100).unwrap().records), ["A", "B", "C", "D"], "rather twice than never");
}
