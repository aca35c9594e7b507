//! Postmark: inbound mail that it gave up is delivered again; what can never come gets a stub.
//!
//! Postmark's own date of receipt decides for how long: seven days. Each run goes through the next part of the list, so
//! that mail which fails each time hides none.

use jiff::SignedDuration;
use tracing::Instrument;

use super::{Broken, Reconciled, Run};
use crate::{
    door::Door,
    envelope::Envelope,
    fetch::Details,
    inbound::{AcceptRecord, InboundMessage, Ingress, Origin, Verdicts},
    ingest::Ingest,
    outcome::{Answer, IngestError},
    store::{cursor::Cursor, keys},
    telemetry,
};

/// Name of the cursor.
const LIST: &str = "failed";
/// How long failed mail is delivered again.
const TRIED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Mail of one run.
const MAILS_MAX: usize = 50;

impl Run<'_> {
    /// A door's failed mail.
    pub(super) async fn failed(&self, door: &Door) -> (Reconciled, Result<(), Broken>) {
        let mut did = Reconciled::default();
        let end = self.next_part(door, &mut did).await;
        (did, end)
    }

    async fn next_part(&self, door: &Door, did: &mut Reconciled) -> Result<(), Broken> {
        if self.is_over() {
            return Ok(());
        }
        let store = &self.ingest.store;
        let cursor = store.cursor(&door.id, LIST).await?;
        let since = self.began.checked_sub(TRIED_FOR).unwrap_or(self.began);
        let ids = self.fetcher.failed(door, since, cursor.offset, MAILS_MAX).await?;
        let (mut stay, mut looked_at) = (0_u64, 0);
        let mut broken = None;
        for id in &ids {
            if self.is_over() {
                break;
            }
            looked_at += 1;
            match self.one(door, id, did).instrument(telemetry::span("missed")).await {
                // What is delivered again is not on the list any more.
                Ok(left) => stay += u64::from(!left),
                Err(error) => {
                    stay += 1;
                    broken = Some(error);
                }
            }
        }
        let last = ids.len() < MAILS_MAX && looked_at == ids.len();
        let offset = if last { 0 } else { cursor.offset.saturating_add(stay) };
        if offset != cursor.offset {
            store.move_cursor(&door.id, LIST, Cursor { offset, ..cursor }).await?;
        }
        broken.map_or(Ok(()), Err)
    }

    /// One mail; true where Postmark has it under way again.
    async fn one(&self, door: &Door, id: &str, did: &mut Reconciled) -> Result<bool, Broken> {
        let details = self.fetcher.details(door, id).await?;
        let inbound = self.stub_of(door, &details);
        if self.is_here(&inbound, &details).await? {
            return Ok(false);
        }
        if let Some(why) = details.never_comes(self.began) {
            let answers = self.ingest.run_flagged(inbound, why).await?;
            let new = answers.iter().any(|answer| !answer.was_seen_before());
            did.stubs += usize::from(new);
            if new {
                tracing::warn!(door = door.id.as_str(), id, "a mail that never comes here has a stub");
            }
            return Ok(false);
        }
        self.fetcher.deliver_again(door, id).await?;
        did.redriven += 1;
        tracing::warn!(door = door.id.as_str(), id, "Postmark had given a mail up; it delivers it again");
        Ok(true)
    }

    /// Whether each mailbox has it, as its Message-ID says.
    async fn is_here(&self, inbound: &InboundMessage, details: &Details) -> Result<bool, Broken> {
        let Some(id) = details.rfc_id() else { return Ok(false) };
        let accept = self.ingest.accepted(inbound).await;
        let recipients = self.ingest.recipients(&accept);
        let indexed = recipients.iter().map(|recipient| Some(keys::index(&recipient.mailbox()?.scope, &id)));
        let Some(keys) = indexed.collect::<Option<Vec<_>>>() else { return Ok(false) };
        let here = self.ingest.store.here(keys.clone()).await?;
        Ok(keys.iter().all(|key| here.contains(key)))
    }

    fn stub_of(&self, door: &Door, details: &Details) -> InboundMessage {
        InboundMessage {
            raw: details.stub(),
            origin: Origin::Rebuilt,
            envelope: Envelope { forward_paths: details.recipients(), ..Envelope::default() },
            ingress: Ingress::at(door, Some(details.message_id.clone()), self.began),
            // Nothing was proved of what is not here.
            verdicts: Verdicts::default(),
            mailbox: door.mailbox.clone(),
            replay_guard: None,
            payload: None,
            fetch: None,
        }
    }
}

impl Ingest {
    /// As [`Ingest::run`], for mail of which its door has something to say: a flag of its entry, and a reason.
    ///
    /// # Errors
    /// As there.
    async fn run_flagged(&self, inbound: InboundMessage, flag: &str) -> Result<Vec<Answer>, IngestError> {
        let mut arrival = self.arrive(inbound).await;
        arrival.accept.flags.push(flag.to_owned());
        self.run_arrival(arrival).await
    }

    /// How a mail whose octets are here is accepted.
    async fn accepted(&self, inbound: &InboundMessage) -> AcceptRecord {
        self.arrive(inbound.clone()).await.accept
    }
}
