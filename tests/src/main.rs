//! The integration tests: the real handlers and stores over embedded DynamoDB and S3 engines, one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "test code: a failed expectation is the finding"
)]

mod doors;
mod engines;
mod events;
mod harness;
mod world;

mod authentication;
mod bad_input;
mod calls;
mod capacity;
mod cli;
mod compat;
mod conversations;
mod corpora;
mod corpus;
mod corpus_webhooks;
mod faults;
mod fetch;
mod imap;
mod mail_server;
mod memory;
mod people;
mod providers;
mod publish;
mod queues;
mod races;
mod rules;
mod settings;
mod template;
mod threading;
mod workflows;
