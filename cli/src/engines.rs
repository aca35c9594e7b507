//! DynamoDB, S3, SQS and SNS in this process, on loopback ports: what the local run and the tests talk to through the AWS SDK.
//!
//! `dynoxide-rs` answers for DynamoDB from `<data>/table.db` (or memory), `s3s-fs` for S3 from the folder `<data>/objects`,
//! [`queues`] for SQS from `<data>/queues`, [`topic`] for SNS to `<data>/events.jsonl`. What they cannot do stands in `docs/ARCHITECTURE.md`; no Lambda build compiles
//! them.

mod clients;
mod directory;
mod objects;
pub mod queues;
mod server;
pub mod stream;
mod table;
pub mod topic;

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
use stream::Stream;
pub use table::definition as table_definition;
use table::{Table, Trouble};
use topic::{Event, Topic};

/// The table's name.
pub const TABLE: &str = "postern";
/// The bucket's name.
pub const BUCKET: &str = "postern";
/// Key id and secret of the engines: they listen on loopback, and a signature needs some key.
pub(crate) const KEY: &str = "postern";
pub(crate) const REGION: &str = "us-east-1";
/// Account number of everything local.
const ACCOUNT: &str = "000000000000";
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
    /// URL of the SNS engine.
    #[serde(default)]
    pub sns: String,
    /// URL of the HTTP door, where one is open.
    pub http: Option<String>,
    /// The process that serves them.
    pub pid: u32,
}

impl Endpoints {
    /// URLs of the queues, as the functions are told them.
    #[must_use]
    pub fn queue_urls(&self) -> QueueUrls {
        let url = |name| self.queue_url(name);
        QueueUrls {
            retry: url(queues::RETRY_QUEUE),
            receipt: url(queues::RECEIPT_QUEUE),
            net: url(queues::NET_QUEUE),
            dead: url(queues::DEAD_QUEUE),
            poll: url(queues::POLL_QUEUE),
        }
    }

    /// URL of one queue.
    #[must_use]
    pub fn queue_url(&self, name: &str) -> String {
        queues::queue_url(&self.sqs, name)
    }

    /// True where all engines of this version are named.
    #[must_use]
    pub fn are_complete(&self) -> bool {
        !self.sqs.is_empty() && !self.sns.is_empty()
    }
}

/// What engines are started with besides their directory.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The clock that queues and topic go by. The table and the bucket have the system's.
    pub ambient: Ambient,
    /// Where ticket events are told besides the log.
    pub events_url: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { ambient: Ambient::system(), events_url: None }
    }
}

/// All engines, running. Dropping them stops them; [`Engines::stop`] also waits until they have.
#[derive(Debug)]
pub struct Engines {
    endpoints: Endpoints,
    directory: Arc<Directory>,
    queues: Arc<Queues>,
    topic: Arc<Topic>,
    table: Table,
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
        Self::start_with(data, Settings::default()).await
    }

    /// As [`Engines::start`], at the time that `ambient` tells.
    ///
    /// # Errors
    /// As there.
    pub async fn start_at(data: Option<&Path>, ambient: Ambient) -> Result<Self, EngineError> {
        Self::start_with(data, Settings { ambient, ..Settings::default() }).await
    }

    /// As [`Engines::start`], with everything that can be set.
    ///
    /// # Errors
    /// As there.
    pub async fn start_with(data: Option<&Path>, settings: Settings) -> Result<Self, EngineError> {
        let Settings { ambient, events_url } = settings;
        let directory = Arc::new(match data {
            Some(path) => Directory::hold(path)?,
            None => Directory::temporary()?,
        });
        let table = open_table(data, directory.path())?;
        let queues = Queues::open(directory.path(), ambient.clone())?;
        let topic = Topic::open(directory.path(), ambient)?;
        let service = objects::service(directory.path(), Arc::clone(&queues))?;
        let (dynamodb, dynamodb_url) = server::listen().await?;
        let (s3, s3_url) = server::listen().await?;
        let (sqs, sqs_url) = server::listen().await?;
        let (sns, sns_url) = server::listen().await?;
        let mut stop = Vec::new();
        let mut stopped = || {
            let (sender, receiver) = oneshot::channel();
            stop.push(sender);
            receiver
        };
        let of_queues = {
            let (queues, url) = (Arc::clone(&queues), sqs_url.clone());
            move |parts, body| Arc::clone(&queues).answer(url.clone(), parts, body)
        };
        let of_topic = {
            let topic = Arc::clone(&topic);
            move |_, body| Arc::clone(&topic).answer(body)
        };
        let held = || Arc::clone(&directory);
        let mut servers = vec![
            tokio::spawn(serve_dynamodb(dynamodb, table.0.clone(), stopped(), held())),
            tokio::spawn(server::serve(s3, service, stopped(), held())),
            tokio::spawn(server::serve_whole(sqs, queues::REQUEST_SIZE_MAX, of_queues, stopped(), held())),
            tokio::spawn(server::serve_whole(sns, topic::REQUEST_SIZE_MAX, of_topic, stopped(), held())),
        ];
        if let Some(url) = events_url {
            servers.push(tokio::spawn(topic::deliver(Arc::clone(&topic), url, stopped(), held())));
        }
        let pid = std::process::id();
        let endpoints = Endpoints { dynamodb: dynamodb_url, s3: s3_url, sqs: sqs_url, sns: sns_url, http: None, pid };
        Ok(Self { endpoints, directory, queues, topic, table, stop, servers })
    }

    /// Stops all engines and lets go of the directory once what is under way is done (after 5 seconds regardless).
    pub async fn stop(self) {
        let Self { endpoints: _, directory, queues, topic, table, stop, servers } = self;
        drop(stop);
        for server in servers {
            if tokio::time::timeout(STOP_WITHIN, server).await.is_err() {
                tracing::warn!("an engine is still busy with a request that does not end");
            }
        }
        drop((queues, topic, table));
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

    /// The topic itself: to listen to what is published.
    pub fn topic(&self) -> &Arc<Topic> {
        &self.topic
    }

    /// All ticket events that were published, oldest first.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn events(&self) -> io::Result<Vec<Event>> {
        self.topic.events()
    }

    /// A reader of the table's stream, from where the last one of this directory stopped. One at a time: two would move
    /// each other's position.
    pub fn stream(&self) -> Stream {
        Stream::open(self.table.clone(), self.directory.path())
    }

    /// DynamoDB and S3 clients for these engines, by `http` or by a plain HTTP client of their own.
    pub fn clients(&self, http: Option<SharedHttpClient>) -> (aws_sdk_dynamodb::Client, aws_sdk_s3::Client) {
        self.endpoints.clients(http)
    }
}

fn open_table(data: Option<&Path>, directory: &Path) -> Result<Table, EngineError> {
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
    Ok(Table(database))
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
