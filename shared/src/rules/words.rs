//! Words and phrases, looked for all at once: one walk over a text, however many rules ask.
//!
//! A phrase is words in a row, whatever stands between them but letters and digits. Its last word may end in `*`. Scripts
//! that put no blanks between words are read sign by sign, so that a phrase is found within a sentence. Nothing goes back:
//! each word of the text begins one walk down a tree that is no deeper than the longest phrase.

use std::collections::HashMap;

use crate::parse::fold::fold;

/// Words of one phrase. Signs of a script without blanks count as a word each.
pub(super) const PHRASE_WORDS_MAX: usize = 24;
/// Characters that must stand before a `*`.
const STEM_MIN: usize = 2;

#[derive(Debug, Default)]
struct Node {
    next: HashMap<Box<str>, usize>,
    ends: Option<usize>,
    stems: HashMap<Box<str>, usize>,
    /// Octets of the stems, each length once.
    lengths: Vec<usize>,
}

/// Phrases with numbers, in the order in which they were added.
#[derive(Debug)]
pub(super) struct Phrases {
    nodes: Vec<Node>,
    count: usize,
}

impl Default for Phrases {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], count: 0 }
    }
}

/// Why a phrase can't be looked for.
pub(super) fn fault(phrase: &str) -> Option<&'static str> {
    let (text, is_stem) = stem(phrase);
    let folded = fold(text);
    let words = words(&folded);
    if text.contains('*') {
        return Some("`*` may stand at the end only");
    }
    match words.last() {
        None => Some("must hold a letter or a digit"),
        Some(_) if words.len() > PHRASE_WORDS_MAX => Some("has more than 24 words"),
        Some(last) if is_stem && last.chars().count() < STEM_MIN && !last.chars().any(unspaced) => {
            Some("needs two letters before its `*`")
        }
        Some(_) if is_stem && !text.ends_with(char::is_alphanumeric) => Some("must have its `*` at the end of a word"),
        Some(_) => None,
    }
}

fn stem(phrase: &str) -> (&str, bool) {
    let trimmed = phrase.trim();
    trimmed.strip_suffix('*').map_or((trimmed, false), |text| (text, true))
}

impl Phrases {
    /// True where nothing is looked for.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a phrase without a fault; the same one again has the same number.
    pub(super) fn add(&mut self, phrase: &str) -> usize {
        let (text, is_stem) = stem(phrase);
        let folded = fold(text);
        let mut words = words(&folded);
        let last = words.pop().unwrap_or_default();
        let mut at = 0;
        for word in words {
            at = self.step(at, word);
        }
        let fresh = self.count;
        let number = if is_stem {
            let Some(node) = self.nodes.get_mut(at) else { return fresh };
            if !node.lengths.contains(&last.len()) {
                node.lengths.push(last.len());
            }
            *node.stems.entry(last.into()).or_insert(fresh)
        } else {
            at = self.step(at, last);
            self.nodes.get_mut(at).map_or(fresh, |node| *node.ends.get_or_insert(fresh))
        };
        self.count += usize::from(number == fresh);
        number
    }

    fn step(&mut self, at: usize, word: &str) -> usize {
        let fresh = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return at };
        let to = *node.next.entry(word.into()).or_insert(fresh);
        if to == fresh {
            self.nodes.push(Node::default());
        }
        to
    }

    /// Which of them stand in a text, by number.
    pub(super) fn found(&self, text: &str) -> Vec<bool> {
        let mut found = vec![false; self.count];
        if self.is_empty() {
            return found;
        }
        let folded = fold(text);
        let words = words(&folded);
        let mut mark = |number: Option<usize>| {
            if let Some(hit) = number.and_then(|number| found.get_mut(number)) {
                *hit = true;
            }
        };
        for start in 0..words.len() {
            let mut at = 0;
            for word in words.iter().skip(start) {
                let Some(node) = self.nodes.get(at) else { break };
                for length in &node.lengths {
                    mark(word.get(..*length).and_then(|stem| node.stems.get(stem)).copied());
                }
                let Some(next) = node.next.get(*word) else { break };
                at = *next;
                mark(self.nodes.get(at).and_then(|node| node.ends));
            }
        }
        found
    }
}

