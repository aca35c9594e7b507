//! Routing rules of a mailbox: what the operator wants done with mail of a certain form. Pure: the same mail and the same
//! rules set the same things.
//!
//! Rules are data ([`RuleSet`], `docs/RULES.md`). They are tried in their order; each that holds sets what it names, a later
//! one replaces an earlier one's word, tags gather, `stop` ends it. [`Rules::judge`] folds the mail once and then asks each
//! rule for a few look-ups, so that a thousand rules cost less than reading the mail. Nothing here matches by trial and
//! error: words go down a tree, globs never go back.

mod check;
mod compiled;
mod data;
mod importance;
mod language;
mod lists;
mod merge;
mod monitoring;
mod words;

use std::{fmt, sync::Arc};

pub use self::{
    check::{RULES_MAX, RULES_OCTETS_MAX, RulesError},
    data::{
        HeaderTest, Importance, MergeBy, MergeSource, ParticipantsPolicy, Priority, Rule, RuleSet, Then, VerdictTest,
        When,
    },
    merge::Merge,
    monitoring::State,
};
use crate::{
    address::{AddrSpec, NamedAddress},
    author::{Authentication, Author},
    classify::Classification,
    headers::Headers,
    inbound::Verdicts,
    message_id::MessageId,
    parse::ParsedMessage,
};
use compiled::{Compiled, Facts};
use merge::Owner;

/// Tags on one ticket.
pub const TAGS_MAX: usize = 50;
/// Rules named among the reasons of one mail; more are told by `rules-more`.
const TOLD_MAX: usize = 20;

/// What a mail is to the rules.
#[derive(Clone, Copy, Debug)]
pub struct Mail<'a> {
    /// Header scan.
    pub headers: &'a Headers,
    /// Body.
    pub parsed: &'a ParsedMessage,
    /// Kind.
    pub classification: &'a Classification,
    /// Provider's verdicts.
    pub verdicts: &'a Verdicts,
    /// Author.
    pub author: &'a Author,
    /// Whom it came for: the envelope's recipients, and those that the header names.
    pub recipients: &'a [AddrSpec],
    /// Size of the raw mail, octets.
    pub octets: u64,
}

/// On which list the author stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listed {
    /// On none, and the mailbox takes everybody's mail.
    #[default]
    Nowhere,
    /// On the allow list.
    Allowed,
    /// On the block list.
    Blocked,
    /// On none, and the mailbox takes only the mail of those who are allowed.
    NotAllowed,
}

/// What the rules say of a mail. `None`: no rule that held says anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruled {
    /// Queue of a new ticket.
    pub queue: Option<String>,
    /// Its type.
    pub ticket_type: Option<String>,
    /// Its priority.
    pub priority: Option<Priority>,
    /// Tags for the ticket, each once.
    pub tags: Vec<String>,
    /// The sender hears that the mail was received.
    pub acknowledge: Option<bool>,
    /// Who becomes a participant.
    pub participants: Option<ParticipantsPolicy>,
    /// Held; wins over `ignore`, because nothing is lost by it.
    pub hold: bool,
    /// Ignored, with a row.
    pub ignore: bool,
    /// Whether an answer reopens its ticket.
    pub reopen: Option<bool>,
    /// Under which key it shares a ticket.
    pub merge: Option<Merge>,
    /// Allow and block lists.
    pub listed: Listed,
    /// Names of the rules that held, in their order.
    pub fired: Vec<String>,
}

impl Ruled {
    /// The rules that held, as reasons: the first twenty.
    pub fn reasons(&self) -> impl Iterator<Item = String> {
        let more = (self.fired.len() > TOLD_MAX).then(|| "rules-more".to_owned());
        self.fired.iter().take(TOLD_MAX).map(|name| format!("rule:{name}")).chain(more)
    }
}

/// The rules of one mailbox, ready. Clones share them.
#[derive(Clone, Default)]
pub struct Rules(Option<Arc<Compiled>>);

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        self.set() == other.set()
    }
}

impl Eq for Rules {}

/// Rules hold addresses: `{:?}` shows how many there are.
impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rules({})", self.0.as_ref().map_or(0, |compiled| compiled.rules.len()))
    }
}

