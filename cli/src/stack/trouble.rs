//! What AWS answers where it does not do what it was asked, in words that name the permission.

use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use postern::{blobs::BlobError, outcome::IngestError, secrets::SecretError, store::StoreError};

/// Why a call did not give what was asked for.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum AwsTrouble {
    /// No permission.
    #[error("these credentials may not {action} on {thing}; allow that action, or use others (--profile)")]
    Denied {
        /// The action as a policy names it.
        action: String,
        /// The resource.
        thing: String,
    },
    /// The credentials themselves are refused.
    #[error("AWS does not accept these credentials ({0}); renew them, e.g. `aws sso login`, or use others (--profile)")]
    Credentials(String),
    /// No answer.
    #[error("no answer to {action} on {thing}: {why}; try again")]
    NoAnswer {
        /// The action.
        action: String,
        /// The resource.
        thing: String,
        /// What was met.
        why: &'static str,
    },
    /// Anything else that the service says.
    #[error("{thing}: {action} answers {code}")]
    Other {
        /// The action.
        action: String,
        /// The resource.
        thing: String,
        /// AWS's code.
        code: String,
    },
}

/// True for the codes by which services refuse what a policy does not allow.
#[must_use]
pub fn denied(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied"
            | "AccessDeniedException"
            | "AuthorizationError"
            | "UnauthorizedOperation"
            | "Forbidden"
            | "KMSAccessDeniedException"
            | "KMS.KmsAccessDenied"
    )
}

/// True for the codes that mean the credentials and not what they may do.
fn refused(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "RequestExpired"
    )
}

impl AwsTrouble {
    /// Judges an SDK error. `action` as a policy names it, `thing` as a person knows it.
    pub fn of<E: ProvideErrorMetadata, R>(action: &str, thing: &str, error: &SdkError<E, R>) -> Self {
        let why = match error {
            SdkError::TimeoutError(_) => "it took too long",
            SdkError::DispatchFailure(_) => "no connection",
            SdkError::ResponseError(_) => "it does not read",
            _ => return Self::of_code(action, thing, error.code().unwrap_or("an error without a code")),
        };
        Self::NoAnswer { action: action.to_owned(), thing: thing.to_owned(), why }
    }

    fn of_code(action: &str, thing: &str, code: &str) -> Self {
        let (action, thing) = (action.to_owned(), thing.to_owned());
        match code {
            code if denied(code) => Self::Denied { action, thing },
            code if refused(code) => Self::Credentials(code.to_owned()),
            code => Self::Other { action, thing, code: code.to_owned() },
        }
    }
}

/// What a table's refusal means: the store's errors name the code only, and every verb makes several calls.
const TABLE_ACTIONS: &str = "dynamodb:GetItem, BatchGetItem and Query (to change anything also PutItem, UpdateItem and \
                             ConditionCheckItem)";
const BUCKET_ACTIONS: &str = "s3:GetObject and PutObject";

/// Refusals out of the pipeline, told as what must be allowed.
#[must_use]
pub fn in_words(error: anyhow::Error) -> anyhow::Error {
    let of = |code: &str, actions: &str, thing: &str| {
        (denied(code) || refused(code)).then(|| AwsTrouble::of_code(actions, thing, code))
    };
    let table = |error: &StoreError| match error {
        StoreError::Other(code) => of(code, TABLE_ACTIONS, "the stack's table and its indexes"),
        _ => None,
    };
    let bucket = |error: &BlobError| match error {
        BlobError::Other(code) => of(code, BUCKET_ACTIONS, "the stack's bucket"),
        _ => None,
    };
    let found = match error.downcast_ref::<IngestError>() {
        Some(IngestError::Store(error)) => table(error),
        Some(IngestError::NotSafe(error) | IngestError::Unread(error) | IngestError::Attachment(error)) => {
            bucket(error)
        }
        _ => None,
    };
    let found = found.or_else(|| error.downcast_ref::<StoreError>().and_then(table));
    let found = found.or_else(|| error.downcast_ref::<BlobError>().and_then(bucket));
    let found = found.or_else(|| match error.downcast_ref::<SecretError>() {
        Some(SecretError::Unreadable(name, code)) => {
            of(code, "secretsmanager:GetSecretValue", &format!("secret {name}"))
        }
        _ => None,
    });
    found.map_or(error, anyhow::Error::from)
}
