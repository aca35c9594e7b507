//! The integration tests: one crate, one binary.

#[cfg(test)]
mod corpus;
