//! What is logged: never a subject, a body, an address or a secret.

use super::suite::{WAYS, forgeries, open, secret};
use crate::{
    doors::hear,
    harness::{call::Service, fault::Fault, log::Log, wire::Wire},
    world::{World, mail},
};

/// Words that stand in subject, body, addresses, Message-ID and secrets of the requests below.
const SECRETS: [&str; 11] = [
    "Quince",
    "Medlar",
    "bodyword",
    "cust@",
    "people.example",
    "us.example",
    "Walnut",
    "Hazel",
    "ids.example",
    "Rowan",
    "Yew",
];

/// Everything of ours at every level, of others what a function shows (`telemetry.rs`: theirs from warnings on).
const FILTER: &str = "warn,postern=trace,postern_webhook=trace";

#[tokio::test]
async fn no_request_leaves_its_words_in_the_log() {
    let log = Log::of(FILTER);
    for way in WAYS {
        let world = World::new().await;
        let app = open(&world, &Wire::new(), &secret(false));
        let good = mail("bodyword", "cust").subject("Quince jelly").field("X-Note: Medlar").octets("good");
        let held = mail("bodyword2", "cust").field("Auto-Submitted: auto-replied").octets("held");
        for request in [way.good("a", &good), way.good("a", &good), way.good("b", &held), way.without_mail()] {
            assert_eq!(hear(&app, request).await.status, 200, "{way:?}");
        }
        for request in [Some(way.forged(&good)), Some(way.unproven(&good)), Some(way.garbage()), way.other_webhook()] {
            let Some(request) = request else { continue };
            assert!(hear(&app, request).await.status <= 503, "{way:?}");
        }
        for (what, request) in forgeries(way, &good) {
            assert!(hear(&app, request).await.status <= 503, "{what}");
        }
        let unset = open(&world, &Wire::new(), "Walnut is no JSON");
        assert_eq!(hear(&unset, way.good("c", &good)).await.status, 503);
        let wire = Wire::new();
        let down = open(&world, &wire, &secret(false));
        wire.fail_service(Service::S3, Fault::ServerError);
        assert_eq!(hear(&down, way.good("d", &mail("bodyword3", "cust").octets("late"))).await.status, 503);
    }
    let log = log.text();
    for expected in ["mail decided", "request not taken", "cannot be read", "mail not taken", "\"octets\""] {
        assert!(log.contains(expected), "the log lacks {expected:?}, so this test sees nothing: {log}");
    }
    for word in SECRETS {
        let line = log.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "{word:?} is in the log");
    }
}
