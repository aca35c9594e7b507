//! Plain text that only says to look at the HTML.

/// Letters of a text that can be such a note; a longer text says something itself.
const NOTE_LETTERS_MAX: usize = 600;
/// HTML that says so many times more than the plain text was not made from it: the plain text is a teaser or a rest.
const TIMES_MORE: usize = 6;
/// And so many letters at least, so that a short answer above a long signature in HTML stays the plain one.
const LETTERS_MORE_MIN: usize = 500;

/// What senders' software writes where it wrote no plain text.
const NOTES: [&str; 26] = [
    "not support html",
    "n't support html",
    "cannot display html",
    "can't display html",
    "can not display html",
    "unable to display html",
    "not display html",
    "html format",
    "html-format",
    "html message",
    "html mail",
    "html e-mail",
    "html email",
    "html version",
    "html-enabled",
    "html enabled",
    "html compatible",
    "html-compatible",
    "html capable",
    "html-capable",
    "view this message in html",
    "kein html",
    "html-fähig",
    "html-ansicht",
    "pas en charge le html",
    "no admite html",
];

/// True where `plain` is no text of its own beside `html`, which is the HTML part as text. An author's words are
/// never lost by it: what the HTML does not say follows it.
pub(super) fn is_stub(plain: &str, html: &str) -> bool {
    let (plain_letters, html_letters) = (letters(plain), letters(html));
    let (short, long) = (plain_letters.chars().count(), html_letters.chars().count());
    if short > NOTE_LETTERS_MAX || long == 0 {
        return false;
    }
    let lower = plain.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    // A person may write of HTML mail; a note is not in the HTML itself.
    let is_note = NOTES.iter().any(|note| lower.contains(note)) && !html_letters.contains(&plain_letters);
    is_note || short.saturating_mul(TIMES_MORE) < long && long - short >= LETTERS_MORE_MIN
}

/// Letters and digits, lower case, without the targets of links: those are not said.
pub(super) fn letters(text: &str) -> String {
    let said = text.split_whitespace().filter(|word| !word.starts_with('<') && !word.contains("://"));
    said.flat_map(str::chars).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_and_rests() {
        let long = "The order was shipped on Monday and should be with you soon. ".repeat(15);
        for (plain, html, expected) in [
            ("Your mail client does not support HTML.", "Hello Jane, the invoice is attached to this mail.", true),
            ("This message is in HTML format.", "Hi", true),
            ("Why is my HTML email blank?", "Why is my HTML email blank? -- Jane, Shop GmbH", false),
            ("Hello", long.as_str(), true),
            ("Thanks, that works.", "Thanks, that works. Jane Roe, Shop GmbH, 1 Main Street", false),
            (long.as_str(), long.as_str(), false),
            ("", "", false),
        ] {
            assert_eq!(is_stub(plain, html), expected, "{plain}");
        }
    }
}
