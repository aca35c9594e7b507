//! The line that our own mail has above what it quotes.
//!
//! Anybody can write "reply above this line", and it stands in quotes of quotes. So a line counts only where it carries a
//! token that we signed ([`crate::token::Keyring::separator`]); reading knows no keys, so it is told whether one is ours.

use super::above_separator;
use crate::parse::ParsedMessage;

/// Before and behind the token.
const MARK: &str = "[postern:";
const END: char = ']';
/// Lines looked at more closely: our mail has one.
const LINES_MAX: usize = 20;
/// Longest token, in octets.
const TOKEN_OCTETS_MAX: usize = 40;

/// The line for a token, in the words that readers know from other desks.
#[must_use]
pub fn line(token: &str) -> String {
    format!("--- reply above this line --- {MARK}{token}{END}")
}

/// Where lines begin that may be ours, each with its token.
fn candidates(text: &str) -> Vec<(usize, &str)> {
    let marks = memchr::memmem::find_iter(text.as_bytes(), MARK.as_bytes()).take(LINES_MAX);
    let read = marks.filter_map(|at| {
        let token = text.get(at + MARK.len()..)?.split(END).next()?;
        let sound = token.len() <= TOKEN_OCTETS_MAX && token.bytes().all(|octet| octet.is_ascii_alphanumeric());
        let start = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
        sound.then_some((start, token))
    });
    read.collect()
}

impl ParsedMessage {
    /// Cuts the visible reply at the first line that is ours. `forwarded` as for the reply itself: of a forward nothing
    /// is cut.
    pub fn cut_at_separator(&mut self, forwarded: bool, ours: impl Fn(&str) -> bool) {
        let first = candidates(&self.text).into_iter().find(|(_, token)| ours(token)).map(|(at, _)| at);
        if let Some(at) = first.filter(|_| !forwarded) {
            let visible = above_separator(&self.text, at, false);
            (self.reply, self.reply_cut) = (visible.reply, visible.cut);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, forwarded: bool) -> (String, Option<&'static str>) {
        let mut parsed = ParsedMessage { text: text.to_owned(), reply: text.to_owned(), ..ParsedMessage::default() };
        parsed.cut_at_separator(forwarded, |token| token == "ours");
        let mut left = parsed.text.clone();
        for (start, end) in parsed.reply_cut.ranges.iter().rev() {
            left.replace_range(start..end, "");
        }
        assert_eq!(left.trim(), parsed.reply, "the cut can be undone");
        (parsed.reply, parsed.reply_cut.rule)
    }

    #[test]
    fn our_line_wins_and_others_are_text() {
        let (ours, theirs) = (line("ours"), line("theirs"));
        for (text, expected, rule) in [
            (format!("Answer\n\n{ours}\n\nHello, unmarked history"), "Answer", Some("separator")),
            (
                format!("Answer\n\nOn Mon, 2 Mar 2026 at 09:15, Desk <desk@x.example> wrote:\n\n> {ours}\n> Hello"),
                "Answer",
                Some("separator"),
            ),
            (format!("Answer\n-- \nJane\n\n{ours}\nHello"), "Answer", Some("separator")),
            (format!("Answer\n\n{theirs}\nstays"), &format!("Answer\n\n{theirs}\nstays"), None),
            (
                format!("Answer\n\n{theirs}\nstays\n{ours}\ngoes"),
                &format!("Answer\n\n{theirs}\nstays"),
                Some("separator"),
            ),
            // Somebody answered below it: better all than nothing.
            (format!("{ours}\n\nAnswer"), &format!("{ours}\n\nAnswer"), None),
        ] {
            assert_eq!(cut(&text, false), (expected.to_owned(), rule), "{text}");
        }
        assert_eq!(cut(&format!("See below\n{ours}\nx"), true).1, None, "a forward shows all");
    }

    #[test]
    fn many_marks_end() {
        assert!(candidates(&"[postern:x]".repeat(100_000)).len() <= LINES_MAX);
        let _ = candidates(&"[postern:".repeat(100_000));
    }
}
