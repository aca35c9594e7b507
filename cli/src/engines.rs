//! DynamoDB, S3 and SQS in this process, on loopback ports: what the local run and the tests talk to through the AWS SDK.
//!
//! `dynoxide-rs` answers for DynamoDB from `<data>/table.db` (or memory), `s3s-fs` for S3 from the folder `<data>/objects`,
//! [`queues`] for SQS from `<data>/queues`. What they cannot do stands in `docs/ARCHITECTURE.md`; no Lambda build compiles
//! them.

mod clients;
mod directory;
mod objects;
pub mod queues;
mod server;
mod table;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use dynoxide::Database;
use postern::{ambient::Ambient, config::QueueUrls};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use directory::Directory;
pub use directory::{read_endpoints, write_endpoints};
use queues::Queues;
use table::Trouble;
pub use table::definition as table_definition;

/// The table's name.
pub const TABLE: &str = "postern";
/// The bucket's name.
pub const BUCKET: &str = "postern";
/// Key id and secret of the engines: they listen on loopback, and a signature needs some key.
const KEY: &str = "postern";
const REGION: &str = "us-east-1";
/// A request that a client never finishes would hold the engines open for ever.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// Why the engines do not run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another process holds the directory: read its endpoints, or stop it.
    #[error("the data directory {} is in use by another postern process; stop it, or choose another with --data", directory.display())]
    InUse {
        /// The data directory.
        directory: PathBuf,
    },
    /// A file or folder cannot be used.
    #[error("the data directory {} {trouble}; choose another with --data, or mend its permissions", path.display())]
    Directory {
        /// The file or folder.
        path: PathBuf,
        /// What cannot be done, as the rest of a sentence.
        trouble: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The table file was written by a version with other indexes.
    #[error(
        "the table in {} was made by another version of postern; run that one, or choose another directory with --data",
        directory.display()
    )]
    OtherVersion {
        /// The data directory.
        directory: PathBuf,
    },
    /// The DynamoDB engine cannot use the table file.
    #[error("the table in {} cannot be opened; put back a whole table.db, or choose another directory with --data", directory.display())]
    Table {
        /// The data directory.
        directory: PathBuf,
        /// What the engine said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No loopback port could be had.
    #[error("no port on 127.0.0.1 could be opened")]
    Port(#[source] io::Error),
}

impl EngineError {
    fn directory(path: &Path, trouble: &'static str, source: io::Error) -> Self {
        Self::Directory { path: path.to_owned(), trouble, source }
    }

    fn table(directory: &Path, trouble: Trouble) -> Self {
        let directory = directory.to_owned();
        match trouble {
            Trouble::OtherShape => Self::OtherVersion { directory },
            Trouble::Engine(source) => Self::Table { directory, source },
        }
    }
}

/// Where engines listen, and for whom; what `endpoints.json` holds.
///
/// An engine that an older version did not have has an empty URL, where nothing answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// URL of the DynamoDB engine.
    pub dynamodb: String,
    /// URL of the S3 engine.
    pub s3: String,
    /// URL of the SQS engine.
    #[serde(default)]
    pub sqs: String,
    /// URL of the HTTP door, where one is open.
    pub http: Option<String>,
    /// The process that serves them.
    pub pid: u32,
}

impl Endpoints {
    /// URLs of the queues, as the functions are told them.
    #[must_use]
    pub fn queue_urls(&self) -> QueueUrls {
        let url = |name| queues::queue_url(&self.sqs, name);
        QueueUrls {
            retry: url(queues::RETRY_QUEUE),
            receipt: url(queues::RECEIPT_QUEUE),
            net: url(queues::NET_QUEUE),
            dead: url(queues::DEAD_QUEUE),
        }
    }

    /// True where all engines of this version are named.
    #[must_use]
    pub fn are_complete(&self) -> bool {
        !self.sqs.is_empty()
    }
}

/// All engines, running. Dropping them stops them; [`Engines::stop`] also waits until they have.
#[derive(Debug)]
pub struct Engines {
    endpoints: Endpoints,
    directory: Arc<Directory>,
    queues: Arc<Queues>,
    /// Each server runs until its sender is dropped.
    stop: Vec<oneshot::Sender<()>>,
    servers: Vec<JoinHandle<()>>,
}

