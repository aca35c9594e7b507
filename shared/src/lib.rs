//! Postern turns inbound e-mail into helpdesk tickets.

// Vocabulary.
pub mod address;
pub mod envelope;
pub mod inbound;
pub mod mailbox;
pub mod message_id;
// Pure core, in the order mail flows.
pub mod headers;
pub mod parse;
pub mod classify;
