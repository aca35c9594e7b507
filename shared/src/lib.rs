//! Postern turns inbound e-mail into helpdesk tickets.
//!
//! ```text
//!            verify, normalise        scan           parse, classify        thread, decide        one transaction
//!  provider ───────────────────► door ────► accept ──────────────────► resolve ───────────────► commit ─────────► answer
//!            providers/*.rs                 PUT raw ‖ BatchGet          PUT attachments ‖ ordinal
//! ```
//!
//! Read in this order: the vocabulary, then the pure core as mail flows through it, then [`ingest`], where all of it
//! can be seen at once, then the edges. The core knows no clock, no network and no AWS crate; `ingest` and the edges
//! are the shell around it. What is promised, and which test breaks when a promise breaks: `docs/GUARANTEES.md`.

// Vocabulary: no I/O, no async, no clock.
pub mod address;
pub mod digest;
pub mod door;
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
pub mod event;
pub mod explain;
pub mod headers;
pub mod inspect;
pub mod parse;
pub mod retention;
pub mod rules;
pub mod similar;
pub mod thread;
pub mod token;

// Shell.
pub mod ambient;
pub mod ingest;
pub mod outcome;
pub mod people;
pub mod poll;
pub mod settings;

// Edges.
pub mod aws;
pub mod blobs;
pub mod config;
pub mod dkim;
pub mod events;
pub mod fetch;
pub mod imap;
pub mod outbound;
pub mod providers;
pub mod queue;
pub mod secrets;
pub mod signature;
pub mod store;
pub mod telemetry;
