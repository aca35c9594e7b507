//! What the tests put between an actor and the engines, and between a test and a handler process.
//!
//! - [`wire::Wire`] goes under the SDK clients of one actor: it records each call, and fails the ones it is told to.
//! - [`explore::explore`] runs actors in every order their calls can have.
//! - [`topic::Topic`] stands in for SNS: it records what is published.
//! - [`dns::Dns`] is a name server on loopback.
//! - [`fake_https::FakeHttps`] stands in for a provider's own HTTPS server.
//! - [`log::Log`] collects what is logged on the test's thread.
//! - [`runtime_api::RuntimeApi`] is the Lambda service to a real handler process.

pub(crate) mod call;
pub(crate) mod dns;
pub(crate) mod explore;
pub(crate) mod fake_https;
pub(crate) mod fault;
pub(crate) mod gate;
pub(crate) mod log;
pub(crate) mod meter;
pub(crate) mod runtime_api;
pub(crate) mod topic;
pub(crate) mod wire;

mod tests;
