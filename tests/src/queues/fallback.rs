//! The HTTP door with the retry queue behind it: safe mail that cannot be decided is queued, and the provider hears 200.

use super::redrive::{take_retry_messages, work_off_the_retry_queue};
use crate::{
    doors::{Encoding, Form, MAILGUN_KEY, POSTMARK_LOGIN, door_with, hear, operator},
    harness::{fault::Fault, wire::Wire},
    world::{World, mail, one},
};
use postern::secrets::SecretSource;

/// The table is down from the second call on; the bucket and the queue are well.
fn table_down(wire: &Wire) {
    wire.fail_service(crate::harness::call::Service::DynamoDb, Fault::ServerError);
}

#[tokio::test]
async fn while_the_table_is_down_mail_is_queued() {
    let world = World::new().await;
    let wire = Wire::new();
    table_down(&wire);
    let answer = one(world.door_over(&wire).run(mail("o", "cust").copy("1").inbound()).await);
    assert_eq!((answer.status, answer.outcome, answer.ticket_id), ("queued", "queued", None));
    assert_eq!(answer.reasons, ["retry-queue"]);
    assert!(world.items("").await.is_empty());
    work_off_the_retry_queue(&world, &Wire::new()).await;
    let end = world.end_state().await;
    assert_eq!((end.partition.as_str(), end.ledger), ("o", vec!["1/support created committed".to_owned()]));
    let row = world.items("MAIL#").await.into_keys().next().unwrap();
    assert_eq!(
        answer.inbound_id,
        format!("{}/{}", row.0.trim_start_matches("MAIL#"), row.1),
        "the id that the provider was told"
    );
}

#[tokio::test]
async fn the_provider_hears_200_and_the_token_is_spent_in_the_end() {
    let world = World::new().await;
    let wire = Wire::new();
    let secret = || SecretSource::Text(operator(&[MAILGUN_KEY], &[POSTMARK_LOGIN]));
    let form = Form::mailgun(Encoding::Multipart, "t", &mail("o", "cust").octets("1"));
    let door = door_with(world.door_over(&wire), secret());
    door.settings.current().await.unwrap();
    table_down(&wire);
    let heard = hear(&door, form.request()).await;
    assert_eq!((heard.status, heard.text("status")), (200, "queued"));
    work_off_the_retry_queue(&world, &Wire::new()).await;
    assert_eq!(world.items("TOKEN#").await.len(), 1, "the accept record carried it");
    assert_eq!(world.end_state().await.partition, "o");
}

#[tokio::test]
async fn with_the_queue_down_too_the_sender_tries_again() {
    let world = World::new().await;
    let wire = Wire::new();
    table_down(&wire);
    wire.fail_service(crate::harness::call::Service::Sqs, Fault::ServerError);
    let error = world.door_over(&wire).run(mail("o", "cust").copy("1").inbound()).await.unwrap_err();
    assert!(error.retryable(), "{error}");
    assert!(take_retry_messages(&world).await.is_empty());
}

#[tokio::test]
async fn mail_that_is_not_safe_is_never_queued() {
    let world = World::new().await;
    let wire = Wire::new();
    wire.fail_service(crate::harness::call::Service::S3, Fault::ServerError);
    let error = world.door_over(&wire).run(mail("o", "cust").copy("1").inbound()).await.unwrap_err();
    assert!(!error.raw_is_safe(), "{error}");
    assert!(take_retry_messages(&world).await.is_empty());
}
