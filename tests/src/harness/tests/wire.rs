//! Recording and faults, against the real engines.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sns::types::PublishBatchRequestEntry;
use postern::aws::Clients;
use postern_cli::engines::{BUCKET, Engines, TABLE};

use super::super::call::Service;
use super::super::fault::Fault;
use super::super::wire::Wire;
use super::{exists, put, transact_put};

#[tokio::test]
async fn calls_are_named_counted_and_measured_in_round_trips() {
    let engines = Engines::start(None).await.unwrap();
    let wire = Wire::new();
    let (table, objects) = wire.clients(&engines);

    let object = objects.put_object().bucket(BUCKET).key("raw/webhook/1").body(ByteStream::from_static(b"raw"));
    object.send().await.unwrap();
    // Joined: one round trip, though two calls.
    let (row, head) =
        tokio::join!(put(&table, "TICKET#1").send(), objects.head_object().bucket(BUCKET).key("raw/webhook/1").send(),);
    row.unwrap();
    head.unwrap();
    let commit = table.transact_write_items().transact_items(transact_put("MAIL#a", "desk"));
    let commit = commit.transact_items(transact_put("TICKET#2", "TICKET"));
    commit.transact_items(transact_put("TICKET#2", "ENTRY#1#a")).send().await.unwrap();

    assert_eq!((wire.count(), wire.depth()), (4, 3));
    let mut calls = wire.take();
    calls.sort_by_key(|call| (call.depth, call.service == Service::S3));
    let seen: Vec<_> = calls.iter().map(|c| (c.operation.as_str(), c.target.as_str(), c.depth)).collect();
    assert_eq!(
        seen,
        [
            ("PutObject", "raw/webhook/1", 1),
            ("PutItem", "TICKET", 2),
            ("HeadObject", "raw/webhook/1", 2),
            ("TransactWriteItems", "MAIL+TICKET+ENTRY", 3),
        ]
    );
    assert_eq!((wire.count(), wire.depth(), wire.calls()), (0, 0, Vec::new()));
}

#[tokio::test]
async fn each_fault_is_the_error_the_sdk_would_give() {
    let engines = Engines::start(None).await.unwrap();
    let wire = Wire::new();
    let (table, _) = wire.clients(&engines);
    for (n, fault) in (1..).zip(Fault::ALL) {
        wire.fail_call(n, fault);
        let item = transact_put(&format!("TICKET#{n}"), "TICKET");
        let other = transact_put(&format!("MAIL#{n}"), "desk");
        let error = table.transact_write_items().transact_items(item).transact_items(other).send().await.unwrap_err();
        match fault {
            Fault::Refused => assert!(matches!(&error, SdkError::DispatchFailure(e) if e.is_io()), "{error:?}"),
            Fault::TimedOut | Fault::AnswerLost => {
                assert!(matches!(&error, SdkError::DispatchFailure(e) if e.is_timeout()), "{error:?}");
            }
            Fault::ServerError => assert!(error.into_service_error().is_internal_server_error()),
            Fault::Throttled => assert!(error.into_service_error().is_provisioned_throughput_exceeded_exception()),
            Fault::Conflict => match error.into_service_error() {
                TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                    let codes: Vec<_> = cancelled.cancellation_reasons().iter().map(|r| r.code()).collect();
                    assert_eq!(codes, [Some("TransactionConflict"), Some("None")]);
                    assert!(cancelled.message().is_some());
                }
                other => panic!("{other:?}"),
            },
            Fault::Unprocessed => panic!("not among the failures of a transaction"),
        }
    }
    assert_eq!(wire.struck(), Fault::ALL.len());
    for (n, fault) in (1..).zip(Fault::ALL) {
        assert_eq!(exists(&table, &format!("TICKET#{n}")).await, fault == Fault::AnswerLost, "{fault:?}");
    }
}

#[tokio::test]
async fn faults_on_s3_speak_its_language() {
    let engines = Engines::start(None).await.unwrap();
    let wire = Wire::new();
    let (_, objects) = wire.clients(&engines);
    let codes = [
        (Fault::ServerError, 500, "InternalError"),
        (Fault::Throttled, 503, "SlowDown"),
        (Fault::Conflict, 409, "ConditionalRequestConflict"),
    ];
    for (n, (fault, status, code)) in (1..).zip(codes) {
        wire.fail_call(n, fault);
        let error = objects.put_object().bucket(BUCKET).key("raw/webhook/1").send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
        assert_eq!(error.code(), Some(code));
    }
    let absent = objects.head_object().bucket(BUCKET).key("raw/webhook/1").send().await.unwrap_err();
    assert!(absent.into_service_error().is_not_found(), "none of them was sent");
}

