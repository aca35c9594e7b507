//! What a diagnostic says: the RFC 3463 status code and whether the address is worth another mail.
//!
//! Sources, best first: the code the report gives, the enhanced code of the SMTP reply (RFC 2034), the wording, the
//! reply code itself (RFC 5321 section 4.2). A code that says nothing but its class (`5.0.0`) gives way to a better one.

use crate::parse::fold::{fold, prefix};

/// Octets of one diagnostic that are looked at: replies have at most 512 octets a line, and few lines.
const LOOKED_AT_MAX: usize = 2 * 1024;

/// SMTP replies of class 4 and 5 that are in use (RFC 5321, 4954, 7504 and the codes large providers made up). Other
/// three-digit numbers in prose are hours, sizes and ports.
const REPLIES: [u16; 47] = [
    420, 421, 422, 430, 431, 432, 441, 442, 446, 447, 449, 450, 451, 452, 453, 454, 455, 471, 472, 500, 501, 502, 503,
    504, 505, 510, 511, 512, 513, 516, 517, 521, 523, 530, 534, 535, 541, 550, 551, 552, 553, 554, 555, 556, 557, 571,
    577,
];

/// What is wrong, as far as it decides what a sender should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nobody of that name is there, or not any more.
    NoUser,
    /// No such domain or host, or one that takes no mail at all.
    NoHost,
    /// Anything else: full, switched off, refused for its content or sender, not reached.
    Other,
}

/// A status code without its class, what it means, and the class where the text gives none.
struct Wording {
    class: u8,
    detail: &'static str,
    meaning: Meaning,
    /// Folded.
    wordings: &'static [&'static str],
}

const fn means(class: u8, detail: &'static str, meaning: Meaning, wordings: &'static [&'static str]) -> Wording {
    Wording { class, detail, meaning, wordings }
}

/// In the order they win: a filter's `user unknown or spam`, a full mailbox's `mailbox unavailable: quota` and a
/// suspended account's `user unknown or disabled` are told by the more particular words.
const WORDINGS: &[Wording] = &[
    means(5, "4.6", Meaning::Other, super::wordings::LOOP),
    means(4, "2.2", Meaning::Other, super::wordings::FULL),
    means(5, "3.4", Meaning::Other, super::wordings::TOO_LARGE),
    means(5, "7.1", Meaning::Other, super::wordings::REFUSED),
    means(5, "1.2", Meaning::NoHost, super::wordings::NO_HOST),
    means(5, "2.1", Meaning::Other, super::wordings::DISABLED),
    means(5, "1.6", Meaning::NoUser, super::wordings::MOVED),
    means(5, "1.1", Meaning::NoUser, super::wordings::NO_USER),
    means(5, "6.0", Meaning::Other, super::wordings::MALFORMED),
    means(5, "3.0", Meaning::Other, super::wordings::BROKEN),
    means(4, "4.7", Meaning::Other, super::wordings::EXPIRED),
    means(4, "4.1", Meaning::Other, super::wordings::UNREACHABLE),
];

/// A status code (RFC 3463): class, subject, detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    class: u8,
    subject: u16,
    detail: u16,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl Status {
    /// The first code in the text that RFC 3463 knows the subject of. Addresses of hosts and versions are none.
    pub(crate) fn find(text: &str) -> Option<Self> {
        let mut before = ' ';
        for (at, c) in text.char_indices() {
            let boundary = !before.is_ascii_alphanumeric() && !matches!(before, '.' | '/' | '_');
            before = c;
            if !boundary || !matches!(c, '2' | '4' | '5') {
                continue;
            }
            let rest = text.get(at..).unwrap_or_default();
            if let Some(found) = Self::at_start(rest) {
                return Some(found);
            }
        }
        None
    }

    fn at_start(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()).min(12);
        let token = text.get(..end)?.trim_end_matches('.');
        let mut numbers = token.split('.');
        let mut next = || numbers.next().filter(|n| (1..=3).contains(&n.len())).and_then(|n| n.parse::<u16>().ok());
        let (class, subject, detail) = (next()?, next()?, next()?);
        let after = text.get(token.len()..)?.chars().next();
        let ended = numbers.next().is_none() && !after.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let class = u8::try_from(class).ok().filter(|class| matches!(class, 2 | 4 | 5))?;
        (ended && subject <= 7).then_some(Self { class, subject, detail })
    }

    /// True where only the class is told.
    fn is_bare(self) -> bool {
        self.subject == 0 && self.detail == 0
    }

    /// What RFC 3463, RFC 7504 and RFC 7505 say the code means.
    fn meaning(self) -> Meaning {
        match (self.subject, self.detail) {
            (1, 0 | 1 | 3 | 4 | 6) => Meaning::NoUser,
            (1, 2 | 10) | (3, 2) | (4, 4) => Meaning::NoHost,
            _ => Meaning::Other,
        }
    }
}

