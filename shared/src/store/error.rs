//! Store errors say what a caller can act on. SDK errors are looked into here and nowhere else.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{transact_write_items::TransactWriteItemsError, update_item::UpdateItemError},
    types::AttributeValue,
};
use thiserror::Error;

/// What can go wrong between us and the table.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// The table asks to slow down.
    #[error("throttled ({0})")]
    Throttled(String),
    /// No answer, or a server fault: the request may have been applied.
    #[error("unavailable ({0})")]
    Unavailable(String),
    /// A single-item condition did not hold.
    #[error("refused: the item has changed")]
    Refused,
    /// The request itself is wrong: a retry repeats the fault.
    #[error("invalid request ({0})")]
    Invalid(String),
    /// A stored item does not read as what it should be.
    #[error("stored item {item} has no readable {attribute}")]
    Inconsistent {
        /// Which kind of item.
        item: &'static str,
        /// Which attribute.
        attribute: &'static str,
    },
    /// Anything else, e.g. missing permission or table: an operator must act.
    #[error("{0}")]
    Other(String),
}

impl StoreError {
    /// True where trying again later can help.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Throttled(_) | Self::Unavailable(_) | Self::Other(_) | Self::Refused => true,
            Self::Invalid(_) | Self::Inconsistent { .. } => false,
        }
    }

    pub(crate) fn from_sdk<E, R>(error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        let code = error.code().unwrap_or_default().to_owned();
        match error {
            SdkError::TimeoutError(_) => Self::Unavailable("timeout".to_owned()),
            SdkError::DispatchFailure(_) => Self::Unavailable("no connection".to_owned()),
            SdkError::ResponseError(_) => Self::Unavailable("unreadable answer".to_owned()),
            SdkError::ConstructionFailure(_) => Self::Invalid("could not be built".to_owned()),
            _ => Self::from_code(code),
        }
    }

    fn from_code(code: String) -> Self {
        match code.as_str() {
            "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "TransactionConflictException"
            | "TransactionInProgressException" => Self::Throttled(code),
            "InternalServerError" | "InternalServerException" | "ServiceUnavailable" | "" => Self::Unavailable(code),
            "ConditionalCheckFailedException" => Self::Refused,
            "ValidationException" | "SerializationException" | "ItemCollectionSizeLimitExceededException" => {
                Self::Invalid(code)
            }
            _ => Self::Other(code),
        }
    }
}

/// The item as it was, where a single-item condition did not hold and the request asked for it.
pub(super) fn refused_with<R>(error: &SdkError<UpdateItemError, R>) -> Option<HashMap<String, AttributeValue>> {
    match error.as_service_error()? {
        UpdateItemError::ConditionalCheckFailedException(refused) => refused.item().cloned(),
        _ => None,
    }
}

/// How a transaction ended without being applied.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cancelled {
    /// Conditions of these actions (by position) did not hold.
    Conditions(Vec<usize>),
    /// Conflict, throttle or lost answer: the same request again.
    Again(StoreError),
    /// Anything else.
    Error(StoreError),
}

impl Cancelled {
    pub(super) fn from_sdk<R>(error: &SdkError<TransactWriteItemsError, R>) -> Self {
        let reasons: Vec<String> = match error {
            SdkError::ServiceError(service) => match service.err() {
                TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                    let reasons = cancelled.cancellation_reasons().iter();
                    reasons.map(|r| r.code().unwrap_or("None").to_owned()).collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        if reasons.is_empty() {
            let error = StoreError::from_sdk(error);
            return match error {
                StoreError::Throttled(_) | StoreError::Unavailable(_) => Self::Again(error),
                other => Self::Error(other),
            };
        }
        Self::from_reasons(&reasons)
    }

    /// A condition outweighs a conflict: what was read is old in any case.
    fn from_reasons(reasons: &[String]) -> Self {
        let at = |wanted: &str| reasons.iter().enumerate().filter(|(_, r)| *r == wanted).map(|(n, _)| n).collect();
        let failed: Vec<usize> = at("ConditionalCheckFailed");
        if !failed.is_empty() {
            return Self::Conditions(failed);
        }
        let passing = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
        match reasons.iter().find(|r| passing.contains(&r.as_str())) {
            Some(reason) => Self::Again(StoreError::Throttled(reason.clone())),
            None => {
                let reason = reasons.iter().find(|r| *r != "None").cloned().unwrap_or_default();
                Self::Error(StoreError::Invalid(reason))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(words: &[&str]) -> Cancelled {
        Cancelled::from_reasons(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn reasons_are_judged_once() {
        assert_eq!(reasons(&["None", "ConditionalCheckFailed"]), Cancelled::Conditions(vec![1]));
        assert_eq!(reasons(&["TransactionConflict", "ConditionalCheckFailed"]), Cancelled::Conditions(vec![1]));
        let conflict = StoreError::Throttled("TransactionConflict".into());
        assert_eq!(reasons(&["None", "TransactionConflict"]), Cancelled::Again(conflict));
        assert_eq!(reasons(&["ValidationError"]), Cancelled::Error(StoreError::Invalid("ValidationError".into())));
    }

    #[test]
    fn what_a_retry_cures() {
        for (code, retryable) in [
            ("ThrottlingException", true),
            ("InternalServerError", true),
            ("ValidationException", false),
            ("AccessDeniedException", true),
            ("IdempotentParameterMismatchException", true),
        ] {
            assert_eq!(StoreError::from_code(code.into()).retryable(), retryable, "{code}");
        }
    }
}
