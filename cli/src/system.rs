//! What the verbs work on: the engines of a data directory, or a deployed stack. Both are the same to them.

use postern::{
    ambient::Ambient, blobs::Blobs, dkim::Dkim, ingest::Ingest, queue::Queue, secrets::signing_keys,
    settings::Settings, store::Store,
};

use crate::{args::Common, local::Local, stack::Stack};

/// Where a system is.
#[derive(Debug)]
pub enum Place {
    /// A data directory.
    Data(Box<Local>),
    /// A stack.
    Stack(Box<Stack>),
}

/// A system that is there.
#[derive(Debug)]
pub struct System {
    /// Its table.
    pub store: Store,
    /// What its environment or its parameters describe.
    pub defaults: Settings,
    /// Its mailboxes and doors.
    pub settings: Settings,
    /// Clock, randomness, waiting.
    pub ambient: Ambient,
    /// Where it is.
    pub place: Place,
}

impl System {
    /// Opens what `--stack` or `--data` names. Looking makes nothing, and reads no secret of a stack.
    ///
    /// # Errors
    /// In words: no data, or what [`Stack::find`] and [`Local::existing`] say.
    pub async fn open(common: &Common) -> anyhow::Result<Self> {
        let Some(name) = &common.aws.stack else {
            let local = Local::existing(&common.data).await?;
            let Ingest { store, ambient, .. } = local.ingest.clone();
            let (defaults, settings) = (local.defaults.clone(), local.settings.clone());
            return Ok(Self { store, defaults, settings, ambient, place: Place::Data(Box::new(local)) });
        };
        // SDK futures are large: on the heap, a verb over a data directory does not carry them.
        let stack = Box::pin(Stack::find(name, &common.aws)).await?;
        let ambient = Ambient::system();
        let store = Store::new(stack.clients.dynamodb.clone(), stack.output("TableName")?, ambient.clone());
        let defaults = stack.defaults()?;
        let settings = defaults.overlaid(&store.settings().await?)?;
        Ok(Self { store, defaults, settings, ambient, place: Place::Stack(Box::new(stack)) })
    }

    /// The pipeline, for verbs that sign or decide. Of a stack it needs the master secret, which those who only read
    /// tickets need not be allowed to see.
    ///
    /// # Errors
    /// The master secret cannot be read, or the stack is of another version.
    pub async fn ingest(&self) -> anyhow::Result<Ingest> {
        let stack = match &self.place {
            Place::Data(local) => return Ok(local.ingest.clone()),
            Place::Stack(stack) => stack,
        };
        Ok(Ingest {
            store: self.store.clone(),
            blobs: self.blobs()?,
            keyring: signing_keys(&stack.master_secret()?).await?,
            mailboxes: self.settings.mailboxes.clone(),
            doors: self.settings.doors.clone(),
            dkim: Dkim::system(),
            ambient: self.ambient.clone(),
            // Whoever typed the command types it again.
            retry: None,
            fetcher: None,
        })
    }

    /// The bucket: raw mail and attachments.
    ///
    /// # Errors
    /// The stack is of another version.
    pub fn blobs(&self) -> anyhow::Result<Blobs> {
        Ok(match &self.place {
            Place::Data(local) => local.ingest.blobs.clone(),
            Place::Stack(stack) => Blobs::new(stack.clients.s3.clone(), stack.output("BucketName")?),
        })
    }

    /// The queue of what is safe and not decided: what goes there is worked off by the stack, or by a running `dev`.
    ///
    /// # Errors
    /// The stack is of another version.
    pub fn retry_queue(&self) -> anyhow::Result<Queue> {
        Ok(match &self.place {
            Place::Data(local) => {
                let endpoints = local.endpoints();
                Queue::new(endpoints.all_clients(None).sqs, endpoints.queue_urls().retry)
            }
            Place::Stack(stack) => Queue::new(stack.clients.sqs.clone(), stack.output("RetryQueueUrl")?),
        })
    }

    /// Lets go of it: engines that this process runs are stopped once everything is on disk.
    pub async fn close(self) {
        match self.place {
            Place::Data(local) => local.close().await,
            Place::Stack(_) => {}
        }
    }
}
