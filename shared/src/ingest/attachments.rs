//! What is kept beside the raw octets: attachments, and the payload that a mail was made from.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Copy, Ingest};
use crate::{
    blobs::{BlobError, BlobKey},
    inbound::InboundMessage,
    outcome::IngestError,
    parse::ParsedMessage,
};

/// Attachments uploaded at once; each holds its octets in memory.
const UPLOADS_MAX: usize = 2;

impl Ingest {
    /// Puts the attachments that are taken out of the mail.
    pub(super) async fn upload(&self, copy: &Copy<'_>, done: bool) -> Result<(), IngestError> {
        if done {
            return Ok(());
        }
        let raw_key = &copy.arrival.accept.raw_key;
        let refused = copy.refused_attachments();
        let attachments = copy.reading.parsed.attachments.iter().zip(&refused).enumerate();
        let kept: Vec<(BlobKey, Bytes)> = attachments
            .filter(|(_, (_, refused))| refused.is_none())
            .map(|(n, (a, _))| (BlobKey::attachment(raw_key, n, &a.sha256), a.content.clone()))
            .collect();
        let puts =
            stream::iter(kept).map(|(key, content)| async move { self.blobs.put_attachment(&key, content).await });
        puts.buffer_unordered(UPLOADS_MAX).try_collect::<()>().await.map_err(IngestError::Attachment)
    }

    /// Puts the payload, where there is one.
    pub(super) async fn keep(&self, inbound: &InboundMessage) -> Result<(), BlobError> {
        match &inbound.payload {
            Some(body) => self.blobs.put_payload(&BlobKey::payload(&inbound.ingress.door, body), body.clone()).await,
            None => Ok(()),
        }
    }
}

/// Keeps what a virus scanner did not pass out of the bucket's attachments; the raw has it.
pub(super) fn withhold(parsed: &mut ParsedMessage) {
    for attachment in &mut parsed.attachments {
        attachment.refused.get_or_insert_with(|| "not-scanned".to_owned());
        attachment.content = Bytes::new();
    }
}
