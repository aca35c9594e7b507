//! The embedded engines hold what the product leans on: data survives, one conditional PUT wins, one process holds.

pub(crate) mod clock;
mod notifications;
mod pumps;
mod queues;
mod sources;
mod stream;
mod topic;

use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteGlobalSecondaryIndexAction, GlobalSecondaryIndexUpdate};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use postern_cli::engines::{
    BUCKET, Endpoints, EngineError, Engines, TABLE, read_endpoints, table_definition, write_endpoints,
};
use serde_json::Value;

const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn keys() -> [String; 5] {
    [
        format!("raw/webhook-mailgun/{HEX}"),
        format!("payload/webhook-mailgun/{HEX}"),
        format!("accept/raw/webhook-mailgun/{HEX}.json"),
        format!("attachments/{HEX}/199-{HEX}"),
        "inbound/o3vrnil0e2ic28tr".to_owned(),
    ]
}

#[tokio::test]
async fn a_data_directory_reopened_holds_rows_objects_and_metadata() {
    let folder = tempfile::tempdir().unwrap();
    // As long as S3 lets user metadata be, with every character base64url knows.
    let accept: String = "AZaz09-_".chars().cycle().take(2_000).collect();

    let engines = Engines::start(Some(folder.path())).await.unwrap();
    let (table, objects) = engines.clients(None);
    let item = |name: &str| AttributeValue::S(name.to_owned());
    table
        .put_item()
        .table_name(TABLE)
        .item("pk", item("TICKET#1"))
        .item("sk", item("TICKET"))
        .item("gsi1pk", item("desk#open#0"))
        .item("gsi1sk", item("2026-11-22#1"))
        .item("subject", item("kept"))
        .send()
        .await
        .unwrap();
    for key in keys() {
        let body = ByteStream::from(key.clone().into_bytes());
        objects.put_object().bucket(BUCKET).key(key).metadata("accept", &accept).body(body).send().await.unwrap();
    }
    engines.stop().await;

    let engines = Engines::start(Some(folder.path())).await.unwrap();
    let (table, objects) = engines.clients(None);
    let found = table
        .query()
        .table_name(TABLE)
        .index_name("gsi1")
        .key_condition_expression("gsi1pk = :pk")
        .expression_attribute_values(":pk", item("desk#open#0"))
        .send()
        .await
        .unwrap();
    assert_eq!(found.items()[0]["subject"], item("kept"), "the index projects what listings show");
    for key in keys() {
        let object = objects.get_object().bucket(BUCKET).key(&key).send().await.unwrap();
        assert_eq!(object.metadata().unwrap()["accept"], accept, "{key}");
        assert_eq!(object.body.collect().await.unwrap().to_vec(), key.as_bytes());
    }
    let listed = objects.list_objects_v2().bucket(BUCKET).prefix("raw/").send().await.unwrap();
    assert_eq!(listed.contents().len(), 1);
}

#[tokio::test]
async fn an_absent_object_is_named_so() {
    let engines = Engines::start(None).await.unwrap();
    let (_, objects) = engines.clients(None);
    let head = objects.head_object().bucket(BUCKET).key("raw/webhook/none").send().await.unwrap_err();
    assert!(head.into_service_error().is_not_found());
    let get = objects.get_object().bucket(BUCKET).key("raw/webhook/none").send().await.unwrap_err();
    assert!(get.into_service_error().is_no_such_key());
}

#[tokio::test]
async fn a_conditional_put_on_an_existing_key_is_refused() {
    let engines = Engines::start(None).await.unwrap();
    let (_, objects) = engines.clients(None);
    let put = |body: &'static [u8]| {
        let body = ByteStream::from_static(body);
        objects.put_object().bucket(BUCKET).key("raw/webhook/one").if_none_match("*").body(body).send()
    };
    put(b"first").await.unwrap();
    let refused = put(b"second").await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 412);
    assert_eq!(refused.code(), Some("PreconditionFailed"));
    let kept = objects.get_object().bucket(BUCKET).key("raw/webhook/one").send().await.unwrap();
    assert_eq!(kept.body.collect().await.unwrap().to_vec(), b"first");

    objects.delete_object().bucket(BUCKET).key("raw/webhook/one").send().await.unwrap();
    put(b"third").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_conditional_puts_exactly_one_wins_whole() {
    let engines = Engines::start(None).await.unwrap();
    let (_, objects) = engines.clients(None);
    for round in 0..8 {
        let key = format!("raw/webhook/{round}");
        let rivals: Vec<_> = (0..16_u8)
            .map(|rival| {
                let body = ByteStream::from(vec![rival; 20_000]);
                let put = objects.put_object().bucket(BUCKET).key(&key).if_none_match("*");
                tokio::spawn(put.metadata("rival", rival.to_string()).body(body).send())
            })
            .collect();
        let mut winners = Vec::new();
        for (rival, put) in (0_u8..).zip(rivals) {
            match put.await.unwrap() {
                Ok(_) => winners.push(rival),
                Err(error) => assert_eq!(error.code(), Some("PreconditionFailed")),
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        let kept = objects.get_object().bucket(BUCKET).key(&key).send().await.unwrap();
        assert_eq!(kept.metadata().unwrap()["rival"], winners[0].to_string());
        assert_eq!(kept.body.collect().await.unwrap().to_vec(), vec![winners[0]; 20_000]);
    }
}

#[tokio::test]
async fn octets_without_their_metadata_are_no_object_yet() {
    let engines = Engines::start(None).await.unwrap();
    let (_, objects) = engines.clients(None);
    // What a process leaves that is killed in the middle of a PUT.
    let torn = engines.directory().join("objects").join(BUCKET).join("raw/webhook");
    std::fs::create_dir_all(&torn).unwrap();
    std::fs::write(torn.join("torn"), b"octets").unwrap();

    let head = objects.head_object().bucket(BUCKET).key("raw/webhook/torn").send().await.unwrap_err();
    assert!(head.into_service_error().is_not_found());
    let put =
        objects.put_object().bucket(BUCKET).key("raw/webhook/torn").if_none_match("*").metadata("accept", "record");
    put.body(ByteStream::from_static(b"octets")).send().await.unwrap();
    let whole = objects.head_object().bucket(BUCKET).key("raw/webhook/torn").send().await.unwrap();
    assert_eq!(whole.metadata().unwrap()["accept"], "record");
}

#[tokio::test]
async fn forty_megabytes_go_in_and_come_out() {
    let engines = Engines::start(None).await.unwrap();
    let (_, objects) = engines.clients(None);
    let octets: Arc<[u8]> = (0..40_u32 << 20).map(|n| n.to_le_bytes()[usize::from(n % 3 == 0)]).collect();
    let body = ByteStream::from(octets.to_vec());
    objects.put_object().bucket(BUCKET).key("raw/webhook/large").body(body).send().await.unwrap();
    let back = objects.get_object().bucket(BUCKET).key("raw/webhook/large").send().await.unwrap();
    assert!(back.body.collect().await.unwrap().into_bytes() == *octets, "the octets differ");
}

#[tokio::test]
async fn keys_that_leave_the_folder_or_break_a_file_name_are_refused() {
    let engines = Engines::start(None).await.unwrap();
    let (_, objects) = engines.clients(None);
    let long = "k".repeat(161);
    for (key, code) in [("raw/../../escaped", "InvalidArgument"), (long.as_str(), "KeyTooLongError")] {
        let put = objects.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"x"));
        assert_eq!(put.send().await.unwrap_err().code(), Some(code), "{key}");
    }
    let fits = objects.put_object().bucket(BUCKET).key("k".repeat(160)).body(ByteStream::from_static(b"x"));
    fits.send().await.unwrap();
}

