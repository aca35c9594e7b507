//! S3 over a folder: `s3s-fs`, with the two things a mail store leans on and it does not give.
//!
//! It looks whether an object exists, then writes, then renames: of two conditional PUTs at once both may win. And it puts
//! the octets in place before their metadata, so a reader, or a process killed in between, finds a raw message without its
//! accept record. Here one key has one writer at a time, and an object exists only once the last of its three files does.
//!
//! A new object under `raw/` is told to the safety net before its writer hears that it is safe.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::auth::SimpleAuth;
use s3s::dto::{
    CreateBucketInput, CreateBucketOutput, DeleteObjectInput, DeleteObjectOutput, GetObjectInput, GetObjectOutput,
    HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output,
    PutObjectInput, PutObjectOutput,
};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::queues::{NET_QUEUE, Queues};
use super::{BUCKET, EngineError, KEY, REGION};

/// Enough that two keys seldom wait for one another.
const LOCKS: usize = 256;

/// A file name holds 255 octets; `s3s-fs` spells bucket and key into one as base64 with 40 octets around them.
const KEY_SIZE_MAX: usize = 160;

/// Objects whose creation is told (the template's notification filter).
const TOLD: &str = "raw/";

/// The S3 service over `<data>/objects`, with its bucket made. New raw objects are told to a queue of `queues`.
pub(super) fn service(data: &Path, queues: Arc<Queues>) -> Result<S3Service, EngineError> {
    let root = data.join("objects");
    let make = std::fs::create_dir_all(root.join(BUCKET));
    make.map_err(|source| EngineError::directory(&root, "cannot be made", source))?;
    let files = FileSystem::new(&root).map_err(|error| {
        EngineError::directory(&root, "cannot be opened", std::io::Error::other(format!("{error:?}")))
    })?;
    let locks = (0..LOCKS).map(|_| RwLock::new(())).collect();
    let mut builder = S3ServiceBuilder::new(Objects { files, root, locks, queues });
    builder.set_auth(SimpleAuth::from_single(KEY, KEY));
    Ok(builder.build())
}

#[derive(Debug)]
struct Objects {
    files: FileSystem,
    root: PathBuf,
    locks: Vec<RwLock<()>>,
    queues: Arc<Queues>,
}

impl Objects {
    fn lock(&self, key: &str) -> S3Result<&RwLock<()>> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        // Where usize is narrower, some keys share the first lock: slower, not wrong.
        let index = usize::try_from(hasher.finish()).unwrap_or_default() % LOCKS;
        self.locks.get(index).ok_or_else(|| s3_error!(InternalError, "no lock"))
    }

    async fn reading(&self, key: &str) -> S3Result<RwLockReadGuard<'_, ()>> {
        Ok(self.lock(checked(key)?)?.read().await)
    }

    async fn writing(&self, key: &str) -> S3Result<RwLockWriteGuard<'_, ()>> {
        Ok(self.lock(checked(key)?)?.write().await)
    }

    /// The file that `s3s-fs` writes last. Where it is missing, the object was never finished.
    fn last_file(&self, bucket: &str, key: &str) -> PathBuf {
        let (bucket, key) = (URL_SAFE_NO_PAD.encode(bucket), URL_SAFE_NO_PAD.encode(key));
        self.root.join(format!(".bucket-{bucket}.object-{key}.internal.json"))
    }

    /// The notification that the bucket of the template sends (Amazon S3 User Guide, "Event message structure").
    fn tell(&self, bucket: &str, key: &str) -> std::io::Result<()> {
        let size = std::fs::metadata(self.root.join(bucket).join(key))?.len();
        let at = self.queues.now();
        let record = serde_json::json!({
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": REGION,
            "eventTime": format!("{at:.3}"),
            "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "postern"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "net",
                "bucket": {
                    "name": bucket,
                    "ownerIdentity": {"principalId": "postern"},
                    "arn": format!("arn:aws:s3:::{bucket}"),
                },
                "object": {
                    "key": url_encoded(key),
                    "size": size,
                    "sequencer": format!("{:016X}", at.as_microsecond()),
                },
            },
        });
        self.queues.send(NET_QUEUE, serde_json::json!({"Records": [record]}).to_string(), None).map(drop)
    }

    fn expect_finished(&self, bucket: &str, key: &str) -> S3Result<()> {
        let finished = bucket == BUCKET && self.last_file(bucket, key).exists();
        if finished { Ok(()) } else { Err(s3_error!(NoSuchKey, "The specified key does not exist.")) }
    }
}

/// As S3 writes keys into notifications: like a form's value, the slashes left.
fn url_encoded(key: &str) -> String {
    let parts = key.split('/').map(|part| form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>());
    parts.collect::<Vec<_>>().join("/")
}

/// A key that stays in its folder and fits a file name.
fn checked(key: &str) -> S3Result<&str> {
    if key.len() > KEY_SIZE_MAX {
        return Err(s3_error!(KeyTooLongError, "the local engine takes keys of at most 160 octets"));
    }
    let inside = key.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if inside { Ok(key) } else { Err(s3_error!(InvalidArgument, "the local engine takes keys that are plain paths")) }
}

#[async_trait::async_trait]
impl S3 for Objects {
    async fn put_object(&self, mut request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        let _alone = self.writing(&key).await?;
        let new = self.expect_finished(&bucket, &key).is_err();
        if new {
            // Absent, or octets of a process that was killed before it answered: nobody was told they are safe.
            request.input.if_none_match = None;
        }
        let written = self.files.put_object(request).await?;
        if new && key.starts_with(TOLD) {
            self.tell(&bucket, &key).map_err(|error| {
                // Without the safety net under it the object is not there, so that the writer tries again.
                let _ = std::fs::remove_file(self.last_file(&bucket, &key));
                s3_error!(InternalError, "the safety net was not told: {error}")
            })?;
        }
        Ok(written)
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        let _quiet = self.reading(&key).await?;
        self.expect_finished(&bucket, &key)?;
        self.files.get_object(request).await
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        let _quiet = self.reading(&key).await?;
        self.expect_finished(&bucket, &key)?;
        self.files.head_object(request).await
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        let _alone = self.writing(&key).await?;
        // `s3s-fs` leaves it lying; then an object written half later would look whole.
        let _ = std::fs::remove_file(self.last_file(&bucket, &key));
        self.files.delete_object(request).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.files.list_objects_v2(request).await
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.files.head_bucket(request).await
    }

    async fn create_bucket(&self, request: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        self.files.create_bucket(request).await
    }
}
