//! The integration tests: the real handlers and stores over embedded DynamoDB and S3 engines, one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "test code: a failed expectation is the finding"
)]

mod doors;
mod engines;
mod harness;
mod world;

mod bad_input;
mod calls;
mod cli;
mod corpus;
mod memory;
mod providers;
