//! The table's stream, as Lambda's event source mapping reads it: filtered, in order, from where it stopped.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::table::Table;
use super::{ACCOUNT, REGION, TABLE};

/// Records read at once: most are filtered out.
const READ_AT_ONCE: usize = 200;

/// Why the stream cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The engine refused.
    #[error("the table's stream cannot be read")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The position cannot be kept: the next run would tell everything since again.
    #[error("{} cannot be written", path.display())]
    Position {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StreamError {
    fn engine(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Engine(error.into())
    }
}

/// Records in their order, and where the stream stands behind them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Records as a function gets them under `Records`.
    pub records: Vec<Value>,
    /// Sequence number of the last record that was read, also of one that was filtered out.
    pub upto: Option<String>,
}

/// Sequence number of a record.
#[must_use]
pub fn sequence_number(record: &Value) -> &str {
    record.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str).unwrap_or_default()
}

/// A reader of the stream.
#[derive(Clone, Debug)]
pub struct Stream {
    table: Table,
    place: PathBuf,
    position: Option<String>,
}

impl Stream {
    /// Goes on where `<data>/stream.json` says, or begins with the oldest record that there is.
    pub(super) fn open(table: Table, data: &Path) -> Self {
        let place = data.join("stream.json");
        let position = fs::read(&place).ok().and_then(|octets| {
            let noted: Value = serde_json::from_slice(&octets).ok()?;
            noted.get("after").and_then(Value::as_str).map(str::to_owned)
        });
        Self { table, place, position }
    }

    /// The next records that the function wants, at most so many; none where nothing has come. Reads the same again
    /// until [`Stream::settle`].
    ///
    /// # Errors
    /// [`StreamError::Engine`].
    pub fn read(&self, at_most: usize) -> Result<Batch, StreamError> {
        let arn = self.arn()?;
        let mut batch = Batch { records: Vec::new(), upto: None };
        let mut iterator = self.iterator(&arn)?;
        loop {
            let request = json!({"ShardIterator": iterator, "Limit": READ_AT_ONCE});
            let request = serde_json::from_value(request).map_err(StreamError::engine)?;
            let answer = self.table.0.get_records(request).map_err(StreamError::engine)?;
            let answer = serde_json::to_value(answer).map_err(StreamError::engine)?;
            let read = answer.get("Records").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            for record in read {
                batch.upto = Some(sequence_number(record).to_owned());
                if wanted(record) {
                    batch.records.push(of_lambda(record.clone(), &arn));
                    if batch.records.len() == at_most {
                        return Ok(batch);
                    }
                }
            }
            match answer.get("NextShardIterator").and_then(Value::as_str) {
                Some(next) if !read.is_empty() => next.clone_into(&mut iterator),
                _ => return Ok(batch),
            }
        }
    }

    /// What stands up to `sequence_number` is done: the next read begins behind it, in the next run too.
    ///
    /// # Errors
    /// [`StreamError::Position`].
    pub fn settle(&mut self, sequence_number: &str) -> Result<(), StreamError> {
        let write = || -> io::Result<()> {
            let unfinished = self.place.with_extension("new");
            fs::write(&unfinished, json!({"after": sequence_number}).to_string())?;
            fs::rename(&unfinished, &self.place)
        };
        write().map_err(|source| StreamError::Position { path: self.place.clone(), source })?;
        self.position = Some(sequence_number.to_owned());
        Ok(())
    }

    fn arn(&self) -> Result<String, StreamError> {
        let request = serde_json::from_value(json!({"TableName": TABLE})).map_err(StreamError::engine)?;
        let streams = self.table.0.list_streams(request).map_err(StreamError::engine)?;
        let streams = serde_json::to_value(streams).map_err(StreamError::engine)?;
        let arn = streams.pointer("/Streams/0/StreamArn").and_then(Value::as_str);
        Ok(arn.ok_or_else(|| StreamError::engine("the table has no stream"))?.to_owned())
    }

    fn iterator(&self, arn: &str) -> Result<String, StreamError> {
        let request = serde_json::from_value(json!({"StreamArn": arn})).map_err(StreamError::engine)?;
        let described = self.table.0.describe_stream(request).map_err(StreamError::engine)?;
        let described = serde_json::to_value(described).map_err(StreamError::engine)?;
        // The engine's streams have one shard.
        let shard = described.pointer("/StreamDescription/Shards/0/ShardId").and_then(Value::as_str);
        let Some(shard) = shard else { return Err(StreamError::engine("the stream has no shard")) };
        let mut request = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
        if let Some(position) = &self.position {
            request = json!({
                "StreamArn": arn,
                "ShardId": shard,
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": position,
            });
        }
        let request = serde_json::from_value(request).map_err(StreamError::engine)?;
        let answer = self.table.0.get_shard_iterator(request).map_err(StreamError::engine)?;
        answer.shard_iterator.ok_or_else(|| StreamError::engine("the stream gives no iterator"))
    }
}

/// The template's `FilterCriteria` of `publish`.
fn wanted(record: &Value) -> bool {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    matches!(text("/eventName"), "INSERT" | "MODIFY") && text("/dynamodb/NewImage/gsi4pk/S").starts_with("outbox#")
}

/// The engine has a region of its own name.
fn of_lambda(mut record: Value, arn: &str) -> Value {
    let label = arn.rsplit('/').next().unwrap_or_default();
    if let Some(record) = record.as_object_mut() {
        record.insert("awsRegion".to_owned(), REGION.into());
        let arn = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}/stream/{label}");
        record.insert("eventSourceARN".to_owned(), arn.into());
    }
    record
}
