//! A failure at every call of the fetch path, on AWS's side and on the provider's: whoever asked asks again, and the end
//! state is the one without faults.

use serde_json::{Value, json};

use super::{
    Outbound, SharedHttpConnector, Side, Unreliable, mail, now, postmark, reconcile, take_retry_messages,
    unreliable::Trouble, until_done, word,
};
use crate::harness::{fault::Fault, wire::Wire};

/// Calls looked at; more than any case makes.
const CALLS_MAX: usize = 60;
/// How often a provider tells again, and runs of a schedule, before a test gives up.
const TRIES_MAX: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    /// Told of, fetched, decided; with a single-use token.
    Told,
    /// The header chooses among two mailboxes.
    ByHeader,
    /// Two mailboxes, one letter.
    ForTwo,
    /// The letter is lost: the sweep.
    Swept,
    /// Mailgun's events tell of it.
    Reconciled,
    /// Postmark has given it up.
    Redriven,
    /// Postmark has given it up, and it can never come.
    Stub,
}

impl Case {
    /// The system before.
    async fn before(self) -> Side {
        let mut side =
            if matches!(self, Self::ByHeader | Self::ForTwo) { Side::with_two().await } else { Side::new().await };
        side.keeps("a", &mail("o", "cust"));
        match self {
            Self::Told | Self::ByHeader | Self::ForTwo => {}
            Self::Swept => {
                side.tell(self.word()).await;
                take_retry_messages(&side.world).await;
            }
            Self::Reconciled => {
                let events = [reconcile::stored("a", "o", 0), reconcile::stored("b", "p", 1)];
                side.keeps("b", &mail("p", "cust"));
                reconcile::stored_events(&side, self.time(), &events);
                reconcile::nothing_since(&side, now());
            }
            Self::Redriven | Self::Stub => {
                side.settings.doors = postern::door::Doors::default();
                postmark::lists(&side, self.time(), &["id-1"]);
                postmark::keeps(&side, "id-1", "film", if self == Self::Stub { 30_000_000 } else { 100 });
            }
        }
        side
    }

    fn word(self) -> postern::inbound::InboundMessage {
        let copy = mail("o", "cust").copy("1").token("t", "A");
        word(
            "a",
            &match self {
                Self::ByHeader => copy.forward(&["alias@us.example"]),
                Self::ForTwo => copy.forward(&["support@us.example", "billing@us.example"]),
                _ => copy,
            },
        )
    }

    fn time(self) -> jiff::Timestamp {
        now() + jiff::SignedDuration::from_mins(60)
    }

    /// Everything that happens, over wires that may break; each one who asks asks again until it hears that it is done.
    async fn play(self, side: &Side, wire: &Wire, outbound: &Outbound, what: &str) {
        let app = side.retry(wire, outbound.clone(), self.time());
        match self {
            Self::Told | Self::ByHeader | Self::ForTwo => {
                let door = side.world.door_over(wire);
                let mut tries = 0;
                while let Err(error) = door.announced(self.word()).await {
                    tries += 1;
                    assert!(error.retryable() && tries < TRIES_MAX, "{what}: {error}");
                }
            }
            Self::Swept => run(&app, "sweep", what, |told| told["retold"].is_u64()).await,
            Self::Reconciled | Self::Redriven | Self::Stub => {
                run(&app, "reconcile", what, |told| told["broken"] == json!(0)).await;
            }
        }
        // The letters, those that a fault has doubled, and what the next sweep finds without one.
        for _ in 0..2 {
            for letter in &take_retry_messages(&side.world).await {
                until_done(&app, letter, what).await;
            }
            side.sweep(100).await;
        }
    }
}

async fn run(app: &postern_retry::App, work: &str, what: &str, done: impl Fn(&Value) -> bool) {
    for _ in 0..TRIES_MAX {
        if app.handle(json!({ "work": work })).await.is_ok_and(|told| done(&told)) {
            return;
        }
    }
    panic!("{what}: {TRIES_MAX} runs of {work} and no end");
}

/// What is there afterwards: every copy has ended, no mail has two entries, nothing waits.
async fn end(side: &Side) -> (crate::world::EndState, Vec<String>, bool) {
    let delivered = side.asked().iter().any(|asked| asked.starts_with("PUT"));
    assert!(take_retry_messages(&side.world).await.is_empty());
    (side.world.end_state().await, side.rows().await, delivered)
}

#[tokio::test]
async fn any_call_of_the_fetch_path_may_fail() {
    disturbed("fetch path", &[Case::Told, Case::ByHeader, Case::ForTwo, Case::Swept]).await;
}

#[tokio::test]
async fn any_call_of_a_look_at_the_providers_may_fail() {
    disturbed("reconciliation", &[Case::Reconciled, Case::Redriven, Case::Stub]).await;
}

async fn disturbed(title: &str, cases: &[Case]) {
    let (mut all_aws, mut all_provider) = (0, 0);
    println!("| case | calls to AWS | calls to the provider |\n|---|---|---|");
    for case in cases.iter().copied() {
        let calm = case.before().await;
        case.play(&calm, &Wire::new(), &calm.provider.outbound(), "undisturbed").await;
        let expected = end(&calm).await;
        let (mut aws, mut provider) = (0, 0);
        for fault in Fault::ALL {
            for n in 1..CALLS_MAX {
                let what = format!("{case:?}, call {n} to AWS, {fault:?}");
                let (side, wire) = (case.before().await, Wire::new());
                wire.fail_call(n, fault);
                case.play(&side, &wire, &side.provider.outbound(), &what).await;
                if wire.struck() == 0 && n > wire.count() {
                    break;
                }
                aws += wire.struck();
                assert_eq!(end(&side).await, expected, "{what}");
            }
        }
        for trouble in Trouble::ALL {
            for n in 1..CALLS_MAX {
                let what = format!("{case:?}, call {n} to the provider, {trouble:?}");
                let side = case.before().await;
                let broken = Unreliable::new(&side.provider, n, trouble);
                let outbound = Outbound::over(SharedHttpConnector::new(broken.clone()));
                case.play(&side, &Wire::new(), &outbound, &what).await;
                if broken.struck() == 0 {
                    break;
                }
                provider += broken.struck();
                assert_eq!(end(&side).await, expected, "{what}");
            }
        }
        println!("| {case:?} | {aws} | {provider} |");
        assert!(aws > 0 && provider > 0, "{case:?}: no fault struck");
        (all_aws, all_provider) = (all_aws + aws, all_provider + provider);
    }
    println!("{title}: {} fault points ({all_aws} to AWS, {all_provider} to providers)", all_aws + all_provider);
}
