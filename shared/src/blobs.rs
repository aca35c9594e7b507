//! S3: raw octets, payloads, attachments. [`BlobKey`] alone builds object keys.
//!
//! ```text
//! raw/<door>/<sha256>                 octets as received (hash of their URL where they were fetched); user metadata
//!                                     `accept` = the accept record
//! accept/raw/<door>/<sha256>.json     the accept record where it exceeds 2 KB; written before the raw
//! payload/<door>/<sha256>             an authenticated payload that could not be read, or that a mail was made from
//! attachments/<sha256>/<n>-<sha256>   decoded octets of the n-th attachment; first hash = of the raw key
//! ```

use std::collections::HashMap;

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use thiserror::Error;

use crate::{
    digest::{sha256_hex, sha256_parts},
    inbound::AcceptRecord,
};

/// User metadata of one object: 2 KB, names and values together (Amazon S3 User Guide, "Working with object metadata").
const METADATA_OCTETS_MAX: usize = 2_048 - ACCEPT.len();
/// Name of the metadata entry.
const ACCEPT: &str = "accept";
/// Octets of the largest object that is read: SES receives 40 MB at most.
pub const OBJECT_OCTETS_MAX: u64 = 64 * 1024 * 1024;
/// Metadata by which the S3 encryption client marks its objects (Amazon S3 Encryption Client, "Concepts").
const CLIENT_ENCRYPTED: [&str; 2] = ["x-amz-key-v2", "x-amz-key"];
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

    /// Raw octets that are still to be fetched: known by where they are before they are known.
    #[must_use]
    pub fn fetched(door: &str, url: &str) -> Self {
        Self(format!("raw/{door}/{}", sha256_hex(url.as_bytes())))
    }

    /// What a provider sent: where it could not be read, or where the mail was made from it.
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
    /// Encrypted by the client that wrote it.
    #[error(
        "object {0} is encrypted by the S3 encryption client; leave KmsKeyArn of the receipt rule's S3 action empty"
    )]
    ClientEncrypted(String),
    /// Larger than any door takes.
    #[error("object {0} has {1} octets, more than {OBJECT_OCTETS_MAX}")]
    TooLarge(String, u64),
    /// Missing permission or bucket: an operator must act.
    #[error("{0}")]
    Other(String),
}

