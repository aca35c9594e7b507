//! Dead letters: messages that a queue gave up after a hundred receives, or that nobody could be given.
//!
//! Each is parked as failed rows, from what the message alone says: whatever in the mail brought the process down a
//! hundred times is not looked at again. `postern redrive` brings it in once the fault is mended.

use postern::{
    ingest::Open,
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
            Ok(Work::Sweep) => return Ok(()),
            Err(_) => {}
        }
        if let Some(objects) = notification::read(&letter.body, self.ingest.blobs.bucket()) {
            for key in &objects.keys {
                self.ingest.account_for(key, Open::GiveUp).await?;
            }
            return Ok(());
        }
        for message in receipts(&letter.body) {
            self.bury_receipt(letter, &message).await?;
        }
        Ok(())
    }

    async fn bury_receipt(&self, letter: &Letter, message: &str) -> Result<(), IngestError> {
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
        if here {
            return self.ingest.park_unstored(inbound, DEAD).await.map(drop);
        }
        self.ingest.park_copies(&self.ingest.accept_unread(&inbound), DEAD).await.map(drop)
    }
}

/// The receipts in a letter: itself, or where Lambda wrote it down as a failed asynchronous invocation (AWS Lambda
/// Developer Guide, "Invocation record"), those of the event that it was invoked with.
fn receipts(body: &str) -> Vec<String> {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let Some(records) = json.pointer("/requestPayload/Records").and_then(Value::as_array) else {
        return vec![body.to_owned()];
    };
    let of = |record: &Value| match record.pointer("/Sns/Message").and_then(Value::as_str) {
        Some(message) => message.to_owned(),
        None => record.get("ses").unwrap_or(record).to_string(),
    };
    records.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failed_invocation_holds_its_event() {
        let record =
            json!({ "requestPayload": { "Records": [{ "Sns": { "Message": "a" } }, { "ses": { "mail": {} } }] } });
        assert_eq!(receipts(&record.to_string()), ["a", r#"{"mail":{}}"#]);
        assert_eq!(receipts("anything"), ["anything"]);
    }
}
