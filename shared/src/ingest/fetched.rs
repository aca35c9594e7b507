//! Mail that the provider keeps for us: first there is only word of it, and `retry` fetches it.

use super::Ingest;
use crate::{
    inbound::InboundMessage,
    outcome::{Answer, IngestError},
    queue::Work,
    store::LedgerId,
};

impl Ingest {
    /// Takes word of a mail that is to be fetched: kept, and handed to the retry queue.
    ///
    /// # Errors
    /// The word is not safe, or the queue did not take it: the provider tells again.
    pub async fn announced(&self, inbound: InboundMessage) -> Result<Vec<Answer>, IngestError> {
        let accept = self.accept_unread(&inbound);
        self.keep(&inbound).await.map_err(IngestError::NotSafe)?;
        if let Some(queue) = &self.retry {
            let work = Work::Decide { accept: Box::new(accept.clone()) };
            queue.send(&work).await.map_err(IngestError::Queue)?;
        }
        let of = |recipient: super::Recipient<'_>| LedgerId::of(&accept.raw_key, recipient.id()).to_string();
        Ok(self.recipients(&accept).into_iter().map(|recipient| Answer::queued(of(recipient))).collect())
    }
}
