//! What the handler process writes to its log: one trace from the provider's event to the ticket, and the metrics.

use std::collections::BTreeSet;

use postern::inbound::Ingress;
use serde_json::{Value, json};

use super::{Handler, body, bootstrap, environment, event, mail_of, now, write_secrets};
use crate::{
    harness::runtime_api::RuntimeApi,
    world::{SUPPORT, mail, text},
};
use postern_cli::engines::{Engines, TABLE};

/// A function's process, over engines of its own but for what is changed in its environment.
struct Rig {
    engines: Engines,
    api: RuntimeApi,
    handler: Handler,
    _secrets: tempfile::TempDir,
}

impl Rig {
    async fn webhook(name: &'static str, value: &str) -> Self {
        let binary = bootstrap("POSTERN_BOOTSTRAP", env!("CARGO_BIN_EXE_webhook-under-test"));
        Self::of(&binary, |_| vec![(name, value.to_owned())]).await
    }

    async fn receipt() -> Self {
        let binary = bootstrap("POSTERN_BOOTSTRAP_RECEIPT", env!("CARGO_BIN_EXE_receipt-under-test"));
        let queue = |engines: &Engines| {
            let endpoints = engines.endpoints();
            vec![
                ("POSTERN_RECEIPT_QUEUE", endpoints.queue_urls().receipt),
                ("AWS_ENDPOINT_URL_SQS", endpoints.sqs.clone()),
            ]
        };
        Self::of(&binary, queue).await
    }