impl Engines {
    /// Opens a data directory (made where missing), or with `None` a table in memory and a folder that goes with it.
    ///
    /// # Errors
    /// [`EngineError::InUse`] where another process holds the directory: see [`read_endpoints`].
    pub async fn start(data: Option<&Path>) -> Result<Self, EngineError> {
        Self::start_at(data, Ambient::system()).await
    }

    /// As [`Engines::start`], at the time that `ambient` tells: the queues go by it. The table and the bucket do not.
    ///
    /// # Errors
    /// As there.
    pub async fn start_at(data: Option<&Path>, ambient: Ambient) -> Result<Self, EngineError> {
        let directory = Arc::new(match data {
            Some(path) => Directory::hold(path)?,
            None => Directory::temporary()?,
        });
        let database = open_table(data, directory.path())?;
        let queues = Queues::open(directory.path(), ambient)?;
        let service = objects::service(directory.path())?;
        let (dynamodb, dynamodb_endpoint) = server::listen().await?;
        let (s3, s3_endpoint) = server::listen().await?;
        let (sqs, sqs_endpoint) = server::listen().await?;
        let mut stop = Vec::new();
        let mut stopped = || {
            let (sender, receiver) = oneshot::channel();
            stop.push(sender);
            receiver
        };
        let answer = {
            let (queues, url) = (Arc::clone(&queues), sqs_endpoint.clone());
            move |parts, body| Arc::clone(&queues).answer(url.clone(), parts, body)
        };
        let held = || Arc::clone(&directory);
        let servers = vec![
            tokio::spawn(serve_dynamodb(dynamodb, database, stopped(), held())),
            tokio::spawn(server::serve(s3, service, stopped(), held())),
            tokio::spawn(server::serve_whole(sqs, queues::REQUEST_SIZE_MAX, answer, stopped(), held())),
        ];
        let endpoints = Endpoints {
            dynamodb: dynamodb_endpoint,
            s3: s3_endpoint,
            sqs: sqs_endpoint,
            http: None,
            pid: std::process::id(),
        };
        Ok(Self { endpoints, directory, queues, stop, servers })
    }

    /// Stops all engines and lets go of the directory once what is under way is done (after 5 seconds regardless).
    pub async fn stop(self) {
        let Self { endpoints: _, directory, queues, stop, servers } = self;
        drop(stop);
        for server in servers {
            if tokio::time::timeout(STOP_WITHIN, server).await.is_err() {
                tracing::warn!("an engine is still busy with a request that does not end");
            }
        }
        drop(queues);
        drop(directory);
    }

    /// URL of the DynamoDB engine, `http://127.0.0.1:<port>`.
    pub fn dynamodb_endpoint(&self) -> &str {
        &self.endpoints.dynamodb
    }

    /// URL of the S3 engine, `http://127.0.0.1:<port>`.
    pub fn s3_endpoint(&self) -> &str {
        &self.endpoints.s3
    }

    /// What to note for other commands, the HTTP door not yet named.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The directory that is held; a temporary one where none was named.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The queues themselves: to look at without asking SQS.
    pub fn queues(&self) -> &Arc<Queues> {
        &self.queues
    }

    /// DynamoDB and S3 clients for these engines, by `http` or by a plain HTTP client of their own.
    pub fn clients(&self, http: Option<SharedHttpClient>) -> (aws_sdk_dynamodb::Client, aws_sdk_s3::Client) {
        self.endpoints.clients(http)
    }
}

fn open_table(data: Option<&Path>, directory: &Path) -> Result<Database, EngineError> {
    let database = match data {
        Some(path) => {
            let file = path.join("table.db");
            let name = file.to_str().ok_or_else(|| {
                EngineError::directory(path, "has a name that is not UTF-8", io::ErrorKind::InvalidInput.into())
            })?;
            Database::new(name)
        }
        None => Database::memory(),
    };
    let refused = |trouble| EngineError::table(directory, trouble);
    let database = database.map_err(|error| refused(error.into()))?;
    table::ensure(&database).map_err(refused)?;
    Ok(database)
}

async fn serve_dynamodb(
    listener: TcpListener,
    database: Database,
    stop: oneshot::Receiver<()>,
    directory: Arc<Directory>,
) {
    let stopped = async {
        let _ = stop.await;
    };
    if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, stopped).await {
        tracing::error!(%error, "the DynamoDB engine stopped");
    }
    drop(directory);
}
