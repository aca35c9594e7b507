//! Rules as people write them: plain data, one JSON object a mailbox (`docs/RULES.md`, `docs/rules.schema.json`).

use serde::{Deserialize, Serialize};

use crate::{author::Authentication, classify::Kind, inbound::Verdict};

/// Everything that a mailbox's rules file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// Where editors find the schema; nothing reads it, and it is not stored.
    #[serde(default, rename = "$schema", skip_serializing)]
    pub schema: Option<String>,
    /// In the order in which they are tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Authors that are known: `jane@customer.example`, `*@customer.example`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Authors whose mail is held, `blocked-sender`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub block: Vec<String>,
    /// Mail of everybody else that reaches no ticket of the author is held, `not-allowed`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_allowed: bool,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Told by `explain` as `rule:NAME`; 1 to 40 of `[a-z0-9-]`, once in a file.
    pub name: String,
    /// For people; nothing reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What must hold of the mail; left out: every mail.
    #[serde(default, rename = "if", skip_serializing_if = "When::is_empty")]
    pub when: When,
    /// What is set then.
    #[serde(default, rename = "then", skip_serializing_if = "Then::is_empty")]
    pub then: Then,
    /// No rule below is tried where this one holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stop: bool,
}

/// Conditions: all that are named must hold. Of a list, one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// Each of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<Vec<When>>,
    /// One of these at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any: Option<Vec<When>>,
    /// Not this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<When>>,
    /// An address that it came for, with or without its tag; `*` stands for anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Vec<String>>,
    /// What stands behind a `+` in such an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<Vec<String>>,
    /// The author's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Vec<String>>,
    /// The author's domain; `*.example.com` is every domain below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_domain: Option<Vec<String>>,
    /// Words in the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Vec<String>>,
    /// Words in what the author newly wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Vec<String>>,
    /// Header fields: each of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Vec<HeaderTest>>,
    /// What the provider asserts: each that is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<VerdictTest>,
    /// Whether the author is proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Vec<Authentication>>,
    /// The raw mail has more octets than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_over: Option<u64>,
    /// The raw mail has fewer octets than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_under: Option<u64>,
    /// Kind of mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Vec<Kind>>,
    /// Language of what the author newly wrote, ISO 639.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Vec<String>>,
    /// What the mail says of its own weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance: Option<Vec<Importance>>,
}

/// One header field. With neither `equals` nor `contains`: it is there (or, `present` false, it is not).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderTest {
    /// Name of the field, in any case.
    pub name: String,
    /// It is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<bool>,
    /// Its whole value is one of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Vec<String>>,
    /// One of these stands in its value, at any place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<Vec<String>>,
}

/// What a provider must assert: of each list one. A check that it says nothing of holds nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VerdictTest {
    /// RFC 7208.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spf: Option<Vec<Verdict>>,
    /// RFC 6376.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dkim: Option<Vec<Verdict>>,
    /// RFC 7489.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<Vec<Verdict>>,
    /// Spam scanner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spam: Option<Vec<Verdict>>,
    /// Virus scanner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virus: Option<Vec<Verdict>>,
}

/// What a mail says of its own weight: X-Priority, Importance, Priority, X-MSMail-Priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Importance {
    /// Less than others.
    Low,
    /// Nothing, or as others.
    Normal,
    /// More than others.
    High,
}

/// How soon a ticket is to be worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// When there is time.
    Low,
    /// As it comes; what every ticket has that no rule speaks of.
    Normal,
    /// Before others.
    High,
    /// Now.
    Urgent,
}

impl Priority {
    /// The word on the ticket.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

/// Who of a mail becomes a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParticipantsPolicy {
    /// Author, To and Cc.
    All,
    /// The author.
    AuthorOnly,
}

/// What a rule sets. A later rule's word replaces an earlier one's; tags gather.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Then {
    /// Queue of a ticket that the mail opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Its type: `incident`, `change`, ...
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub ticket_type: Option<String>,
    /// Its priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Tags for the ticket, new or old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// The sender hears that the mail was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledge: Option<bool>,
    /// Who becomes a participant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participants: Option<ParticipantsPolicy>,
    /// Held, cause `rule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<bool>,
    /// Ignored with a row, cause `rule`; the raw mail is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore: Option<bool>,
    /// An answer reopens its ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reopen: Option<bool>,
    /// Mails with the same key share a ticket, and a recovery resolves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge_key: Option<MergeBy>,
}

/// Where the key of a merge comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergeBy {
    /// What is looked at.
    pub by: MergeSource,
    /// Of a header: the name of its field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The key begins behind this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The key ends before this text, or with the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Words that make a subject one of a recovery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Vec<String>>,
}

/// What a key is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeSource {
    /// The forms of Nagios, Icinga, Zabbix, Alertmanager and CloudWatch.
    Monitoring,
    /// The subject.
    Subject,
    /// A header field.
    Header,
}

impl When {
    /// True where nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Then {
    /// True where nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
