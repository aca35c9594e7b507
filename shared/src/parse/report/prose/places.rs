//! Where an address stands in a notice, and how well that place tells that it is a recipient who was not reached.

use crate::parse::{
    fold::{fold, holds_any, prefix},
    report::{
        addresses::{self, Mention},
        notice::{self, Section},
        status,
    },
};

/// Mentions weighed. A notice that names more is a list's; the first tell enough.
const MENTIONS_MAX: usize = 300;
/// Octets of a paragraph that are looked at.
const PARAGRAPH_MAX: usize = 1_024;
/// Fields of the mail that is spoken of, and of the session: what stands in them was not refused.
#[rustfmt::skip]
const NOT_HIS: &[&str] = &[
    "from", "to", "cc", "bcc", "reply-to", "sender", "return-path", "message-id", "message id", "references",
    "in-reply-to", "subject", "date", "sent", "von", "an", "de", "para", "da", "a", "van", "aan", "fra", "til",
    "fran", "till", "od", "do", "komu", "от", "от кого", "кому", "差出人", "宛先", "发件人", "收件人", "寄件者",
    "收件者", "보낸 사람", "받는 사람", "mail from", "envelope-from", "originator", "absender", "expediteur",
    "remitente", "remetente", "mittente", "x-mailer", "received", "contact", "system contact", "email", "e-mail",
    "betreff", "original-envelope-id", "their email address",
];

/// How well the place of an address tells that it is a recipient who was not reached. Lower is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Alone on a line, at its start before a colon, after a key, or in an SMTP command.
    Listed,
    /// In a sentence that says why.
    Told,
    /// In a paragraph that says why.
    Near,
    /// Anywhere else.
    Mentioned,
}

/// A ranked mention and the line it stands in.
pub(super) struct Ranked {
    pub(super) address: String,
    pub(super) rank: Rank,
    pub(super) line: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Every mention that may be a recipient.
pub(super) fn ranked(section: &Section, ours: impl Fn(&str) -> bool) -> Vec<Ranked> {
    let mut found = Vec::new();
    let mut introduced = false;
    for (index, line) in section.lines.iter().enumerate() {
        let trimmed = line.trim_end();
        // In a URL an `@` is none of ours.
        let mentions = if line.contains("://") && !line.contains('<') { Vec::new() } else { addresses::find(line) };
        for mention in mentions {
            if found.len() >= MENTIONS_MAX {
                return found;
            }
            let Some(rank) = rank(section, index, line, &mention, introduced) else { continue };
            if !ours(&mention.address) {
                let Mention { address, start, end } = mention;
                found.push(Ranked { address, rank, line: index, start, end });
            }
        }
        if !trimmed.trim().is_empty() {
            introduced = trimmed.ends_with([':', '：']);
        }
    }
    found
}

/// The place of a mention; `None` where it is not a recipient's.
fn rank(section: &Section, index: usize, line: &str, mention: &Mention, introduced: bool) -> Option<Rank> {
    let before = line.get(..mention.start).unwrap_or_default();
    let after = line.get(mention.end..).unwrap_or_default();
    let lead = fold(before);
    let bare = lead.trim_start_matches(|c: char| !c.is_alphanumeric());
    // The fields of a delivery-status part, in a text.
    let bare = bare.strip_suffix("rfc822;").map_or(bare, str::trim_end);
    let expanded = bare.ends_with("expanded from:") || bare.ends_with("expanded from");
    if lead.ends_with("rcpt to:") || expanded && bare.ends_with(':') {
        return Some(Rank::Listed);
    }
    if let Some(key) = bare.strip_suffix(':').map(str::trim) {
        if NOT_HIS.contains(&key) || key.starts_with("mail from") {
            return None;
        }
        if key.chars().count() <= 40 && !asks_for_help(key) {
            return Some(Rank::Listed);
        }
    }
    if lead.contains("mail from:") || lead.contains("message-id") || said_before(&lead) || is_success_reply(bare) {
        return None;
    }
    let bare = bare.strip_suffix("smtp:").unwrap_or(bare).trim();
    if bare.is_empty() && !lead.ends_with('@') {
        return Some(if ends_the_name(after) || introduced {
            Rank::Listed
        } else {
            told(section, index, &mention.address)
        });
    }
    // `Jane Doe (jane@x.example)` under `these recipients:`.
    if introduced && after.trim_matches(|c: char| !c.is_alphanumeric()).is_empty() && is_name(bare) {
        return Some(Rank::Listed);
    }
    if asks_for_help(&lead) {
        return None;
    }
    // Exchange 5.5's X.400 name: `c=US;a= ;p=N;o=N;dda:SMTP=jane@x.example; on Fri`.
    let keyed = line.get(..mention.start).is_some_and(|lead| lead.trim_end().to_ascii_lowercase().ends_with("smtp="));
    if keyed || expanded {
        return Some(if keyed { Rank::Listed } else { Rank::Told });
    }
    Some(told(section, index, &mention.address))
}

/// A person's name: a few words without digits.
fn is_name(text: &str) -> bool {
    text.split(' ').count() <= 5 && !text.contains(|c: char| c.is_ascii_digit())
}

/// What may follow an address that stands for itself: nothing, a colon, a dash, brackets, dots, a date.
fn ends_the_name(after: &str) -> bool {
    let rest = after.trim_start();
    let next = rest.chars().next();
    let on = rest.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("on "));
    next.is_none_or(|c| matches!(c, ':' | ';' | ',' | '-' | '(' | '<' | '[' | '.' | '…' | '*' | '：')) || on
}