/// The first SMTP reply code of class 4 or 5.
pub(crate) fn reply_code(text: &str) -> Option<u16> {
    let octets = text.as_bytes();
    for (at, window) in octets.windows(3).enumerate() {
        if !matches!(window.first(), Some(b'4' | b'5')) || !window.iter().all(u8::is_ascii_digit) {
            continue;
        }
        let back = |count: usize| at.checked_sub(count).and_then(|before| octets.get(before));
        let word = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'_');
        // `1-555-0100` is a telephone.
        let inside = back(1).is_some_and(word) || (back(1) == Some(&b'-') && back(2).is_some_and(u8::is_ascii_digit));
        // Not part of a date, an address of a host or a queue id; `:` and `-` stand before replies, too.
        let ended =
            octets.get(at + 3).is_none_or(|o| matches!(o, b' ' | b'-' | b':' | b';' | b')' | b']' | b'\n' | b'"'));
        if inside || !ended {
            continue;
        }
        let code = std::str::from_utf8(window).ok().and_then(|digits| digits.parse().ok());
        if let Some(code) = code.filter(|code| REPLIES.contains(code)) {
            return Some(code);
        }
    }
    None
}

/// How well the text tells why: by a status code, a reply, a wording we know, or not at all.
pub(crate) fn weight(text: &str) -> u8 {
    let text = prefix(text, LOOKED_AT_MAX);
    if Status::find(text).is_some() {
        3
    } else if reply_code(text).is_some() {
        2
    } else {
        u8::from(wording(&fold(text)).is_some())
    }
}

/// True where the text tells why.
pub(crate) fn is_diagnostic(text: &str) -> bool {
    weight(text) > 0
}

fn wording(folded: &str) -> Option<&'static Wording> {
    WORDINGS.iter().find(|entry| crate::parse::fold::holds_any(folded, entry.wordings))
}

/// What was judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) status: Option<String>,
    pub(crate) hard: Option<bool>,
}

