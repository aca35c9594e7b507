//! The topic that events are sent to: SNS, standard, at least once (`docs/EVENTS.md`).
//!
//! What is sent is `event.rs`; from what and when, `functions/publish`.

use std::time::Duration;

use aws_sdk_sns::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{BatchResultErrorEntry, MessageAttributeValue, PublishBatchRequestEntry},
};
use thiserror::Error;

use crate::{ambient::Ambient, event::Event};

/// Entries of one PublishBatch (Amazon SNS API Reference).
const BATCH_MAX: usize = 10;
/// Tries of one batch while SNS answers that it is busy; Lambda's own retries come after them.
const TRIES_MAX: u32 = 3;
/// First pause between two tries.
const RETRY_BASE: Duration = Duration::from_millis(50);
/// Longest pause between two tries.
const RETRY_CAP: Duration = Duration::from_millis(400);

/// Why events were not all sent. Some of them may have been; sent again they have the same ids.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TopicError {
    /// No answer, or SNS asks to come back later.
    #[error("SNS is unavailable ({0})")]
    Unavailable(String),
    /// SNS refuses: an operator must act on topic, key or permission.
    #[error("SNS refuses the event ({0})")]
    Refused(String),
    /// The configured name is no ARN of a standard topic.
    #[error(
        "POSTERN_EVENTS_TOPIC is {0:?}; it must be the ARN of a standard SNS topic, arn:aws:sns:REGION:ACCOUNT:NAME"
    )]
    NotATopic(String),
}

/// One topic.
#[derive(Clone, Debug)]
pub struct Topic {
    client: Client,
    arn: String,
    ambient: Ambient,
}

impl Topic {
    /// A topic by its ARN. The client's own retries must be off.
    ///
    /// # Errors
    /// [`TopicError::NotATopic`]; a FIFO topic would want group ids, which events do not have.
    pub fn new(client: Client, arn: &str, ambient: Ambient) -> Result<Self, TopicError> {
        let parts: Vec<&str> = arn.split(':').collect();
        let standard = matches!(parts.as_slice(), ["arn", _, "sns", _, _, name]
            if !name.is_empty() && !name.ends_with(".fifo"));
        if !standard {
            return Err(TopicError::NotATopic(arn.to_owned()));
        }
        Ok(Self { client, arn: arn.to_owned(), ambient })
    }

    /// Sends events, ten at a time. What SNS did not take of a batch is sent again, the rest of it is not.
    ///
    /// # Errors
    /// Not all are known to be sent.
    pub async fn publish(&self, events: &[Event]) -> Result<(), TopicError> {
        for batch in events.chunks(BATCH_MAX) {
            self.batch(batch).await?;
        }
        Ok(())
    }

    async fn batch(&self, events: &[Event]) -> Result<(), TopicError> {
        let mut open = entries(events)?;
        let mut attempt = 0;
        loop {
            let request = self.client.publish_batch().topic_arn(&self.arn);
            let answer = request.set_publish_batch_request_entries(Some(open.clone())).send().await;
            let trouble = match answer {
                Ok(answer) => {
                    // Sent is what SNS says was sent: an entry it does not mention is not.
                    let sent = |id: &str| answer.successful().iter().any(|done| done.id() == Some(id));
                    open.retain(|entry| !sent(entry.id()));
                    if open.is_empty() {
                        return Ok(());
                    }
                    why_not(answer.failed())
                }
                Err(error) => told(&error),
            };
            attempt += 1;
            match trouble {
                Trouble::Busy(_) if attempt < TRIES_MAX => {}
                Trouble::Busy(code) | Trouble::Unheard(code) => return Err(TopicError::Unavailable(code)),
                Trouble::Refused(code) => return Err(TopicError::Refused(code)),
            }
            self.ambient.back_off(attempt, RETRY_BASE, RETRY_CAP).await;
        }
    }
}

/// What a try came to.
enum Trouble {
    /// SNS answers, and asks to come again.
    Busy(String),
    /// No answer: each try takes seconds, so the stream brings the record again instead.
    Unheard(String),
    /// It will be refused again.
    Refused(String),
}

fn entries(events: &[Event]) -> Result<Vec<PublishBatchRequestEntry>, TopicError> {
    let text = |value: &str| {
        let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
        value.map_err(|error| TopicError::Refused(error.to_string()))
    };
    let mut entries = Vec::with_capacity(events.len());
    for (n, event) in events.iter().enumerate() {
        let mut entry = PublishBatchRequestEntry::builder().id(n.to_string()).message(event.to_json());
        for (name, value) in event.attributes() {
            entry = entry.message_attributes(name, text(value)?);
        }
        entries.push(entry.build().map_err(|error| TopicError::Refused(error.to_string()))?);
    }
    Ok(entries)
}

fn why_not(failed: &[BatchResultErrorEntry]) -> Trouble {
    match failed.iter().find(|entry| entry.sender_fault()) {
        Some(refused) => Trouble::Refused(refused.code().to_owned()),
        None => Trouble::Busy(failed.first().map_or("not all were taken", BatchResultErrorEntry::code).to_owned()),
    }
}

fn told<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Trouble {
    match error {
        SdkError::TimeoutError(_) => Trouble::Unheard("timeout".to_owned()),
        SdkError::DispatchFailure(_) => Trouble::Unheard("no connection".to_owned()),
        SdkError::ResponseError(_) => Trouble::Unheard("unreadable answer".to_owned()),
        SdkError::ConstructionFailure(_) => Trouble::Refused("could not be built".to_owned()),
        _ => of_code(error.code().unwrap_or_default()),
    }
}

fn of_code(code: &str) -> Trouble {
    match code {
        "Throttled"
        | "Throttling"
        | "ThrottlingException"
        | "KMSThrottling"
        | "InternalError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "" => Trouble::Busy(code.to_owned()),
        _ => Trouble::Refused(code.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AwsConfig, AwsCredentials};

    #[test]
    fn only_a_standard_topic_is_taken() {
        let credentials =
            AwsCredentials { access_key_id: "k".into(), secret_access_key: "s".into(), session_token: None };
        let region = "eu-central-1".to_owned();
        let config = AwsConfig { region, credentials, dynamodb: None, s3: None, sqs: None, sns: None, secrets: None };
        let client = crate::aws::Clients::new(&config).sns;
        for (arn, fits) in [
            ("arn:aws:sns:eu-central-1:123456789012:postern-events", true),
            ("arn:aws-cn:sns:cn-north-1:123456789012:postern-events", true),
            ("arn:aws:sns:eu-central-1:123456789012:postern-events.fifo", false),
            ("arn:aws:sqs:eu-central-1:123456789012:postern-events", false),
            ("arn:aws:sns:eu-central-1:123456789012:", false),
            ("arn:aws:sns:eu-central-1:123456789012:postern-events:subscription", false),
            ("postern-events", false),
        ] {
            let topic = Topic::new(client.clone(), arn, Ambient::fixed(jiff::Timestamp::UNIX_EPOCH, 0));
            assert_eq!(topic.is_ok(), fits, "{arn}");
        }
    }

    #[test]
    fn what_another_try_can_cure() {
        for (code, busy) in [
            ("Throttled", true),
            ("InternalError", true),
            ("", true),
            ("AuthorizationError", false),
            ("KMSDisabled", false),
            ("InvalidParameter", false),
        ] {
            assert_eq!(matches!(of_code(code), Trouble::Busy(_)), busy, "{code}");
        }
    }
}
