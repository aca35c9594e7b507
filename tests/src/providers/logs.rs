//! What is logged: never a subject, a body, an address or a secret.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::suite::{WAYS, forgeries, open, secret};
use crate::{
    doors::hear,
    harness::{call::Service, fault::Fault, wire::Wire},
    world::{World, mail},
};

#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<u8>>>);

impl Collected {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Collected {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Collected {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

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
    let collected = Collected::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter(EnvFilter::new(FILTER))
        .with_writer(collected.clone())
        .finish();
    // While there is one subscriber only, a line that another thread's test passes first is switched off for all of them.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_env_filter(EnvFilter::new("off")).finish());
    let _guard = tracing::subscriber::set_default(subscriber);
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
    let log = collected.text();
    for expected in ["mail decided", "request not taken", "cannot be read", "mail not taken", "\"octets\""] {
        assert!(log.contains(expected), "the log lacks {expected:?}, so this test sees nothing: {log}");
    }
    for word in SECRETS {
        let line = log.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "{word:?} is in the log");
    }
}
