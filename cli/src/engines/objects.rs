//! S3 over a folder: `s3s-fs`, with the two things a mail store leans on and it does not give.
//!
//! It looks whether an object exists, then writes, then renames: of two conditional PUTs at once both may win. And it puts
//! the octets in place before their metadata, so a reader, or a process killed in between, finds a raw message without its
//! accept record. Here one key has one writer at a time, and an object exists only once the last of its three files does.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

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

use super::{BUCKET, EngineError, KEY};

/// Enough that two keys seldom wait for one another.
const LOCKS: usize = 256;

/// A file name holds 255 octets; `s3s-fs` spells bucket and key into one as base64 with 40 octets around them.
const KEY_SIZE_MAX: usize = 160;

/// The S3 service over `<data>/objects`, with its bucket made.
pub(super) fn service(data: &Path) -> Result<S3Service, EngineError> {
    let root = data.join("objects");
    let make = std::fs::create_dir_all(root.join(BUCKET));
    make.map_err(|source| EngineError::directory(&root, "cannot be made", source))?;
    let files = FileSystem::new(&root).map_err(|error| {
        EngineError::directory(&root, "cannot be opened", std::io::Error::other(format!("{error:?}")))
    })?;
    let locks = (0..LOCKS).map(|_| RwLock::new(())).collect();
    let mut builder = S3ServiceBuilder::new(Objects { files, root, locks });
    builder.set_auth(SimpleAuth::from_single(KEY, KEY));
    Ok(builder.build())
}

#[derive(Debug)]
struct Objects {
    files: FileSystem,
    root: PathBuf,
    locks: Vec<RwLock<()>>,
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

    fn expect_finished(&self, bucket: &str, key: &str) -> S3Result<()> {
        let finished = bucket == BUCKET && self.last_file(bucket, key).exists();
        if finished { Ok(()) } else { Err(s3_error!(NoSuchKey, "The specified key does not exist.")) }
    }
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
        if self.expect_finished(&bucket, &key).is_err() {
            // Absent, or octets of a process that was killed before it answered: nobody was told they are safe.
            request.input.if_none_match = None;
        }
        self.files.put_object(request).await
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
