//! Reading a rules file: every fault is told with the rule and the field that have it.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    data::{HeaderTest, MergeBy, MergeSource, Rule, RuleSet, Then, When},
    language,
    lists::{address_fault, domain_fault},
    words,
};

/// Rules of one mailbox.
pub const RULES_MAX: usize = 1_000;
/// Octets of all of them as compact JSON: their item stays below the 400 KB that DynamoDB takes.
pub const RULES_OCTETS_MAX: usize = 350_000;
/// Entries of one list in a rule.
const LIST_MAX: usize = 100;
/// Octets of one entry.
const ENTRY_OCTETS_MAX: usize = 200;
/// Levels of `all`, `any` and `not`.
const DEPTH_MAX: usize = 5;
/// Tags that one rule sets.
const TAGS_MAX: usize = 10;
/// Different merge keys of one mailbox: each is a row more in the one read of a mail.
const WAYS_MAX: usize = 8;
/// Faults told at once.
const FAULTS_MAX: usize = 20;
const WORD: &str = "must be 1 to 64 letters a to z, digits, hyphens or underscores";

/// Why rules can't be used: one line a fault, with the rule and the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct RulesError(pub Vec<String>);

/// Reads and checks what somebody wrote.
pub(super) fn read(text: &str) -> Result<RuleSet, RulesError> {
    let mut faults = Faults::default();
    // Piece by piece, because that tells which rule and field it is, and takes no list for an object.
    faults.pieces(text);
    let set = match serde_json::from_str(text) {
        Ok(set) => set,
        Err(error) => {
            if faults.0.is_empty() {
                faults.add("file", None, &error.to_string());
            }
            RuleSet::default()
        }
    };
    if faults.0.is_empty() {
        let octets = serde_json::to_vec(&set).map_or(usize::MAX, |json| json.len());
        if octets > RULES_OCTETS_MAX {
            faults.add("file", None, &format!("has {octets} octets as JSON; {RULES_OCTETS_MAX} at most"));
        }
    }
    faults.0.truncate(FAULTS_MAX);
    if faults.0.is_empty() { Ok(set) } else { Err(RulesError(faults.0)) }
}

