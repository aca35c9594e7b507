//! Rules made ready: words numbered, addresses in sets; and the mail folded once, so that each rule is a few look-ups.

use std::collections::{HashMap, HashSet};

use super::{
    Mail,
    data::{HeaderTest, Importance, MergeBy, Rule, RuleSet, Then, VerdictTest, When},
    importance, language,
    lists::{AddressList, DomainList, Glob},
    merge::Way,
    words::Phrases,
};
use crate::{
    address::AddrSpec,
    author::Authentication,
    classify::Kind,
    headers::{Headers, words::decode},
    inbound::{Verdict, Verdicts},
    parse::fold::fold,
    ticket::cut_at,
};

/// Octets of a mail's own text that words are looked for in: twice what an entry keeps.
const BODY_OCTETS_MAX: usize = 64 * 1024;
/// Octets of all fields of one name that a rule looks at.
const FIELD_OCTETS_MAX: usize = 8 * 1024;
/// Recipients looked at: RFC 5321 section 4.5.3.1.8 asks for 100.
const RECIPIENTS_MAX: usize = 100;

/// One of a provider's checks.
type Check = fn(&Verdicts) -> Option<Verdict>;

#[derive(Debug)]
enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Recipient(AddressList),
    Tag(Vec<Glob>),
    Author(AddressList),
    AuthorDomain(DomainList),
    Subject(Vec<usize>),
    Body(Vec<usize>),
    HasField(String, bool),
    FieldIs(String, HashSet<String>),
    FieldHolds(String, Vec<String>),
    Verdict(Check, Vec<Verdict>),
    Authentication(Vec<Authentication>),
    Over(u64),
    Under(u64),
    Kind(Vec<Kind>),
    Language(Vec<&'static str>),
    Importance(Vec<Importance>),
}

/// One rule, ready.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) name: String,
    test: Test,
    pub(super) then: Then,
    pub(super) merge: Option<usize>,
    pub(super) stop: bool,
}

/// Everything of a mailbox, ready.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    pub(super) set: RuleSet,
    pub(super) rules: Vec<Ready>,
    pub(super) allow: AddressList,
    pub(super) block: AddressList,
    /// Ways to a merge key, each once, with the subject's words that tell of a recovery.
    pub(super) ways: Vec<(Way, Vec<usize>)>,
    subject: Phrases,
    body: Phrases,
    fields: HashSet<String>,
    languages: bool,
}

impl Compiled {
    /// Of a set without a fault.
    pub(super) fn of(set: RuleSet) -> Self {
        let mut compiled =
            Self { allow: AddressList::of(&set.allow), block: AddressList::of(&set.block), ..Self::default() };
        let rules = set.rules.iter().map(|rule| compiled.rule(rule)).collect();
        Self { set, rules, ..compiled }
    }

    fn rule(&mut self, rule: &Rule) -> Ready {
        Ready {
            name: rule.name.clone(),
            test: self.all_of(&rule.when),
            then: rule.then.clone(),
            merge: rule.then.merge_key.as_ref().map(|by| self.way(by)),
            stop: rule.stop,
        }
    }

    fn way(&mut self, by: &MergeBy) -> usize {
        let recovered = by.recovered.iter().flatten().map(|phrase| self.subject.add(phrase)).collect();
        let way = (Way::of(by), recovered);
        let known = self.ways.iter().position(|other| *other == way);
        known.unwrap_or_else(|| {
            self.ways.push(way);
            self.ways.len() - 1
        })
    }

    fn all_of(&mut self, when: &When) -> Test {
        let mut tests = Vec::new();
        // What costs least and tells most comes first: the tests of a rule end with the first that does not hold.
        tests.extend(when.kind.clone().map(Test::Kind));
        tests.extend(when.authentication.clone().map(Test::Authentication));
        tests.extend(when.importance.clone().map(Test::Importance));
        tests.extend(when.size_over.map(Test::Over));
        tests.extend(when.size_under.map(Test::Under));
        tests.extend(when.author.as_deref().map(AddressList::of).map(Test::Author));
        tests.extend(when.author_domain.as_deref().map(DomainList::of).map(Test::AuthorDomain));
        tests.extend(when.subject.as_ref().map(|all| Test::Subject(all.iter().map(|p| self.subject.add(p)).collect())));
        tests.extend(when.body.as_ref().map(|all| Test::Body(all.iter().map(|p| self.body.add(p)).collect())));
        tests.extend(when.recipient.as_deref().map(AddressList::of).map(Test::Recipient));
        let globs = |all: &Vec<String>| all.iter().map(|tag| Glob::of(&tag.to_ascii_lowercase())).collect();
        tests.extend(when.tag.as_ref().map(globs).map(Test::Tag));
        tests.extend(when.verdict.iter().flat_map(verdicts));
        tests.extend(when.header.iter().flatten().map(|test| self.field(test)));
        if let Some(codes) = &when.language {
            self.languages = true;
            tests.push(Test::Language(codes.iter().filter_map(|code| language::known(code)).collect()));
        }
        tests.extend(when.not.as_ref().map(|not| Test::Not(Box::new(self.all_of(not)))));
        tests.extend(when.all.as_ref().map(|all| Test::All(all.iter().map(|when| self.all_of(when)).collect())));
        tests.extend(when.any.as_ref().map(|any| Test::Any(any.iter().map(|when| self.all_of(when)).collect())));
        Test::All(tests)
    }

