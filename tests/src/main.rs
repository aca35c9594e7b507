//! The integration tests: one crate, one binary.

mod corpus;
