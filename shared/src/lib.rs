//! Postern turns inbound e-mail into helpdesk tickets.

// Vocabulary.
pub mod address;
pub mod digest;
pub mod envelope;
pub mod inbound;
pub mod mailbox;
pub mod message_id;
pub mod records;
pub mod ticket;
// Pure core, in the order mail flows.
pub mod author;
pub mod classify;
pub mod decide;
pub mod headers;
pub mod parse;
pub mod thread;
pub mod token;
// Shell.
pub mod ambient;
pub mod ingest;
pub mod outcome;
// Edges.
pub mod aws;
pub mod blobs;
pub mod config;
pub mod providers;
pub mod secrets;
pub mod signature;
pub mod store;
pub mod telemetry;
