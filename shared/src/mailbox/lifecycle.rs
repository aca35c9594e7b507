//! What mail and time do to the status of a mailbox's tickets, as far as it is a matter of policy.

use serde::{Deserialize, Serialize};

/// What a reply does that only says thanks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CourtesyPolicy {
    /// What any reply does.
    #[default]
    Reopens,
    /// It is appended; a resolved or closed ticket stays so.
    Stays,
}

/// Times that mail may reopen a ticket on one day, where nothing is said.
const REOPENS_PER_DAY: u16 = 3;

/// Policies of the lifecycle; the reopen window stands on the mailbox itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecyclePolicy {
    /// Times that mail reopens a resolved or closed ticket on one UTC day; further replies are appended. `None` = any.
    #[serde(default = "three")]
    pub reopens_per_day: Option<u16>,
    /// What courtesy does.
    #[serde(default)]
    pub courtesy: CourtesyPolicy,
    /// Days after which a resolved ticket that nobody touches is closed. `None` = never.
    #[serde(default)]
    pub auto_close_days: Option<u16>,
}

#[expect(clippy::unnecessary_wraps, reason = "the default of a field that may be null")]
fn three() -> Option<u16> {
    Some(REOPENS_PER_DAY)
}

impl Default for LifecyclePolicy {
    fn default() -> Self {
        Self { reopens_per_day: three(), courtesy: CourtesyPolicy::default(), auto_close_days: None }
    }
}

#[cfg(test)]
mod tests {
    use crate::{address::AddrSpec, mailbox::Mailbox, mailbox::MailboxId};

    use super::*;

    #[test]
    fn it_is_written_beside_the_other_settings() {
        let mut mailbox = Mailbox::new(MailboxId::parse("a").unwrap(), AddrSpec::parse("a@us.example").unwrap(), "INC");
        let json = serde_json::to_value(&mailbox).unwrap();
        assert_eq!((&json["reopens_per_day"], &json["courtesy"]), (&3.into(), &"reopens".into()));
        let mut before = json;
        for name in ["reopens_per_day", "courtesy", "auto_close_days"] {
            before.as_object_mut().unwrap().remove(name);
        }
        let read: Mailbox = serde_json::from_value(before).unwrap();
        assert_eq!(read, mailbox, "as written before there was any of it");
        mailbox.lifecycle =
            LifecyclePolicy { reopens_per_day: None, courtesy: CourtesyPolicy::Stays, auto_close_days: Some(7) };
        let item: crate::store::items::Item = serde_dynamo::to_item(&mailbox).unwrap();
        assert_eq!(serde_dynamo::from_item::<_, Mailbox>(item).unwrap(), mailbox);
    }
}
