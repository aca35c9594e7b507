//! Ticket events: from the table stream to SNS.