impl Rules {
    /// Reads and checks a rules file.
    ///
    /// # Errors
    /// Every fault, with rule and field.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        check::read(text).map(Self::of)
    }

    /// Reads rules as they are stored: what [`Rules::to_json`] gave.
    ///
    /// # Errors
    /// They are not what anything of ours has written.
    pub fn parse_stored(text: &str) -> Result<Self, RulesError> {
        check::read_stored(text).map(Self::of)
    }

    fn of(set: RuleSet) -> Self {
        let set = RuleSet { schema: None, ..set };
        if set == RuleSet::default() { Self::default() } else { Self(Some(Arc::new(Compiled::of(set)))) }
    }

    /// As data.
    #[must_use]
    pub fn set(&self) -> Option<&RuleSet> {
        self.0.as_ref().map(|compiled| &compiled.set)
    }

    /// Queues that they send tickets to.
    pub fn queues(&self) -> impl Iterator<Item = &str> {
        self.set().into_iter().flat_map(|set| &set.rules).filter_map(|rule| rule.then.queue.as_deref())
    }

    /// True where nothing is ruled and nobody listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// As compact JSON, at most [`RULES_OCTETS_MAX`] octets.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.set().and_then(|set| serde_json::to_string(set).ok()).unwrap_or_else(|| "{}".to_owned())
    }

    /// What they say of a mail. `scope` is the mailbox's: who shares tickets shares merge keys.
    #[must_use]
    pub fn judge(&self, mail: &Mail<'_>, scope: &str) -> Ruled {
        let Some(compiled) = &self.0 else { return Ruled::default() };
        let facts = compiled.facts(mail);
        let recipients = facts.recipient_set();
        let mut ruled = Ruled { listed: compiled.listed(mail), ..Ruled::default() };
        let mut way = None;
        for rule in compiled.rules.iter().filter(|rule| rule.holds(&facts, &recipients)) {
            ruled.fired.push(rule.name.clone());
            ruled.take(&rule.then);
            way = rule.merge.or(way);
            if rule.stop {
                break;
            }
        }
        ruled.merge = way.and_then(|way| compiled.merge(way, &facts, mail, scope));
        ruled
    }

    /// The merge keys that the header alone tells, whichever rules hold: they are read together with everything else that
    /// a decision needs, before the body is.
    #[must_use]
    pub fn header_keys(&self, headers: &Headers, author: &Author, scope: &str) -> Vec<MessageId> {
        let Some((compiled, author)) = self.0.as_ref().zip(owner(author)) else { return Vec::new() };
        let owner = Owner { scope, author };
        compiled.ways.iter().filter_map(|(way, _)| way.key(headers, None, owner)).map(|merge| merge.id).collect()
    }
}

/// Whose merge key it may be: nobody's whose domain disowns the mail.
fn owner(author: &Author) -> Option<&AddrSpec> {
    author.address.as_ref().filter(|_| author.authentication != Authentication::Failed)
}

impl Compiled {
    fn listed(&self, mail: &Mail<'_>) -> Listed {
        let written: Vec<AddrSpec> = mail.headers.from.iter().filter_map(NamedAddress::addr_spec).collect();
        let author = mail.author.address.as_ref();
        if written.iter().chain(author).any(|address| self.block.holds(address)) {
            return Listed::Blocked;
        }
        // Nobody gets in by a name that its own domain disowns.
        match owner(mail.author).is_some_and(|author| self.allow.holds(author)) {
            true => Listed::Allowed,
            false if self.set.only_allowed => Listed::NotAllowed,
            false => Listed::Nowhere,
        }
    }

    fn merge(&self, way: usize, facts: &Facts<'_>, mail: &Mail<'_>, scope: &str) -> Option<Merge> {
        let (way, recovered) = self.ways.get(way)?;
        let owner = Owner { scope, author: owner(mail.author)? };
        let merge = way.key(mail.headers, Some(&mail.parsed.text), owner)?;
        let over = recovered.iter().any(|number| facts.subject.get(*number) == Some(&true));
        Some(if over { Merge { state: State::Recovery, ..merge } } else { merge })
    }
}

impl Ruled {
    fn take(&mut self, then: &Then) {
        fn put<T: Clone>(field: &mut Option<T>, said: &Option<T>) {
            if said.is_some() {
                field.clone_from(said);
            }
        }
        put(&mut self.queue, &then.queue);
        put(&mut self.ticket_type, &then.ticket_type);
        put(&mut self.priority, &then.priority);
        put(&mut self.acknowledge, &then.acknowledge);
        put(&mut self.participants, &then.participants);
        put(&mut self.reopen, &then.reopen);
        self.hold = then.hold.unwrap_or(self.hold);
        self.ignore = then.ignore.unwrap_or(self.ignore);
        for tag in then.tags.iter().flatten() {
            if self.tags.len() < TAGS_MAX && !self.tags.contains(tag) {
                self.tags.push(tag.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
