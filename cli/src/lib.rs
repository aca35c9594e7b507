//! What the binary `postern` is made of, as a library so that the integration tests use the same engines.

pub mod engines;
