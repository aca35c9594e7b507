//! Dead letters: messages that a queue gave up after a hundred receives, or that nobody could be given.
//!
//! Each is parked as failed rows, from what the message alone says: whatever in the mail brought the process down a
//! hundred times is not looked at again. `postern redrive` brings it in once the fault is mended. Only what Lambda itself
//! gave up after minutes (a direct, asynchronous invocation) is brought in, counted.

use postern::{
    ingest::{Delivery, Open},
    outcome::IngestError,
    providers::ses::{self, NotAReceipt, Octets},
    queue::{Letter, Work},
    records::Cause,
};
use serde_json::Value;

use crate::{App, notification};

/// Cause and reason of what is parked here.
const DEAD: (Cause, &str) = (Cause::DeadLetter, "receives-used-up");

impl App {
    /// Parks what a dead letter was about.
    pub(crate) async fn bury(&self, letter: &Letter) -> Result<(), IngestError> {
        match serde_json::from_str::<Work>(&letter.body) {
            Ok(Work::Decide { accept }) => return self.ingest.park_copies(&accept, DEAD).await.map(drop),
            Ok(Work::Release { id, .. }) => {
                tracing::error!(inbound_id = id, "a release came to no end; the mail is held as before");
                return Ok(());
            }
            // The schedule asks again.
            Ok(Work::Sweep | Work::Reconcile | Work::Close | Work::Poll { .. }) => return Ok(()),
            Err(_) => {}
        }
        if let Some(objects) = notification::read(&letter.body, self.ingest.blobs.bucket()) {
            for key in &objects.keys {
                self.ingest.account_for(key, Open::GiveUp).await?;
            }
            return Ok(());
        }
        match invoked_with(&letter.body) {
            // Lambda gave up after three tries within minutes, which any outage outlasts: here it has a queue's time.
            Some(receipts) => {
                let delivery = Delivery { id: letter.delivery(), receives: letter.receives, counts: true };
                for message in receipts {
                    self.receipt(letter, &message, Some(&delivery)).await?;
                }
                Ok(())
            }
            None => self.receipt(letter, &letter.body, None).await,
        }
    }

    /// A receipt: brought in by a delivery, else parked unread.
    async fn receipt(&self, letter: &Letter, message: &str, delivery: Option<&Delivery>) -> Result<(), IngestError> {
        let own_bucket = self.ingest.blobs.bucket();
        let read = ses::read(message, self.ingest.ambient.now()).and_then(|receipt| receipt.ours(own_bucket));
        let receipt = match read {
            Ok(receipt) => receipt,
            Err(NotAReceipt { slug, why }) => return self.kept(letter, slug, &why).await,
        };
        let (setup, here) = (receipt.setup, matches!(receipt.octets, Octets::Here(_)));
        let inbound = receipt.into_inbound(own_bucket);
        if setup {
            return self.ingest.set_up(&inbound).await.map(drop);
        }
        if delivery.is_some() {
            return self.ingest.stored(inbound, delivery).await.map(drop);
        }
        if here {
            return self.ingest.park_unstored(inbound, DEAD).await.map(drop);
        }
        let accept = self.ingest.accept_unread(&inbound);
        // A receipt that was counted knows its mailbox from the mail's own header too.
        let rows = self.ingest.store.copies(&accept.raw_key).await?;
        let known = rows.into_iter().find_map(|(_, row)| row.accept).map_or(accept, |accept| *accept);
        self.ingest.park_copies(&known, DEAD).await.map(drop)
    }
}

/// The receipts of a failed asynchronous invocation (AWS Lambda Developer Guide, "Invocation record"); `None` = it is none.
fn invoked_with(body: &str) -> Option<Vec<String>> {
    let json: Value = serde_json::from_str(body).ok()?;
    let records = json.pointer("/requestPayload/Records")?.as_array()?;
    let of = |record: &Value| match record.pointer("/Sns/Message").and_then(Value::as_str) {
        Some(message) => message.to_owned(),
        None => record.get("ses").unwrap_or(record).to_string(),
    };
    Some(records.iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failed_invocation_holds_its_event() {
        let record =
            json!({ "requestPayload": { "Records": [{ "Sns": { "Message": "a" } }, { "ses": { "mail": {} } }] } });
        let expected = Some(vec!["a".to_owned(), r#"{"mail":{}}"#.to_owned()]);
        assert_eq!(invoked_with(&record.to_string()), expected);
        assert_eq!(invoked_with("anything"), None);
    }
}