/// A line that tells of a mention as the sender or as one to be asked.
fn said_before(lead: &str) -> bool {
    let last = lead.trim_end_matches([' ', '<', '"', '\'', '(']).rsplit(' ').next().unwrap_or_default();
    let by = matches!(last, "from" | "by" | "von" | "van" | "od" | "от" | "sender" | "mailto:" | "from:");
    by && !lead.contains("expanded from") && !lead.contains("generated from")
}

fn asks_for_help(lead: &str) -> bool {
    #[rustfmt::skip]
    const HELP: &[&str] = &[
        "contact", "please send mail to", "please write", "please mail", "please forward", "please reply",
        "reply to", "for help", "for assistance", "questions", "assistance", "report this", "complain", "support",
        "kontakt", "wenden sie sich", "contacter", "contacte", "contatta", "neem contact", "свяжитесь",
        "обратитесь", "お問い合わせ", "联系", "聯絡", "문의",
    ];
    // The address that "you tried to contact" is the one sought.
    holds_any(lead, HELP) && !lead.contains("tried to contact")
}

/// `250 <sender>, Sender ok` of a session.
fn is_success_reply(bare: &str) -> bool {
    let code = bare.get(..3).unwrap_or_default();
    matches!(code, "220" | "221" | "250" | "251" | "354") && bare.get(3..4).is_none_or(|next| matches!(next, " " | "-"))
}

/// Whether the sentence, or the paragraph, says why.
fn told(section: &Section, index: usize, address: &str) -> Rank {
    const AROUND: usize = 4;
    let blank = |line: &String| line.trim().is_empty();
    let start =
        section.lines.iter().take(index).rposition(blank).map_or(0, |at| at + 1).max(index.saturating_sub(AROUND));
    let lines = section.lines.iter().skip(start).take_while(|line| !blank(line)).take(2 * AROUND);
    let paragraph = lines.map(|line| prefix(line.trim(), PARAGRAPH_MAX)).collect::<Vec<_>>().join(" ");
    let says = |text: &str| notice::says_undelivered(&fold(text)) || status::is_diagnostic(text);
    let at = paragraph.find(address).unwrap_or_default();
    let (before, after) = paragraph.split_at_checked(at).unwrap_or_default();
    let begun = before.rfind(". ").and_then(|end| before.get(end + 2..)).unwrap_or(before);
    let ended = after.find(". ").and_then(|end| after.get(..end)).unwrap_or(after);
    if says(&format!("{begun}{ended}")) {
        return Rank::Told;
    }
    if says(&paragraph) { Rank::Near } else { Rank::Mentioned }
}
