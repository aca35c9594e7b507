//! Courtesy: mail that says thanks and nothing else.
//!
//! Conservative, because a courtesy may leave a ticket resolved: every clause of the text must be one that is listed, and
//! one of them must say thanks. A word that nobody listed, a question mark, a digit, an address, a file, a picture that is
//! no logo, another subject: it is no courtesy, and reopens as any answer does. Linear in the text, of which 300
//! characters are looked at.

mod wordings;

use wordings::{ALSO, GREETINGS, THANKS};

use crate::{
    headers::{Headers, base_subject},
    parse::{ParsedMessage, Role, fold::fold},
};

/// Characters of a courtesy at most; whoever writes more says more.
const CHARS_MAX: usize = 300;
/// Words of a name behind a greeting, and of the author's own below.
const NAME_WORDS_MAX: usize = 3;
/// Pictures that are as friendly as the words; any other is not known.
const FRIENDLY: &str = "👍🙏😊🙂😀😃😄😁☺❤♥💙💚💛🧡💜🎉👌💯✅✨🌟🤗😉💪🙌👏😍🥳🤝🌞☀🌸🍀🎊😎";
/// What is put behind a picture: its variant, skin tone, joiner.
const MODIFIERS: [char; 7] = ['\u{fe0f}', '\u{200d}', '\u{1f3fb}', '\u{1f3fc}', '\u{1f3fd}', '\u{1f3fe}', '\u{1f3ff}'];
/// Faces of characters that are friendly; others are not known.
const FACES: [&str; 14] = [":)", ":-)", ";)", ";-)", ":d", ":-d", "<3", "^^", "=)", ":))", ":]", "(:", "xd", ":o)"];
/// Ends of clauses.
const STOPS: [char; 16] = ['.', ',', '!', '…', '。', '、', '！', '，', '،', '۔', '।', ':', '~', '\n', '～', '¡'];

/// True where the mail says thanks to what was done on a ticket of that subject, and nothing else. `name` = the author's
/// display name, which may stand below.
#[must_use]
pub fn is_courtesy(headers: &Headers, parsed: &ParsedMessage, name: Option<&str>, ticket_subject: &str) -> bool {
    let decoration = |role: Role| matches!(role, Role::Logo | Role::Tracking);
    let alone = parsed.calendar.is_empty()
        && parsed.forwarded_from.is_none()
        && parsed.attachments.iter().all(|attachment| decoration(attachment.role));
    let same = headers.base_subject.trim().is_empty()
        || fold(&headers.base_subject) == fold(&base_subject(ticket_subject))
        || says_only_thanks(&headers.base_subject, None);
    alone && same && says_only_thanks(&parsed.reply, name)
}

/// True where every clause is listed and one of them says thanks.
fn says_only_thanks(text: &str, name: Option<&str>) -> bool {
    if text.chars().count() > CHARS_MAX {
        return false;
    }
    let Some(text) = without_faces(text) else { return false };
    let own = name.map(fold).unwrap_or_default();
    let clauses: Vec<&str> = text.split(STOPS).map(trimmed).filter(|clause| !clause.is_empty()).collect();
    let mut thanks = false;
    for (at, clause) in clauses.iter().enumerate() {
        let folded = fold(clause);
        if listed(THANKS, &folded) {
            thanks = true;
        } else if !(listed(ALSO, &folded) || at == 0 && greets(clause, &folded) || thanks && is_name(&folded, &own)) {
            return false;
        }
    }
    thanks
}

/// The text without friendly faces; `None` where there is a sign that is neither of words nor friendly.
fn without_faces(text: &str) -> Option<String> {
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        for word in line.split_whitespace() {
            let word: String = word.chars().filter(|c| !MODIFIERS.contains(c) && !FRIENDLY.contains(*c)).collect();
            let bare = word.trim_end_matches(['.', ',', '!']).to_lowercase();
            if FACES.contains(&bare.as_str()) {
                continue;
            }
            // Faces stand right behind the last word, too.
            let face = FACES.iter().find(|face| !face.starts_with(char::is_alphabetic) && word.ends_with(**face));
            let word = face.and_then(|face| word.strip_suffix(face)).unwrap_or(&word);
            if !word.chars().all(is_plain) {
                return None;
            }
            kept.push_str(word);
            kept.push(' ');
        }
        kept.push('\n');
    }
    Some(kept)
}

/// Letters with their marks, and signs that say nothing: no digit, no `?`, no `@`, no `/`, no `>`.
fn is_plain(c: char) -> bool {
    let mark =
        matches!(c, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{655}' | '\u{900}'..='\u{97f}' | '\u{e30}'..='\u{e4e}');
    c.is_alphabetic() || mark || STOPS.contains(&c) || "'’‘`´-–—\"“”„«»*_\u{200b}\u{200c}".contains(c)
}

fn trimmed(clause: &str) -> &str {
    clause.trim_matches(|c: char| c.is_whitespace() || "-–—*_\"“”„«»".contains(c))
}

fn listed(wordings: &[&str], folded: &str) -> bool {
    wordings.iter().any(|wording| fold(wording) == folded)
}

/// A greeting, alone or with a name: `Hi`, `Dear Ms Miller`. Names are written large; scripts without large letters
/// greet nobody by name here.
fn greets(clause: &str, folded: &str) -> bool {
    GREETINGS.iter().any(|greeting| {
        let greeting = fold(greeting);
        let Some(rest) = folded.strip_prefix(greeting.as_str()) else { return false };
        let names = clause.split_whitespace().skip(greeting.split(' ').count());
        let large = |word: &str| word.starts_with(char::is_uppercase) && !word.chars().skip(1).all(char::is_uppercase);
        rest.is_empty() || rest.starts_with(' ') && names.clone().count() <= NAME_WORDS_MAX && names.clone().all(large)
    })
}

/// Words of the author's own name, below his thanks.
fn is_name(folded: &str, own: &str) -> bool {
    let mut words = folded.split(' ');
    let known = |word: &str| own.split([' ', ',', '.', '-']).any(|part| !part.is_empty() && part == word);
    words.clone().count() <= NAME_WORDS_MAX && words.all(known)
}

#[cfg(test)]
mod tests;
