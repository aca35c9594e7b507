//! Replaying: a raw object once more through the pipeline, exactly as first accepted.

use super::{Ingest, Open, already_ended};
use crate::{
    blobs::BlobError,
    fetch::FetchError,
    outcome::{Answer, IngestError},
    store::LedgerId,
};

/// How a replay ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// What was decided, now or before.
    Done(Vec<Answer>),
    /// Not possible, in words.
    Refused(String),
}

impl Ingest {
    /// Brings a copy in that is queued; one that has ended answers with its end. Replaying never makes anything twice.
    ///
    /// # Errors
    /// Table or bucket cannot be had, or the mail cannot be brought to its end now.
    pub async fn replay(&self, id: &LedgerId) -> Result<Replayed, IngestError> {
        let Some(row) = self.store.ledger_row(id).await? else {
            return Ok(Replayed::Refused(format!("no mail {id} in the ledger")));
        };
        if let Some(ended) = already_ended(id, Some(&row)) {
            return Ok(Replayed::Done(vec![ended]));
        }
        match self.accept_of(id, &row).await {
            Ok(accept) => match self.again(&accept, None).await {
                Err(IngestError::Unfetched(error @ FetchError::NoFetcher)) => {
                    Ok(Replayed::Refused(format!("{error}; `postern redrive` has it fetched")))
                }
                replayed => replayed.map(Replayed::Done),
            },
            Err(BlobError::Missing(key)) => Ok(Replayed::Refused(format!("there is no mail at {key}"))),
            Err(error) => Err(IngestError::Unread(error)),
        }
    }

    /// As [`Ingest::replay`], by the object's key: also mail that has no row at all.
    ///
    /// # Errors
    /// As there.
    pub async fn replay_object(&self, key: &str) -> Result<Replayed, IngestError> {
        self.account_for(key, Open::BringIn(None)).await?;
        let copies = self.store.copies(key).await?;
        if copies.is_empty() {
            return Ok(Replayed::Refused(format!("there is no mail at {key}")));
        }
        let mut answers = Vec::new();
        for (id, _) in &copies {
            match self.replay(id).await? {
                Replayed::Done(done) => answers.extend(done),
                refused @ Replayed::Refused(_) => return Ok(refused),
            }
        }
        Ok(Replayed::Done(answers))
    }
}
