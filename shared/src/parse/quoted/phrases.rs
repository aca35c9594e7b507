//! Recognises the lines that mail programs put around history.

use super::{
    labels::{LABELS, Label},
    words::{FOOTERS, FORWARD_MARKERS, LEADS, ORIGINAL_MARKERS, VERBS},
};

/// The line without the dashes, stars and quotes that frame markers, lower case.
fn bare(line: &str) -> String {
    line.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '-' | '_' | '*' | '=' | '>' | ':' | '—' | '–' | '‐' | '‑' | '[' | ']')
    })
    .to_lowercase()
}

/// True where dashes frame the line or it ends in a colon: a bare "original message" in prose is neither.
fn is_framed(line: &str) -> bool {
    let line = line.trim();
    line.starts_with(['-', '_', '*', '=', '—', '‐', '[']) || line.ends_with([':', '：', '-', '‐'])
}

pub(super) fn is_original_marker(line: &str) -> bool {
    line.len() < 200 && is_framed(line) && ORIGINAL_MARKERS.contains(&bare(line).as_str())
}

pub(super) fn is_forward_marker(line: &str) -> bool {
    line.len() < 200 && is_framed(line) && {
        let bare = bare(line);
        FORWARD_MARKERS.iter().any(|marker| bare == *marker || (*marker == "forwarded by" && bare.starts_with(marker)))
    }
}

pub(super) fn is_footer(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['*', '_', '<', '[', '(']).to_lowercase();
    let whole = line.ends_with("から送信")
        || line.ends_with("から送信されました")
        || line.ends_with("gesendet") && line.starts_with("von ");
    // "Sent from my desk, which is easier than my phone." is a sentence.
    let sentence = line.ends_with(['.', '!', '?']);
    !sentence && line.chars().count() <= 90 && (whole || FOOTERS.iter().any(|footer| line.starts_with(footer)))
}

/// The label that starts the line, stars of converted bold type allowed (`*From:* Jane`).
pub(super) fn label(line: &str) -> Option<Label> {
    label_value(line).map(|(label, _)| label)
}

/// The label and what follows it, without the stars.
pub(super) fn label_value(line: &str) -> Option<(Label, &str)> {
    let line = line.trim().trim_start_matches(['*', '>', '|', ' ']);
    let at = line.find([':', '：']).filter(|at| *at <= 40)?;
    let (name, rest) = line.split_at_checked(at)?;
    let value = rest.trim_start_matches([':', '：', '*', ' ', '\t', '\u{A0}']);
    let name = name.trim().trim_matches('*').trim().to_lowercase();
    LABELS.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(label, _)| (*label, value))
}

/// True where the text begins like an attribution: a lead word or a date.
pub(super) fn has_lead(text: &str) -> bool {
    let text = text.trim_start_matches(['-', '*', ' ']);
    let first =
        text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '.')).next().unwrap_or_default().to_lowercase();
    LEADS.contains(&first.as_str())
        || first.starts_with(|c: char| c.is_ascii_digit())
        || first.starts_with(['在', '于', '於'])
}

/// A time, a year, or a date with separators.
fn has_date(text: &str) -> bool {
    let mut digits = 0_usize;
    let mut previous: Option<char> = None;
    let mut before_separator = false;
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits += 1;
            if digits == 4 || before_separator {
                return true;
            }
        } else {
            before_separator =
                matches!(c, ':' | '/' | '-' | '.' | '年') && previous.is_some_and(|p| p.is_ascii_digit());
            digits = 0;
        }
        previous = Some(c);
    }
    false
}

/// True where the joined lines say who wrote what follows. `quoted_next` = marks of a quote follow, so less is asked.
pub(super) fn is_attribution(joined: &str, quoted_next: bool) -> bool {
    // Gmail frames names and addresses with direction marks in Hebrew and Arabic.
    let marks = |c: char| matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    // Asked first, of every line: hardly any ends like one.
    let end = joined.trim_end_matches(|c: char| c.is_whitespace() || marks(c) || matches!(c, '*' | '-' | '"'));
    if !end.ends_with([':', '：']) && !end.ends_with("wrote") {
        return false;
    }
    let unmarked: String = joined.chars().filter(|c| !marks(*c)).collect();
    let joined = unmarked.as_str();
    let framed = joined.trim_start().starts_with("--");
    let text = joined.trim().trim_matches(['*', '-', ' ', '"']);
    let (lead, date, address) = (has_lead(text), has_date(text), text.contains('@'));
    if text.len() > 400 || !(date || address || quoted_next) {
        return false;
    }
    let lower = text.to_lowercase();
    if !text.ends_with([':', '：']) {
        // Zoho frames it in dashes, some write no colon.
        return date && address && (lead || framed) && lower.ends_with(" wrote");
    }
    let verb = VERBS.iter().any(|verb| lower.contains(verb));
    // Lotus Notes: `Jane Doe/Dept/Org wrote on 03/02/2026 09:15:00 AM:`, no address and no lead.
    if date
        && ["wrote on ", "schrieb am ", "a écrit le ", "escribió el ", "ha scritto il "]
            .iter()
            .any(|v| lower.contains(v))
    {
        return true;
    }
    if verb && (date && (lead || address) || lead && address) {
        return true;
    }
    // "2022年1月1日(金) 9:00 田中太郎 <taro@example.com>:", Gmail in Japanese, Korean and Russian: no verb.
    if address && date && (text.ends_with(">:") || text.ends_with(">：")) && text.chars().count() < 200 {
        return true;
    }
    if verb && address && text.chars().count() < 150 && lower.ends_with("wrote:") {
        return true;
    }
    // "Jane Doe wrote:" and "Zitat von Jane:" count only above a quote.
    quoted_next && text.chars().count() < 150 && (verb || (address && date) || lower.starts_with("zitat von"))
}