#[tokio::test]
async fn one_process_holds_a_data_directory_and_says_where_it_listens() {
    let folder = tempfile::tempdir().unwrap();
    let engines = Engines::start(Some(folder.path())).await.unwrap();
    assert_eq!(read_endpoints(folder.path()).unwrap(), None, "nothing noted yet");
    let noted = Endpoints { http: Some("http://127.0.0.1:8080".to_owned()), ..engines.endpoints().clone() };
    write_endpoints(folder.path(), &noted).unwrap();

    let refused = Engines::start(Some(folder.path())).await.unwrap_err();
    assert!(matches!(&refused, EngineError::InUse { directory } if directory == folder.path()), "{refused}");
    let found = read_endpoints(folder.path()).unwrap().unwrap();
    assert_eq!(found, noted);
    let (table, _) = found.clients(None);
    table.describe_table().table_name(TABLE).send().await.unwrap();

    engines.stop().await;
    assert_eq!(read_endpoints(folder.path()).unwrap(), None, "the note goes with its writer");
    Engines::start(Some(folder.path())).await.unwrap();
}

#[tokio::test]
async fn a_temporary_folder_goes_with_its_engines() {
    let engines = Engines::start(None).await.unwrap();
    let folder = engines.directory().to_owned();
    assert!(folder.join("objects").is_dir());
    engines.stop().await;
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_directory_that_cannot_be_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("occupied");
    std::fs::write(&file, b"").unwrap();
    let refused = Engines::start(Some(&file)).await.unwrap_err().to_string();
    assert!(refused.contains("occupied") && refused.contains("--data"), "{refused}");
}

#[tokio::test]
async fn the_table_streams_expires_and_keeps_dynamodbs_index_limits() {
    let definition = table_definition();
    let indexes = definition["GlobalSecondaryIndexes"].as_array().unwrap();
    let projected = |index: &Value| index["Projection"]["NonKeyAttributes"].as_array().unwrap().len();
    assert!(indexes.iter().all(|index| projected(index) <= 20));
    assert!(indexes.iter().map(projected).sum::<usize>() <= 100);

    let engines = Engines::start(None).await.unwrap();
    let (table, _) = engines.clients(None);
    let described = table.describe_table().table_name(TABLE).send().await.unwrap().table.unwrap();
    assert_eq!(described.global_secondary_indexes().len(), 4);
    assert!(described.stream_specification().unwrap().stream_enabled());
    let expiry = table.describe_time_to_live().table_name(TABLE).send().await.unwrap();
    assert_eq!(expiry.time_to_live_description().unwrap().attribute_name(), Some("expires_at"));
}

#[tokio::test]
async fn a_table_of_another_version_or_a_broken_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let engines = Engines::start(Some(folder.path())).await.unwrap();
    let (table, _) = engines.clients(None);
    let drop_index = DeleteGlobalSecondaryIndexAction::builder().index_name("gsi4").build().unwrap();
    let without = GlobalSecondaryIndexUpdate::builder().delete(drop_index).build();
    table.update_table().table_name(TABLE).global_secondary_index_updates(without).send().await.unwrap();
    engines.stop().await;
    let refused = Engines::start(Some(folder.path())).await.unwrap_err();
    assert!(matches!(&refused, EngineError::OtherVersion { directory } if directory == folder.path()), "{refused}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("table.db");
    std::fs::write(&file, b"not a database, and longer than the header of one".repeat(9)).unwrap();
    let refused = Engines::start(Some(folder.path())).await.unwrap_err();
    assert!(matches!(&refused, EngineError::Table { directory, .. } if directory == folder.path()), "{refused}");
    assert!(std::fs::read(&file).unwrap().starts_with(b"not a database"));
}