/// The words of a folded text.
fn words(folded: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut begun: Option<usize> = None;
    for (at, c) in folded.char_indices() {
        let alone = unspaced(c);
        if !alone && c.is_alphanumeric() {
            begun.get_or_insert(at);
            continue;
        }
        words.extend(begun.take().and_then(|from| folded.get(from..at)));
        if alone {
            words.extend(folded.get(at..at + c.len_utf8()));
        }
    }
    words.extend(begun.and_then(|from| folded.get(from..)));
    words
}

/// Signs of scripts that put no blanks between words: Thai, Lao, Myanmar, Khmer, kana, Han.
fn unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(phrase: &str, text: &str) -> bool {
        let mut phrases = Phrases::default();
        let number = phrases.add(phrase);
        phrases.found(text)[number]
    }

    #[test]
    fn words_are_found_whole_and_in_a_row() {
        for (phrase, text, expected) in [
            ("down", "The server is DOWN!", true),
            ("down", "Download", false),
            ("down*", "Download", true),
            ("mail server", "the mail-server, and", true),
            ("mail server", "the mail  \r\n server", true),
            ("mail server", "mail the server", false),
            ("mail server", "mail mail server", true),
            ("print job fail*", "a print job failed", true),
            ("print job fail*", "a print job was failing", false),
            ("STÖRUNG", "storung", true),
            ("straße", "STRASSE 5", true),
            ("障害", "至急:システム障害です", true),
            ("障害*", "システム障害です", true),
            ("障書", "システム障害です", false),
            ("срочно", "СРОЧНО: не работает", true),
            ("c++", "c", true),
            ("x", "", false),
        ] {
            assert_eq!(holds(phrase, text), expected, "{phrase:?} in {text:?}");
        }
    }

    #[test]
    fn many_phrases_are_told_apart() {
        let mut phrases = Phrases::default();
        let numbers = ["a b", "a b c", "b", "b*", "ab*", "a b"].map(|phrase| phrases.add(phrase));
        assert_eq!(numbers, [0, 1, 2, 3, 4, 0], "the same phrase has one number");
        let found = |text: &str| {
            let found = phrases.found(text);
            (0..5).filter(|n| found[*n]).collect::<Vec<_>>()
        };
        assert_eq!(found("a b"), [0, 2, 3]);
        assert_eq!(found("a b c"), [0, 1, 2, 3]);
        assert_eq!(found("a bc"), [3]);
        assert_eq!(found("abc"), [4]);
        assert_eq!(found(""), [0; 0]);
    }

    #[test]
    fn faults_are_told() {
        for (phrase, told) in [
            ("", "a letter"),
            ("!!", "a letter"),
            ("a*", "two letters"),
            ("*b", "at the end"),
            ("ab -*", "end of a word"),
            ("a b c d e f g h i j k l m n o p q r s t u v w x y", "more than 24"),
        ] {
            assert!(fault(phrase).is_some_and(|why| why.contains(told)), "{phrase:?}: {:?}", fault(phrase));
        }
        for fine in ["a", "ab*", "a b ab*", "障*", "c++"] {
            assert_eq!(fault(fine), None, "{fine:?}");
        }
    }

    #[test]
    fn a_hostile_text_costs_little() {
        let mut phrases = Phrases::default();
        for n in 0..1_000 {
            phrases.add(&format!("{}x{n}", "a ".repeat(20)));
        }
        assert!(phrases.found(&"a ".repeat(30_000)).iter().all(|hit| !hit));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_found(words in proptest::collection::vec("[a-zäß0-9]{1,6}", 1..6), before in ".{0,20}", after in ".{0,20}") {
            let phrase = words.join(" ");
            let text = format!("{before} {phrase} {after}");
            proptest::prop_assert!(holds(&phrase, &text));
        }
    }
}
