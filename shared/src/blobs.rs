//! S3: raw octets, payloads, attachments. [`BlobKey`] alone builds object keys.
//!
//! ```text
//! raw/<door>/<sha256>                 octets as received; user metadata `accept` = the accept record
//! accept/raw/<door>/<sha256>.json     the accept record where it exceeds 2 KB; written before the raw
//! payload/<door>/<sha256>             an authenticated payload that could not be read
//! attachments/<sha256>/<n>-<sha256>   decoded octets of the n-th attachment; first hash = of the raw key
//! ```

use std::collections::HashMap;

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use thiserror::Error;

use crate::{
    digest::{sha256_hex, sha256_parts},
    inbound::AcceptRecord,
};

/// User metadata of one object: 2 KB, names and values together (Amazon S3 User Guide, "Working with object metadata").
const METADATA_OCTETS_MAX: usize = 2_048 - ACCEPT.len();
/// Name of the metadata entry.
const ACCEPT: &str = "accept";
/// Tries of a conditional write that meets another one (409 ConditionalRequestConflict).
const CONFLICT_TRIES_MAX: usize = 5;

/// An object key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobKey(String);

impl BlobKey {
    /// Raw octets of a message. Mail without Message-ID and Date mixes in the delivery's stable id, because two such
    /// mails may be equal to the octet and still be two.
    #[must_use]
    pub fn raw(door: &str, octets: &[u8], delivery_id: Option<&str>) -> Self {
        let digest = match delivery_id {
            Some(id) => sha256_hex(&[octets, id.as_bytes()].concat()),
            None => sha256_hex(octets),
        };
        Self(format!("raw/{door}/{digest}"))
    }

    /// A payload that could not be read.
    #[must_use]
    pub fn payload(door: &str, body: &[u8]) -> Self {
        Self(format!("payload/{door}/{}", sha256_hex(body)))
    }

    /// The n-th attachment of a raw object.
    #[must_use]
    pub fn attachment(raw_key: &str, n: usize, content_sha256: &str) -> Self {
        Self(format!("attachments/{}/{n}-{content_sha256}", sha256_parts(&[raw_key.as_bytes()])))
    }