impl BlobError {
    /// True where trying again later can help; an operator's fault is cured by the operator.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Other(_) => true,
            Self::Missing(_) | Self::ClientEncrypted(_) | Self::TooLarge(..) => false,
        }
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

    /// Its name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
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

    /// Keeps what a provider sent.
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
    /// Missing, also where nothing says how it was accepted, or any bucket error.
    pub async fn get_accepted(&self, key: &str) -> Result<(Bytes, AcceptRecord), BlobError> {
        let (octets, metadata) = self.object(key).await?;
        let accept = match metadata {
            Some(encoded) => decoded(key, &encoded)?,
            None => self.sidecar(key).await?.ok_or_else(|| BlobError::Missing(key.to_owned()))?,
        };
        Ok((octets, accept))
    }

    /// What stands beside an object: its size and time, and how it was accepted where the object itself says so.
    /// `None` = no such object. Does not read the octets.
    ///
    /// # Errors
    /// Any bucket error.
    pub async fn head(&self, key: &str) -> Result<Option<ObjectHead>, BlobError> {
        let head = match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(head) => head,
            // HEAD has no body, so the code comes from the status.
            Err(error) if matches!(error.code(), Some("NotFound" | "NoSuchKey")) => return Ok(None),
            Err(error) => return Err(BlobError::from_sdk(&error)),
        };
        let modified = head.last_modified.and_then(|at| Timestamp::from_second(at.secs()).ok());
        let encoded = head.metadata.and_then(|mut metadata| metadata.remove(ACCEPT));
        Ok(Some(ObjectHead {
            octets: head.content_length.and_then(|n| u64::try_from(n).ok()).unwrap_or_default(),
            modified,
            accept: encoded.map(|encoded| decoded(key, &encoded)).transpose()?,
        }))
    }

    /// The accept record that stands in an object of its own; `None` = there is none.
    ///
    /// # Errors
    /// Any bucket error, or it does not read.
    pub async fn sidecar(&self, key: &str) -> Result<Option<AcceptRecord>, BlobError> {
        match self.object(BlobKey::accept(key).as_str()).await {
            Ok((json, _)) => serde_json::from_slice(&json).map(Some).map_err(|_| unreadable(key)),
            Err(BlobError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes objects; how many. What is not there counts as removed.
    ///
    /// # Errors
    /// Any bucket error.
    pub async fn delete(&self, keys: &[String]) -> Result<usize, BlobError> {
        for key in keys {
            let deleted = self.client.delete_object().bucket(&self.bucket).key(key).send().await;
            match deleted {
                Ok(_) => {}
                Err(error) if matches!(error.code(), Some("NoSuchKey" | "NotFound")) => {}
                Err(error) => return Err(BlobError::from_sdk(&error)),
            }
        }
        Ok(keys.len())
    }

    /// Removes a raw object with what stands beside it: how it was accepted, and the payload it was made from.
    ///
    /// # Errors
    /// Any bucket error.
    pub async fn delete_mail(&self, raw_key: &str) -> Result<usize, BlobError> {
        let Some(head) = self.head(raw_key).await? else { return Ok(0) };
        let beside = self.sidecar(raw_key).await?;
        let payload = head.accept.as_ref().or(beside.as_ref()).and_then(|accept| accept.payload_key.clone());
        let sidecar = beside.map(|_| BlobKey::accept(raw_key).as_str().to_owned());
        // The raw last: without it nothing leads to the others.
        let all: Vec<String> = payload.into_iter().chain(sidecar).chain([raw_key.to_owned()]).collect();
        self.delete(&all).await
    }

    /// Reads into one buffer of the object's length: no second copy of a big mail ever exists.
    async fn object(&self, key: &str) -> Result<(Bytes, Option<String>), BlobError> {
        let object = self.client.get_object().bucket(&self.bucket).key(key).send().await;
        let mut object = object.map_err(|error| match error.code() {
            Some("NoSuchKey" | "NotFound") => BlobError::Missing(key.to_owned()),
            _ => BlobError::from_sdk(&error),
        })?;
        let mut metadata = object.metadata.take().unwrap_or_default();
        if CLIENT_ENCRYPTED.iter().any(|name| metadata.contains_key(*name)) {
            return Err(BlobError::ClientEncrypted(key.to_owned()));
        }
        let length = object.content_length.and_then(|n| u64::try_from(n).ok()).unwrap_or_default();
        if length > OBJECT_OCTETS_MAX {
            return Err(BlobError::TooLarge(key.to_owned(), length));
        }
        let mut octets = BytesMut::with_capacity(usize::try_from(length).unwrap_or_default());
        let broken = || BlobError::Unavailable("the object's body broke off".to_owned());
        while let Some(part) = object.body.try_next().await.map_err(|_| broken())? {
            octets.extend_from_slice(&part);
        }
        if octets.len() as u64 != length {
            return Err(broken());
        }
        Ok((octets.freeze(), metadata.remove(ACCEPT)))
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

/// What stands beside an object.
#[derive(Clone, Debug)]
pub struct ObjectHead {
    /// Size.
    pub octets: u64,
    /// When it was written.
    pub modified: Option<Timestamp>,
    /// How it was accepted, where its metadata says so.
    pub accept: Option<AcceptRecord>,
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

fn decoded(key: &str, encoded: &str) -> Result<AcceptRecord, BlobError> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(encoded).map_err(|_| unreadable(key))?;
    serde_json::from_slice(&json).map_err(|_| unreadable(key))
}

fn unreadable(key: &str) -> BlobError {
    BlobError::Other(format!("the accept record of {key} does not read"))
}