/// Reads what was checked before it was stored: every minute, so at once. What is dear to match is checked again.
pub(super) fn read_stored(text: &str) -> Result<RuleSet, RulesError> {
    let set = serde_json::from_str(text).map_err(|error| RulesError(vec![error.to_string()]))?;
    let mut faults = Faults::default();
    faults.typed(&set);
    if faults.0.is_empty() { Ok(set) } else { Err(RulesError(faults.0)) }
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, place: &str, field: Option<&str>, why: &str) {
        let field = field.map(|field| format!(" field `{field}`:")).unwrap_or_default();
        self.0.push(format!("{place}:{field} {why}"));
    }

    fn typed(&mut self, set: &RuleSet) {
        if self.count(set.rules.len()) {
            let mut names = HashSet::new();
            for (n, rule) in set.rules.iter().enumerate() {
                self.rule(&format!("rule {} ({})", n + 1, rule.name), rule, &mut names);
            }
        }
        self.head(set);
    }

    fn count(&mut self, rules: usize) -> bool {
        if rules > RULES_MAX {
            self.add("file", Some("rules"), &format!("has {rules} rules; {RULES_MAX} at most"));
        }
        rules <= RULES_MAX
    }

    /// What stands beside the rules, and what they have together.
    fn head(&mut self, set: &RuleSet) {
        for (field, list) in [("allow", &set.allow), ("block", &set.block)] {
            for entry in list.iter().filter(|entry| entry.len() > ENTRY_OCTETS_MAX || address_fault(entry).is_some()) {
                let why = address_fault(entry).unwrap_or("is too long");
                self.add("file", Some(field), &format!("{entry:?} {why}"));
            }
        }
        if set.only_allowed && set.allow.is_empty() {
            self.add("file", Some("only_allowed"), "needs somebody in `allow`, else all mail is held");
        }
        let mut ways: Vec<&MergeBy> = set.rules.iter().filter_map(|rule| rule.then.merge_key.as_ref()).collect();
        ways.sort_by_key(|way| format!("{way:?}"));
        ways.dedup();
        if ways.len() > WAYS_MAX {
            self.add("file", Some("rules"), &format!("has {} different merge keys; {WAYS_MAX} at most", ways.len()));
        }
    }

    fn pieces(&mut self, text: &str) {
        let mut file: Value = match serde_json::from_str(text) {
            Ok(file) => file,
            Err(error) => return self.add("file", None, &format!("no JSON: {error}")),
        };
        let rules = file.as_object_mut().and_then(|object| object.remove("rules"));
        let head: RuleSet = self.fields("file", "", &file);
        self.head(&head);
        let rules = match rules {
            None => return,
            Some(Value::Array(rules)) => rules,
            Some(_) => return self.add("file", Some("rules"), "must be a list"),
        };
        if !self.count(rules.len()) {
            return;
        }
        let mut names = HashSet::new();
        for (n, value) in rules.iter().enumerate() {
            let name = value.get("name").and_then(Value::as_str).map(|name| format!(" ({name})")).unwrap_or_default();
            let place = format!("rule {}{name}", n + 1);
            if let Some(rule) = self.piece(&place, value) {
                self.rule(&place, &rule, &mut names);
            }
        }
    }

    /// An object whose fields may all be left out: each is read by itself, so that a fault names it.
    fn fields<T: DeserializeOwned + Default>(&mut self, place: &str, path: &str, value: &Value) -> T {
        let Value::Object(object) = value else {
            self.add(place, Some(path).filter(|path| !path.is_empty()), "must be an object");
            return T::default();
        };
        let before = self.0.len();
        for (key, value) in object {
            let alone = Map::from_iter([(key.clone(), value.clone())]);
            if let Err(error) = serde_json::from_value::<T>(Value::Object(alone)) {
                let dot = if path.is_empty() { "" } else { "." };
                self.add(place, Some(&format!("{path}{dot}{key}")), &error.to_string());
            }
        }
        if self.0.len() > before {
            return T::default();
        }
        serde_json::from_value(value.clone()).unwrap_or_default()
    }

    /// One rule, its parts apart; `None` where one has a fault.
    fn piece(&mut self, place: &str, value: &Value) -> Option<Rule> {
        let Value::Object(object) = value else {
            self.add(place, None, "must be an object");
            return None;
        };
        let before = self.0.len();
        let mut bare = object.clone();
        let when = bare.remove("if").map(|when| self.fields::<When>(place, "if", &when)).unwrap_or_default();
        let then = bare.remove("then").map(|then| self.fields::<Then>(place, "then", &then)).unwrap_or_default();
        match serde_json::from_value::<Rule>(Value::Object(bare)) {
            Ok(rule) => Some(Rule { when, then, ..rule }).filter(|_| self.0.len() == before),
            Err(error) => {
                self.add(place, None, &error.to_string());
                None
            }
        }
    }

    fn rule(&mut self, place: &str, rule: &Rule, names: &mut HashSet<String>) {
        let named = (1..=40).contains(&rule.name.len())
            && rule.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !named {
            self.add(place, Some("name"), "must be 1 to 40 letters a to z, digits or hyphens");
        } else if !names.insert(rule.name.clone()) {
            self.add(place, Some("name"), "is another rule's already");
        }
        if rule.note.as_ref().is_some_and(|note| note.len() > ENTRY_OCTETS_MAX) {
            self.add(place, Some("note"), "has more than 200 octets");
        }
        if rule.then.is_empty() && !rule.stop {
            self.add(place, Some("then"), "sets nothing, and the rule has no `stop`");
        }
        self.when(place, "if", &rule.when, 1);
        self.then(place, &rule.then);
    }

    fn when(&mut self, place: &str, path: &str, when: &When, depth: usize) {
        let at = |field: &str| format!("{path}.{field}");
        if depth > DEPTH_MAX {
            self.add(place, Some(path), &format!("is more than {DEPTH_MAX} levels deep"));
            return;
        }
        for (field, inner) in [("all", &when.all), ("any", &when.any)] {
            self.length(place, &at(field), inner.as_deref());
            for (n, inner) in inner.iter().flatten().enumerate() {
                self.inner(place, &format!("{path}.{field}[{n}]"), inner, depth);
            }
        }
        if let Some(inner) = &when.not {
            self.inner(place, &at("not"), inner, depth);
        }
        self.list(place, &at("recipient"), when.recipient.as_deref(), address_fault);
        self.list(place, &at("author"), when.author.as_deref(), address_fault);
        self.list(place, &at("author_domain"), when.author_domain.as_deref(), domain_fault);
        self.list(place, &at("tag"), when.tag.as_deref(), |tag| tag.trim().is_empty().then_some("is empty"));
        self.list(place, &at("subject"), when.subject.as_deref(), words::fault);
        self.list(place, &at("body"), when.body.as_deref(), words::fault);
        let code =
            |code: &str| language::known(code).is_none().then_some("is no language that is known, as `de` or `deu`");
        self.list(place, &at("language"), when.language.as_deref(), code);
        self.length(place, &at("kind"), when.kind.as_deref());
        self.length(place, &at("authentication"), when.authentication.as_deref());
        self.length(place, &at("importance"), when.importance.as_deref());
        self.length(place, &at("header"), when.header.as_deref());
        for (n, test) in when.header.iter().flatten().enumerate() {
            self.header(place, &format!("{path}.header[{n}]"), test);
        }
        if let Some(test) = &when.verdict {
            let checks = [&test.spf, &test.dkim, &test.dmarc, &test.spam, &test.virus];
            if checks.iter().all(|check| check.is_none()) {
                self.add(place, Some(&at("verdict")), "names no check");
            }
            for check in checks {
                self.length(place, &at("verdict"), check.as_deref());
            }
        }
        if when.size_under == Some(0)
            || when.size_over.zip(when.size_under).is_some_and(|(over, under)| over + 1 >= under)
        {
            self.add(place, Some(&at("size_under")), "leaves no size that holds");
        }
    }

    fn inner(&mut self, place: &str, path: &str, when: &When, depth: usize) {
        if when.is_empty() {
            self.add(place, Some(path), "asks for nothing");
        }
        self.when(place, path, when, depth + 1);
    }

    fn header(&mut self, place: &str, path: &str, test: &HeaderTest) {
        let fold = |entry: &str| crate::parse::fold::fold(entry).is_empty().then_some("is empty");
        self.field_name(place, &format!("{path}.name"), &test.name);
        self.list(place, &format!("{path}.equals"), test.equals.as_deref(), |_| None);
        self.list(place, &format!("{path}.contains"), test.contains.as_deref(), fold);
        let tests = [test.present.is_some(), test.equals.is_some(), test.contains.is_some()];
        if tests.into_iter().filter(|named| *named).count() > 1 {
            self.add(place, Some(path), "can have one of `present`, `equals` and `contains`");
        }
    }

    /// RFC 5322 section 2.2: printable ASCII but the colon.
    fn field_name(&mut self, place: &str, path: &str, name: &str) {
        if !(1..=100).contains(&name.len()) || !name.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
            self.add(place, Some(path), "must be the name of a header field, without its colon");
        }
    }

    fn then(&mut self, place: &str, then: &Then) {
        for (field, word) in [("then.queue", &then.queue), ("then.type", &then.ticket_type)] {
            if word.as_ref().is_some_and(|word| !crate::mailbox::is_word(word)) {
                self.add(place, Some(field), WORD);
            }
        }
        self.length(place, "then.tags", then.tags.as_deref());
        let tags = then.tags.as_deref().unwrap_or_default();
        if tags.len() > TAGS_MAX {
            self.add(place, Some("then.tags"), &format!("has more than {TAGS_MAX} tags"));
        }
        if tags.iter().any(|tag| !crate::mailbox::is_word(tag)) {
            self.add(place, Some("then.tags"), &format!("each {WORD}"));
        }
        if then.hold == Some(true) && then.ignore == Some(true) {
            self.add(place, Some("then.ignore"), "cannot stand beside `hold`");
        }
        if let Some(by) = &then.merge_key {
            self.merge(place, by);
        }
    }

    fn merge(&mut self, place: &str, by: &MergeBy) {
        const AT: &str = "then.merge_key";
        let marks = [&by.after, &by.before];
        let marked = marks.iter().any(|mark| mark.is_some());
        match by.by {
            MergeSource::Monitoring if by.name.is_some() || marked || by.recovered.is_some() => {
                self.add(place, Some(AT), "by `monitoring` takes nothing else: the systems' own forms tell");
            }
            MergeSource::Subject if !marked || by.name.is_some() => {
                self.add(place, Some(AT), "by `subject` needs `after` or `before`, and no `name`");
            }
            MergeSource::Header if by.name.is_none() => self.add(place, Some(AT), "by `header` needs `name`"),
            _ => {}
        }
        if let Some(name) = &by.name {
            self.field_name(place, "then.merge_key.name", name);
        }
        for mark in marks.into_iter().flatten() {
            if mark.is_empty() || mark.len() > ENTRY_OCTETS_MAX {
                self.add(place, Some(AT), "has a mark that is empty or longer than 200 octets");
            }
        }
        self.list(place, "then.merge_key.recovered", by.recovered.as_deref(), words::fault);
    }

    /// A list that is named holds something, and not too much.
    fn length<T>(&mut self, place: &str, field: &str, list: Option<&[T]>) {
        match list.map(<[T]>::len) {
            Some(0) => self.add(place, Some(field), "is empty: leave it out, or name something"),
            Some(LIST_MAX..) if list.is_some_and(|list| list.len() > LIST_MAX) => {
                self.add(place, Some(field), &format!("has more than {LIST_MAX} entries"));
            }
            _ => {}
        }
    }

    fn list(
        &mut self,
        place: &str,
        field: &str,
        list: Option<&[String]>,
        fault: impl Fn(&str) -> Option<&'static str>,
    ) {
        self.length(place, field, list);
        for entry in list.unwrap_or_default() {
            if entry.len() > ENTRY_OCTETS_MAX {
                self.add(place, Some(field), "has an entry of more than 200 octets");
            } else if let Some(why) = fault(entry) {
                self.add(place, Some(field), &format!("{entry:?} {why}"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
