//! What no webhook brought: each provider that can tell is asked, by a schedule, which mail it has for us.
//!
//! Nothing here decides anything: what is missing is told of as if its provider had done so, and the ledger and the
//! message index see to it that nothing counts twice.

mod mailgun;
mod postmark;

use jiff::{SignedDuration, Timestamp};

use super::Ingest;
use crate::{
    door::{Door, Provider},
    fetch::{FetchError, Fetcher},
    outcome::IngestError,
    telemetry::Metric,
};

/// No new question after so long: the function's minute has room for one slow answer more.
const RUN_MAX: SignedDuration = SignedDuration::from_secs(30);

/// What one run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Stored mail that was told of here.
    pub announced: usize,
    /// Failed mail that its provider delivers again.
    pub redriven: usize,
    /// Mail too large to come, which has a stub now.
    pub stubs: usize,
    /// Passes that broke off; the next run goes on.
    pub broken: usize,
}

impl Reconciled {
    fn add(&mut self, other: Self) {
        self.announced += other.announced;
        self.redriven += other.redriven;
        self.stubs += other.stubs;
        self.broken += other.broken;
    }
}

/// Why a pass broke off.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Ingest(#[from] IngestError),
}

impl From<crate::store::StoreError> for Broken {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Ingest(error.into())
    }
}

/// One run.
struct Run<'a> {
    ingest: &'a Ingest,
    fetcher: &'a Fetcher,
    began: Timestamp,
}

impl Run<'_> {
    fn is_over(&self) -> bool {
        self.ingest.ambient.now().duration_since(self.began) > RUN_MAX
    }
}

impl Ingest {
    /// Goes through all doors whose provider can tell. One that cannot be asked now does not stand in the way of others.
    pub async fn reconcile(&self) -> Reconciled {
        let mut all = Reconciled::default();
        let Some(fetcher) = &self.fetcher else { return all };
        let run = Run { ingest: self, fetcher, began: self.ambient.now() };
        for door in fetcher.doors().iter().filter(|door| door.enabled) {
            match door.provider {
                Provider::Mailgun => {
                    for domain in &door.domains {
                        all.add(run.judged(door, domain, Box::pin(run.stored(door, domain)).await));
                    }
                }
                Provider::Postmark => all.add(run.judged(door, "failed", Box::pin(run.failed(door)).await)),
                Provider::Sendgrid | Provider::Ses | Provider::Raw | Provider::Imap => {}
            }
        }
        for (metric, value) in [
            (Metric::Reconciled, all.announced),
            (Metric::Redriven, all.redriven),
            (Metric::Stubs, all.stubs),
            (Metric::ReconcileBroken, all.broken),
        ] {
            self.metric(metric, value as u64);
        }
        all
    }
}

impl Run<'_> {
    /// What a pass did; one that broke off is told once, here.
    fn judged(&self, door: &Door, what: &str, (did, end): (Reconciled, Result<(), Broken>)) -> Reconciled {
        let Err(error) = end else { return did };
        // Each stack has a door for Postmark: who sets no token does without. Domains of Mailgun are set by somebody.
        if door.provider == Provider::Postmark && matches!(&error, Broken::Fetch(FetchError::NoKey(_))) {
            tracing::debug!(door = door.id.as_str(), what, %error, "not looked at");
            return did;
        }
        tracing::error!(door = door.id.as_str(), what, %error, "a look at the provider broke off; the next one goes on");
        Reconciled { broken: 1, ..did }
    }
}