/// Judges one recipient's outcome. `action` is normalised, `status` the field as written, `text` the diagnostic.
///
/// `hard` says that the *address* is wrong: nobody there, no such domain, moved. It is false where another mail or
/// another day may get through (delays, full or disabled mailboxes, refusals of this mail or of its sender), so that
/// nobody's address is given up because one mail was too large. `None` where nothing was refused or nothing is known.
pub(crate) fn judge(action: Option<&str>, status: Option<&str>, text: &str) -> Judgement {
    let text = prefix(text, LOOKED_AT_MAX);
    let given = status.and_then(Status::find);
    if matches!(action, Some("delivered" | "relayed" | "expanded")) || given.is_some_and(|status| status.class == 2) {
        return Judgement { status: given.map(|status| status.to_string()), hard: None };
    }
    let folded = fold(text);
    let worded = wording(&folded);
    let code = reply_code(text).or_else(|| status.and_then(reply_code));
    let class_of_code = code.and_then(|code| u8::try_from(code / 100).ok());
    let told = [given, Status::find(text).filter(|status| status.class != 2)];
    let permanent = super::wordings::is_permanent(&folded);
    let class = given.map(|status| status.class).or(told.iter().flatten().map(|status| status.class).next());
    // A code decides; else a word such as `temporary`, the wording's own class, a word such as `permanent`.
    let class = class.or(class_of_code).or(permanent.filter(|permanent| !permanent).map(|_| 4));
    let class = class.or(worded.map(|entry| entry.class)).or(permanent.map(|_| 5));
    // `Failed`, and nothing says why.
    let class = class.or((action == Some("failed")).then_some(5));
    // A report that the system is still trying cannot be permanent, whatever the last reply was.
    let class = if action == Some("delayed") { Some(4) } else { class };
    let best = told.into_iter().flatten().find(|status| !status.is_bare());
    let detail = match (best, worded) {
        (Some(status), _) => Some(format!("{}.{}", status.subject, status.detail)),
        (None, Some(entry)) => Some(entry.detail.to_owned()),
        (None, None) => class.map(|_| "0.0".to_owned()),
    };
    let meaning = worded.map(|entry| entry.meaning).or(best.map(Status::meaning));
    let hard = match (class, meaning) {
        (Some(4), _) => Some(false),
        (Some(_), Some(meaning)) => Some(meaning != Meaning::Other),
        // Refused for good, and nothing says why.
        (Some(_), None) => Some(true),
        (None, _) => None,
    };
    Judgement { status: class.zip(detail).map(|(class, detail)| format!("{class}.{detail}")), hard }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_what_looks_like_them() {
        for (text, status, reply) in [
            ("550 5.1.1 <a@x.example>... User unknown", Some("5.1.1"), Some(550)),
            ("550-5.7.1 [192.0.2.1 12] blocked", Some("5.7.1"), Some(550)),
            ("Sorry, no mailbox here by that name. (#5.1.1)", Some("5.1.1"), None),
            ("smtp;421 4.4.2 host.x.example Error: timeout", Some("4.4.2"), Some(421)),
            ("host mx.x.example[5.1.1.7] said: 450 later", None, Some(450)),
            ("Exim 4.92.3 at port 465, 550MB free, 4.94.2", None, None),
            ("Postfix 2.11.0", None, None),
            ("SMTP Error Code 550]", None, Some(550)),
            ("queue id 4F550A 1-555-0100", None, None),
            ("5.1.10 (RESOLVER.ADR.RecipientNotFound)", Some("5.1.10"), None),
            ("", None, None),
        ] {
            assert_eq!(Status::find(text).map(|s| s.to_string()).as_deref(), status, "{text}");
            assert_eq!(reply_code(text), reply, "{text}");
        }
    }

    #[test]
    fn judgements() {
        for (action, status, text, expected, hard) in [
            (Some("failed"), Some("5.1.1"), "", Some("5.1.1"), Some(true)),
            (Some("failed"), Some("5.0.0"), "smtp; 550 5.1.1 user unknown", Some("5.1.1"), Some(true)),
            (Some("failed"), Some("5.0.0"), "smtp; 550 no such user here", Some("5.1.1"), Some(true)),
            (Some("failed"), Some("5.2.2"), "mailbox full", Some("5.2.2"), Some(false)),
            (Some("failed"), Some("5.7.1"), "554 rejected as spam", Some("5.7.1"), Some(false)),
            (
                Some("failed"),
                Some("5.4.1"),
                "550 5.4.1 Recipient address rejected: Access denied",
                Some("5.4.1"),
                Some(true),
            ),
            (Some("failed"), Some("4.4.7"), "", Some("4.4.7"), Some(false)),
            (Some("failed"), Some("5.0.0"), "", Some("5.0.0"), Some(true)),
            (Some("failed"), Some("553 Exceeded maximum inbound message size"), "", Some("5.0.0"), Some(true)),
            (Some("delayed"), Some("4.4.1"), "connection refused", Some("4.4.1"), Some(false)),
            (Some("delayed"), None, "550 user unknown", Some("4.1.1"), Some(false)),
            (Some("delivered"), Some("2.1.5"), "", Some("2.1.5"), None),
            (Some("relayed"), None, "", None, None),
            (None, None, "The user's mailbox is full", Some("4.2.2"), Some(false)),
            (None, None, "552 mailbox quota exceeded", Some("5.2.2"), Some(false)),
            (None, None, "Host or domain name not found", Some("5.1.2"), Some(true)),
            (None, None, "message size exceeds fixed limit", Some("5.3.4"), Some(false)),
            (None, None, "This account has been disabled or discontinued", Some("5.2.1"), Some(false)),
            (None, None, "connection timed out", Some("4.4.1"), Some(false)),
            (None, None, "too many hops", Some("5.4.6"), Some(false)),
            (None, None, "Command died with status 17: \"/usr/sbin/filter\"", Some("5.3.0"), Some(false)),
            (None, None, "554 No Resent-From field given", Some("5.6.0"), Some(false)),
            (None, None, "550 go away", Some("5.0.0"), Some(true)),
            (None, None, "This is a permanent error; I've given up.", Some("5.0.0"), Some(true)),
            (None, None, "", None, None),
        ] {
            let judged = judge(action, status, text);
            assert_eq!((judged.status.as_deref(), judged.hard), (expected, hard), "{status:?} {text:?}");
        }
    }

    /// A wording that is not in folded form would never be found.
    #[test]
    fn wordings_are_folded() {
        let all = WORDINGS.iter().flat_map(|entry| entry.wordings);
        let unfolded: Vec<_> = all.filter(|wording| fold(wording) != wording.trim_start()).collect();
        assert!(unfolded.is_empty(), "{unfolded:?}");
    }
}