    async fn of(binary: &str, other: impl FnOnce(&Engines) -> Vec<(&'static str, String)>) -> Self {
        let (engines, api) = (Engines::start(None).await.unwrap(), RuntimeApi::start().await);
        let secrets = tempfile::tempdir().unwrap();
        write_secrets(secrets.path());
        let mut environment = environment(&api, &engines, secrets.path());
        for (name, value) in other(&engines) {
            environment.retain(|(known, _)| *known != name);
            environment.push((name, value));
        }
        let handler = Handler::of(binary, &environment);
        Self { engines, api, handler, _secrets: secrets }
    }

    async fn receive(&mut self, name: &str) -> Value {
        self.handler.invoke(&self.api, &event(name, &mail_of(name, 1_000))).await.unwrap()
    }
}

/// Each line of the log, which is JSON and nothing else.
fn lines(log: &[String]) -> Vec<Value> {
    log.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
}

#[tokio::test]
async fn one_trace_leads_from_the_event_to_the_ticket() {
    let mut rig = Rig::webhook("POSTERN_STACK", "help").await;
    let answer = rig.receive("traced").await;
    assert_eq!(body(&answer)["status"], "created", "{answer}");
    let log = rig.handler.log().await;

    // What the table says of it is the other end of the trace.
    let (dynamodb, _) = rig.engines.clients(None);
    let items = dynamodb.scan().table_name(TABLE).consistent_read(true).send().await.unwrap();
    let of = |prefix: &str| items.items().iter().find(|item| text(item, "pk").starts_with(prefix)).unwrap().clone();
    let entry = items.items().iter().find(|item| text(item, "sk").starts_with("ENTRY#")).unwrap();
    let ingress = of("MAIL#")["ingress"].as_m().unwrap().clone();
    let ingress = Ingress {
        door: text(&ingress, "door"),
        provider: text(&ingress, "provider"),
        event_id: Some(text(&ingress, "event_id")).filter(|id| !id.is_empty()),
        transport_time: "2026-11-02T09:00:00Z".parse().unwrap(),
    };
    let trace_id = ingress.trace_id(&text(&of("MAIL#"), "raw_key")).unwrap();
    assert!(ingress.event_id.is_some(), "the provider has an id of its own");
    assert_eq!(text(entry, "trace_id"), trace_id, "the entry knows it");

    let lines = lines(&log);
    let decided: Vec<&Value> = lines.iter().filter(|line| line["message"] == "mail decided").collect();
    assert_eq!(decided.len(), 1, "{log:#?}");
    assert_eq!(decided[0]["span"]["trace_id"], trace_id.as_str());
    let metrics: Vec<&Value> = lines.iter().filter(|line| line.get("_aws").is_some()).collect();
    assert_eq!(metrics.len(), 2, "of the copy, and of the hand-over: {log:#?}");
    let (copy, hand_over) = (metrics[0], metrics[1]);
    assert_eq!(copy["trace_id"], trace_id.as_str());
    assert_eq!(
        (&copy["Stack"], &copy["Door"], &copy["Outcome"]),
        (&json!("help"), &json!("mailgun"), &json!("created"))
    );
    assert_eq!((&copy["Mails"], &copy["AttachmentsRefused"]), (&json!(1), &Value::Null));
    assert!(copy["TimeToTicket"].is_u64() && copy["AttachmentBytes"].as_u64() > Some(0), "{copy}");
    assert!(hand_over["Inbound"] == 1 && hand_over["ProcessingTime"].is_u64(), "{hand_over}");

    let whole = log.join("\n");
    println!("log of one mail at the webhook: {} lines, {} octets", log.len(), whole.len());
    for private in ["cust@people.example", SUPPORT, "traced", "three files", "f0.bin"] {
        assert!(!whole.contains(private), "{private} is in the log:\n{whole}");
    }
}

/// A trouble on the way is logged within the same trace, on whichever line it is told.
#[tokio::test]
async fn what_goes_wrong_is_told_within_the_trace() {
    // Nobody listens there: nothing can be stored, and the queue does not take it either.
    let mut rig = Rig::webhook("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9").await;
    let answer = rig.receive("lost").await;
    assert_eq!(answer["statusCode"], 503, "{answer}");
    let lines = lines(&rig.handler.log().await);
    let told: Vec<&Value> = lines.iter().filter(|line| line["level"] == "ERROR" || line["level"] == "WARN").collect();
    let traces: BTreeSet<Option<&str>> = told.iter().map(|line| line["span"]["trace_id"].as_str()).collect();
    assert!(!told.is_empty() && traces.len() == 1 && !traces.contains(&None), "{told:#?}");
    assert!(lines.iter().all(|line| line.get("Inbound").is_none()), "it was not taken");
}

/// What a queue brings was taken when it came first, however that try ended; what comes again says how long it waits.
#[tokio::test]
async fn a_letter_is_inbound_once_and_its_waiting_is_told() {
    let mut rig = Rig::receipt().await;
    let copy = mail("late", "cust").copy("late");
    let letter = |receives| {
        let body = crate::queues::sns(&crate::queues::notification(&copy));
        let mut record = crate::queues::record("postern-receipt", "m", &body, receives);
        let first = now().as_millisecond() - 1_900_000;
        record["attributes"]["ApproximateFirstReceiveTimestamp"] = json!(first.to_string());
        crate::queues::event(&[record])
    };
    let again = json!({ "batchItemFailures": [{ "itemIdentifier": "m" }] });
    assert_eq!(rig.handler.invoke(&rig.api, &letter(1)).await.unwrap(), again, "SES has not written it yet");
    let (_, s3) = rig.engines.clients(None);
    let octets = aws_sdk_s3::primitives::ByteStream::from(copy.mail.octets("late"));
    s3.put_object().bucket(postern_cli::engines::BUCKET).key("raw/ses/late").body(octets).send().await.unwrap();
    assert_eq!(rig.handler.invoke(&rig.api, &letter(2)).await.unwrap(), json!({ "batchItemFailures": [] }));
    let log = rig.handler.log().await;
    let told = |name: &str| -> Vec<u64> { lines(&log).iter().filter_map(|line| line[name].as_u64()).collect() };
    assert_eq!((told("Inbound"), told("Mails")), (vec![1], vec![1]), "{log:#?}");
    let waited = told("Waiting");
    assert!(waited.len() == 1 && (1_900..2_000).contains(&waited[0]), "{waited:?}");
}
