//! Limits on what is taken out of a mail.

use serde::{Deserialize, Serialize};

/// How much one author, and one ticket, may bring within an hour of transport time. What is beyond is held, cause `loop`,
/// and released or discarded as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Caps {
    /// Tickets that one author opens.
    pub author_tickets: u64,
    /// Entries that one author writes, those included.
    pub author_entries: u64,
    /// Entries on one ticket.
    pub ticket_entries: u64,
    /// Texts of one author in a row that say the same, unless they say that a machine wrote them.
    pub alike: u64,
}

impl Default for Caps {
    /// 20 tickets, 60 entries, 120 entries on a ticket, 8 alike.
    fn default() -> Self {
        Self { author_tickets: 20, author_entries: 60, ticket_entries: 120, alike: 8 }
    }
}

/// Which attachments are taken out of a mail. The raw mail keeps all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttachmentLimits {
    /// Octets of one, decoded.
    pub each: u64,
    /// Octets of all of one mail, in the order in which they stand.
    pub total: u64,
    /// How many.
    pub count: u32,
}

impl Default for AttachmentLimits {
    /// 25 MB each, 40 MB together, 50 of them.
    fn default() -> Self {
        Self { each: 25 * 1024 * 1024, total: 40 * 1024 * 1024, count: 50 }
    }
}

impl AttachmentLimits {
    /// For each attachment in order, by its size in octets: why it is not taken out of the mail, if it is not.
    #[must_use]
    pub fn judge(&self, sizes: impl IntoIterator<Item = u64>) -> Vec<Option<&'static str>> {
        let (mut total, mut count) = (0_u64, 0_u32);
        let judge = |size: u64| {
            if size > self.each {
                return Some("attachment-too-large");
            }
            if count >= self.count {
                return Some("too-many-attachments");
            }
            if total.saturating_add(size) > self.total {
                return Some("attachments-too-large");
            }
            (total, count) = (total.saturating_add(size), count.saturating_add(1));
            None
        };
        sizes.into_iter().map(judge).collect()
    }
}