#[tokio::test]
async fn queues_and_topics_are_named_and_fail_in_their_own_words() {
    let engines = Engines::start(None).await.unwrap();
    let wire = Wire::new();
    let Clients { sqs, sns, .. } = wire.aws(&engines);
    let failures = [Fault::ServerError, Fault::Throttled, Fault::Refused, Fault::TimedOut];
    let codes = [
        (Some("InternalError"), Some("InternalError")),
        (Some("RequestThrottled"), Some("Throttling")),
        (None, None),
        (None, None),
    ];
    for (n, (fault, (of_queue, of_topic))) in failures.into_iter().zip(codes).enumerate() {
        wire.fail_call(2 * n + 1, fault);
        wire.fail_call(2 * n + 2, fault);
        let send = sqs.send_message().queue_url("https://sqs.us-east-1.amazonaws.com/1/retry").message_body("{}");
        let error = send.send().await.unwrap_err();
        assert_eq!(error.code(), of_queue, "{fault:?}: {error:?}");
        let entry = PublishBatchRequestEntry::builder().id("0").message("{}").build().unwrap();
        let publish = sns.publish_batch().topic_arn("arn:aws:sns:us-east-1:1:events");
        let error = publish.publish_batch_request_entries(entry).send().await.unwrap_err();
        assert_eq!(error.code(), of_topic, "{fault:?}: {error:?}");
    }
    assert_eq!(wire.struck(), 2 * failures.len(), "none of them was sent");
    let calls = wire.calls();
    let seen: Vec<_> = calls.iter().map(|c| (c.service, c.operation.as_str(), c.target.as_str())).collect();
    let once = [(Service::Sqs, "SendMessage", "retry"), (Service::Sns, "PublishBatch", "events")];
    assert_eq!(seen, once.repeat(failures.len()));
}

#[tokio::test]
async fn a_lost_answer_was_applied_and_only_the_first_is_lost() {
    let engines = Engines::start(None).await.unwrap();
    let wire = Wire::new();
    let (table, _) = wire.clients(&engines);
    wire.lose_answer_of_first("PutItem");
    assert!(!exists(&table, "TICKET#1").await, "a read is not a PutItem");
    put(&table, "TICKET#1").send().await.unwrap_err();
    assert!(exists(&table, "TICKET#1").await);
    put(&table, "TICKET#2").send().await.unwrap();
    assert_eq!(wire.struck(), 1);
}

#[tokio::test]
async fn a_fault_strikes_the_call_it_was_ordered_for_and_no_other() {
    let engines = Engines::start(None).await.unwrap();
    let wire = Wire::new();
    let (table, _) = wire.clients(&engines);
    wire.fail_call(2, Fault::Refused);
    // A read cannot conflict: it is sent.
    wire.fail_call(4, Fault::Conflict);
    put(&table, "TICKET#1").send().await.unwrap();
    put(&table, "TICKET#2").send().await.unwrap_err();
    put(&table, "TICKET#3").send().await.unwrap();
    assert!(exists(&table, "TICKET#3").await);
    assert_eq!(wire.struck(), 1);
}

#[tokio::test]
async fn conflicts_come_by_seed_and_only_to_transactions() {
    let engines = Engines::start(None).await.unwrap();
    let mut patterns = Vec::new();
    for (round, seed) in [7, 7, 8].into_iter().enumerate() {
        let wire = Wire::new();
        let (table, _) = wire.clients(&engines);
        wire.conflicts(seed, 30);
        let mut pattern = Vec::new();
        for n in 0..40 {
            put(&table, "TICKET#1").send().await.unwrap();
            let item = transact_put(&format!("TICKET#{round}-{n}"), "TICKET");
            pattern.push(table.transact_write_items().transact_items(item).send().await.is_err());
        }
        assert_eq!(wire.struck(), pattern.iter().filter(|refused| **refused).count());
        assert!((5..=20).contains(&wire.struck()), "about 30 % of 40: {}", wire.struck());
        patterns.push(pattern);
    }
    assert_eq!(patterns[0], patterns[1], "the same seed, the same conflicts");
    assert_ne!(patterns[0], patterns[2]);
}

#[tokio::test]
async fn answers_of_any_size_pass_unchanged() {
    let engines = Engines::start(None).await.unwrap();
    let wire = Wire::new();
    let (table, objects) = wire.clients(&engines);
    let octets: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let object = objects.put_object().bucket(BUCKET).key("raw/webhook/1").body(ByteStream::from(octets.clone()));
    object.send().await.unwrap();
    let back = objects.get_object().bucket(BUCKET).key("raw/webhook/1").send().await.unwrap();
    assert!(back.body.collect().await.unwrap().into_bytes() == octets);
    table.describe_table().table_name(TABLE).send().await.unwrap();
}