    fn field(&mut self, test: &HeaderTest) -> Test {
        let name = test.name.to_ascii_lowercase();
        self.fields.insert(name.clone());
        match (&test.equals, &test.contains) {
            (Some(values), _) => Test::FieldIs(name, values.iter().map(|value| fold(value)).collect()),
            (None, Some(values)) => Test::FieldHolds(name, values.iter().map(|value| fold(value)).collect()),
            (None, None) => Test::HasField(name, test.present.unwrap_or(true)),
        }
    }

    /// Folds the mail as far as these rules look at it.
    pub(super) fn facts<'a>(&'a self, mail: &Mail<'a>) -> Facts<'a> {
        let recipients: Vec<AddrSpec> = mail.recipients.iter().take(RECIPIENTS_MAX).cloned().collect();
        let tags = recipients.iter().flat_map(AddrSpec::plus_tags);
        let (bases, tags): (Vec<AddrSpec>, Vec<String>) = tags.map(|(base, tag)| (base, tag.to_owned())).unzip();
        let own_words = || cut_at(&mail.parsed.reply, BODY_OCTETS_MAX);
        let author = mail.author.address.as_ref();
        Facts {
            subject: self.subject.found(cut_at(&mail.headers.subject, BODY_OCTETS_MAX)),
            body: if self.body.is_empty() { Vec::new() } else { self.body.found(own_words()) },
            fields: self.fields.iter().map(|name| (name.as_str(), field_values(mail.headers, name))).collect(),
            language: self.languages.then(|| language::of(own_words())).flatten(),
            importance: importance::of(mail.headers),
            recipients: recipients.into_iter().chain(bases).collect(),
            tags,
            author,
            mail: *mail,
        }
    }
}

fn verdicts(test: &VerdictTest) -> Vec<Test> {
    let checks: [(Check, &Option<Vec<Verdict>>); 5] = [
        (|v| v.spf, &test.spf),
        (|v| v.dkim, &test.dkim),
        (|v| v.dmarc, &test.dmarc),
        (|v| v.spam, &test.spam),
        (|v| v.virus, &test.virus),
    ];
    checks.into_iter().filter_map(|(of, words)| Some(Test::Verdict(of, words.clone()?))).collect()
}

/// Values of all fields of that name, decoded and folded.
fn field_values(headers: &Headers, name: &str) -> Vec<String> {
    let mut room = FIELD_OCTETS_MAX;
    let mut values = Vec::new();
    for value in headers.all(name) {
        let folded = fold(&decode(cut_at(value, room)));
        room = room.saturating_sub(value.len().max(1));
        values.push(folded);
        if room == 0 {
            break;
        }
    }
    values
}

/// What rules ask of a mail, answered once.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) subject: Vec<bool>,
    body: Vec<bool>,
    fields: HashMap<&'a str, Vec<String>>,
    language: Option<&'static str>,
    importance: Importance,
    /// As written, and without their tags.
    recipients: Vec<AddrSpec>,
    tags: Vec<String>,
    author: Option<&'a AddrSpec>,
    mail: Mail<'a>,
}

impl<'a> Facts<'a> {
    /// The recipients for look-ups, made once for all rules.
    pub(super) fn recipient_set(&self) -> HashSet<&str> {
        self.recipients.iter().map(AddrSpec::as_str).collect()
    }

    fn values(&self, name: &str) -> &[String] {
        self.fields.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

fn any_hit(numbers: &[usize], found: &[bool]) -> bool {
    numbers.iter().any(|number| found.get(*number) == Some(&true))
}

impl Ready {
    /// True where its conditions hold.
    pub(super) fn holds(&self, facts: &Facts<'_>, recipients: &HashSet<&str>) -> bool {
        self.test.holds(facts, recipients)
    }
}

impl Test {
    fn holds(&self, of: &Facts<'_>, recipients: &HashSet<&str>) -> bool {
        match self {
            Self::All(tests) => tests.iter().all(|test| test.holds(of, recipients)),
            Self::Any(tests) => tests.iter().any(|test| test.holds(of, recipients)),
            Self::Not(test) => !test.holds(of, recipients),
            Self::Recipient(list) => list.holds_any(&of.recipients, recipients),
            Self::Tag(globs) => of.tags.iter().any(|tag| globs.iter().any(|glob| glob.holds(tag))),
            Self::Author(list) => of.author.is_some_and(|author| list.holds(author)),
            Self::AuthorDomain(list) => of.author.is_some_and(|author| list.holds(author.domain())),
            Self::Subject(numbers) => any_hit(numbers, &of.subject),
            Self::Body(numbers) => any_hit(numbers, &of.body),
            Self::HasField(name, there) => of.values(name).is_empty() != *there,
            Self::FieldIs(name, values) => of.values(name).iter().any(|value| values.contains(value)),
            Self::FieldHolds(name, pieces) => {
                let holds = |value: &String| pieces.iter().any(|piece| value.contains(piece.as_str()));
                of.values(name).iter().any(holds)
            }
            Self::Verdict(check, words) => check(of.mail.verdicts).is_some_and(|verdict| words.contains(&verdict)),
            Self::Authentication(words) => words.contains(&of.mail.author.authentication),
            Self::Over(octets) => of.mail.octets > *octets,
            Self::Under(octets) => of.mail.octets < *octets,
            Self::Kind(kinds) => kinds.contains(&of.mail.classification.kind),
            Self::Language(codes) => of.language.is_some_and(|code| codes.contains(&code)),
            Self::Importance(words) => words.contains(&of.importance),
        }
    }
}
