//! Mailgun: the stored events of a domain, oldest first, against ledger and message index.
//!
//! Events arrive out of order, so each pass begins half an hour before the point up to which all was seen, and that point
//! never comes nearer to the present than half an hour. It moves when a pass is complete; a pass that breaks off goes on
//! at the page where it stood.

use jiff::{SignedDuration, Timestamp};
use tracing::Instrument;

use super::{Broken, Reconciled, Run};
use crate::{
    blobs::BlobKey,
    digest::sha256_hex,
    door::Door,
    envelope::Envelope,
    fetch::{StoredEvent, first_page},
    inbound::{Fetch, InboundMessage, Ingress, Origin, Verdicts},
    store::{
        LedgerId,
        cursor::{Cursor, Pass},
        keys::{self, Key},
    },
    telemetry,
};

/// How far events may be out of order (Mailgun API reference, "Event polling").
const OUT_OF_ORDER: SignedDuration = SignedDuration::from_mins(30);
/// How long the webhook has before its mail counts as missed.
const YOUNG: SignedDuration = SignedDuration::from_mins(15);
/// How long Mailgun keeps a mail, and so how far back the first pass looks.
const KEPT: SignedDuration = SignedDuration::from_hours(72);
/// Pages of one run, 300 events each.
const PAGES_MAX: usize = 20;
/// Mail told of in one run; the next one, a quarter of an hour later, goes on.
const ANNOUNCED_MAX: usize = 100;

impl Run<'_> {
    /// One domain's stored events.
    pub(super) async fn stored(&self, door: &Door, domain: &str) -> (Reconciled, Result<(), Broken>) {
        let mut did = Reconciled::default();
        let end = self.pass(door, domain, &mut did).await;
        (did, end)
    }

    async fn pass(&self, door: &Door, domain: &str, did: &mut Reconciled) -> Result<(), Broken> {
        let store = &self.ingest.store;
        let mut cursor = store.cursor(&door.id, domain).await?;
        for _ in 0..PAGES_MAX {
            if self.is_over() {
                return Ok(());
            }
            let pass = cursor.pass.clone().unwrap_or_else(|| self.begun(door, domain, &cursor));
            let page = match self.fetcher.stored_events(door, &pass.next).await {
                Ok(page) => page,
                // A page that is not there any more: the pass begins anew, from what was seen for certain.
                Err(error) if cursor.pass.is_some() && !error.is_passing() => {
                    store.move_cursor(&door.id, domain, Cursor { pass: None, ..cursor }).await?;
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            };
            if page.unread > 0 {
                tracing::warn!(door = door.id.as_str(), domain, unread = page.unread, "events without a URL or a time");
            }
            if !self.announce_missed(door, &page.events, did).await? {
                return Ok(());
            }
            let complete = page.next.is_none();
            let seen_until = if complete { cursor.seen_until.max(Some(pass.until)) } else { cursor.seen_until };
            let pass = page.next.map(|next| Pass { next, ..pass });
            cursor = store.move_cursor(&door.id, domain, Cursor { seen_until, pass, ..cursor }).await?;
            if complete {
                return Ok(());
            }
        }
        Ok(())
    }

    fn begun(&self, door: &Door, domain: &str, cursor: &Cursor) -> Pass {
        let before = |at: Timestamp, pause| at.checked_sub(pause).unwrap_or(at);
        let oldest = before(self.began, KEPT);
        let from = cursor.seen_until.map_or(oldest, |seen| before(seen, OUT_OF_ORDER).max(oldest));
        Pass { until: before(self.began, OUT_OF_ORDER), next: first_page(door.region, domain, from) }
    }

    /// Tells of those that are not here; `false` = there is more on this page than one run tells of.
    async fn announce_missed(&self, door: &Door, events: &[StoredEvent], did: &mut Reconciled) -> Result<bool, Broken> {
        let young = self.began.checked_sub(YOUNG).unwrap_or(self.began);
        let old: Vec<(InboundMessage, Copies)> =
            events.iter().filter(|event| event.at <= young).map(|event| self.told(door, event)).collect();
        let all = old.iter().flat_map(|(_, copies)| copies.iter().flatten().cloned()).collect();
        let here = self.ingest.store.here(all).await?;
        for (inbound, copies) in old {
            if copies.iter().all(|keys| keys.iter().any(|key| here.contains(key))) || !self.is_ours(&inbound) {
                continue;
            }
            // A URL of ours may have named another mailbox than the address does.
            let raw_key = self.ingest.accept_unread(&inbound).raw_key;
            if !self.ingest.store.copies(&raw_key).await?.is_empty() {
                continue;
            }
            if did.announced >= ANNOUNCED_MAX || self.is_over() {
                return Ok(false);
            }
            self.ingest.announced(inbound).instrument(telemetry::span("missed")).await?;
            did.announced += 1;
            tracing::warn!(door = door.id.as_str(), "a stored mail that no webhook told of; it is fetched");
        }
        Ok(true)
    }

    /// A route of somebody else's may store mail of the same domain: only what is addressed to a mailbox of ours, or comes
    /// by a door that is one's own, was meant for us.
    fn is_ours(&self, inbound: &InboundMessage) -> bool {
        let known = |address| self.ingest.mailboxes.by_address(address).is_some();
        inbound.mailbox.is_some() || inbound.envelope.forward_paths.iter().any(known)
    }

    /// The event as a notification, and under which keys each of its copies would be here.
    fn told(&self, door: &Door, event: &StoredEvent) -> (InboundMessage, Copies) {
        let until = event.at.checked_add(KEPT).unwrap_or(event.at);
        let inbound = InboundMessage {
            raw: bytes::Bytes::new(),
            origin: Origin::Received,
            envelope: Envelope { forward_paths: event.recipients.clone(), ..Envelope::default() },
            ingress: Ingress::at(door, Some(sha256_hex(event.key.as_bytes())), event.at),
            verdicts: Verdicts::default(),
            mailbox: door.mailbox.clone(),
            replay_guard: None,
            payload: Some(event.json.clone()),
            fetch: Some(Fetch {
                url: event.url.clone(),
                size: event.size,
                attachments: event.attachments.clone(),
                until,
            }),
        };
        let accept = self.ingest.accept_unread(&inbound);
        let raw_key = BlobKey::fetched(door.id.as_str(), &event.url);
        let copies = self.ingest.recipients(&accept).into_iter().map(|recipient| {
            let ledger = LedgerId::of(raw_key.as_str(), recipient.id()).key();
            let index = recipient.mailbox().zip(event.message_id.as_ref());
            let index = index.map(|(mailbox, id)| keys::index(&mailbox.scope, id));
            std::iter::once(ledger).chain(index).collect()
        });
        let copies = copies.collect();
        (inbound, copies)
    }
}

/// For each copy, the keys of which one says that it is here.
type Copies = Vec<Vec<Key>>;
