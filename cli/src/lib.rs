//! What the binary `postern` is made of, as a library so that the integration tests use the same engines.

pub mod args;
pub mod commands;
pub mod dev;
pub mod engines;
pub mod local;
pub mod metrics;
pub mod pump;
pub mod run;
pub mod samples;
pub mod setup;
pub mod show;
pub mod sources;
pub mod stack;
pub mod system;