    fn accept(raw_key: &str) -> Self {
        Self(format!("accept/{raw_key}.json"))
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What can go wrong between us and the bucket.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum BlobError {
    /// No answer, a server fault, a throttle.
    #[error("unavailable ({0})")]
    Unavailable(String),
    /// Nothing there.
    #[error("no object {0}")]
    Missing(String),
    /// Missing permission or bucket: an operator must act.
    #[error("{0}")]
    Other(String),
}

impl BlobError {
    /// True where trying again later can help; an operator's fault is cured by the operator.
    #[must_use]
    pub fn retryable(&self) -> bool {
        !matches!(self, Self::Missing(_))
    }

    fn from_sdk<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Self {
        match error {
            SdkError::TimeoutError(_) => Self::Unavailable("timeout".to_owned()),
            SdkError::DispatchFailure(_) => Self::Unavailable("no connection".to_owned()),
            SdkError::ResponseError(_) => Self::Unavailable("unreadable answer".to_owned()),
            _ => match error.code() {
                Some(code @ ("InternalError" | "ServiceUnavailable" | "SlowDown" | "RequestTimeout")) => {
                    Self::Unavailable(code.to_owned())
                }
                Some(code) => Self::Other(code.to_owned()),
                None => Self::Unavailable("server fault".to_owned()),
            },
        }
    }
}

/// The bucket.
#[derive(Clone, Debug)]
pub struct Blobs {
    client: Client,
    bucket: String,
}

impl Blobs {
    /// A bucket.
    #[must_use]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }

    /// Makes raw octets safe together with their accept record. Octets that are there already are safe.
    ///
    /// # Errors
    /// The octets may not be safe.
    pub async fn put_raw(&self, accept: &AcceptRecord, raw: Bytes) -> Result<(), BlobError> {
        let json = serde_json::to_vec(accept).map_err(|e| BlobError::Other(format!("accept record: {e}")))?;
        let encoded = BASE64_URL_SAFE_NO_PAD.encode(&json);
        let mut object = Object::new(&accept.raw_key, raw, "message/rfc822");
        if encoded.len() <= METADATA_OCTETS_MAX {
            object.metadata = Some(HashMap::from([(ACCEPT.to_owned(), encoded)]));
        } else {
            let sidecar = BlobKey::accept(&accept.raw_key);
            self.once(Object::new(sidecar.as_str(), json.into(), "application/json")).await?;
        }
        self.once(object).await
    }

    /// Keeps a payload that could not be read.
    ///
    /// # Errors
    /// The payload may not be safe.
    pub async fn put_payload(&self, key: &BlobKey, body: Bytes) -> Result<(), BlobError> {
        self.once(Object::new(key.as_str(), body, "application/octet-stream")).await
    }

    /// Keeps an attachment. The declared type is never the object's type: nothing here is served as active content.
    ///
    /// # Errors
    /// The attachment may not be safe.
    pub async fn put_attachment(&self, key: &BlobKey, content: Bytes) -> Result<(), BlobError> {
        self.once(Object::new(key.as_str(), content, "application/octet-stream")).await
    }

    /// Reads raw octets.
    ///
    /// # Errors
    /// Missing, or any bucket error.
    pub async fn get(&self, key: &str) -> Result<Bytes, BlobError> {
        self.object(key).await.map(|(octets, _)| octets)
    }

    /// Reads raw octets with the record of how they were accepted.
    ///
    /// # Errors
    /// Missing, or any bucket error; an object without accept record is an operator's matter.
    pub async fn get_accepted(&self, key: &str) -> Result<(Bytes, AcceptRecord), BlobError> {
        let (octets, metadata) = self.object(key).await?;
        let json = match metadata {
            Some(encoded) => BASE64_URL_SAFE_NO_PAD.decode(encoded).map_err(|_| unreadable(key))?,
            None => self.get(BlobKey::accept(key).as_str()).await?.to_vec(),
        };
        Ok((octets, serde_json::from_slice(&json).map_err(|_| unreadable(key))?))
    }

    async fn object(&self, key: &str) -> Result<(Bytes, Option<String>), BlobError> {
        let object = self.client.get_object().bucket(&self.bucket).key(key).send().await;
        let object = object.map_err(|error| match error.code() {
            Some("NoSuchKey" | "NotFound") => BlobError::Missing(key.to_owned()),
            _ => BlobError::from_sdk(&error),
        })?;
        let metadata = object.metadata.and_then(|mut metadata| metadata.remove(ACCEPT));
        let octets = object.body.collect().await;
        let octets = octets.map_err(|_| BlobError::Unavailable("the object's body broke off".to_owned()))?;
        Ok((octets.into_bytes(), metadata))
    }

    /// Writes unless it is there: 412 = there already, 409 = another write is under way, so again.
    async fn once(&self, object: Object<'_>) -> Result<(), BlobError> {
        let mut tries = 0;
        loop {
            let put = self.client.put_object().bucket(&self.bucket).key(object.key).if_none_match("*");
            let put = put.content_type(object.content_type).set_metadata(object.metadata.clone());
            // The clone shares the octets.
            let Err(error) = put.body(ByteStream::from(object.octets.clone())).send().await else { return Ok(()) };
            tries += 1;
            match error.code() {
                Some("PreconditionFailed") => return Ok(()),
                Some("ConditionalRequestConflict") if tries < CONFLICT_TRIES_MAX => {}
                _ => return Err(BlobError::from_sdk(&error)),
            }
        }
    }
}

struct Object<'a> {
    key: &'a str,
    octets: Bytes,
    content_type: &'static str,
    metadata: Option<HashMap<String, String>>,
}

impl<'a> Object<'a> {
    fn new(key: &'a str, octets: Bytes, content_type: &'static str) -> Self {
        Self { key, octets, content_type, metadata: None }
    }
}

fn unreadable(key: &str) -> BlobError {
    BlobError::Other(format!("the accept record of {key} does not read"))
}
