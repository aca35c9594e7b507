//! What the author newly wrote: the text without the history, signature and footers below it.
//!
//! Cuts only at the end: an answer below or between quotes keeps them, because without them it can't be understood.
//! A forwarded message is kept whole: it is what the author wants to show. In doubt text stays: a quote too much is
//! untidy, a word lost is wrong. One pass over the lines with a fixed look-ahead, so the cost is linear.

mod phrases;
mod words;

use phrases::{is_attribution, is_footer, is_forward_marker, is_original_marker, label};
use words::Label;

/// Lines an attribution is wrapped over at most (Gmail and Apple Mail wrap at 76 columns).
const ATTRIBUTION_LINES_MAX: usize = 4;
/// Lines looked at for an Outlook header block.
const BLOCK_LINES_MAX: usize = 10;
/// Filled lines below a signature mark; a longer "signature" is text.
const SIGNATURE_LINES_MAX: usize = 25;

/// The part of `text` that its author newly wrote. `forwarded` = the subject says it is a forward, so header blocks
/// below are what is shown, not history. Never empty where `text` is not.
pub(crate) fn visible_reply(text: &str, forwarded: bool) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let Some(end) = history_start(&lines, forwarded) else {
        return text.trim().to_owned();
    };
    let kept = without_trailer(lines.get(..end).unwrap_or(&lines));
    let reply = kept.join("\n").trim().to_owned();
    // All of it looked like history: whatever it is, somebody sent it.
    if reply.is_empty() { text.trim().to_owned() } else { reply }
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

/// A line of nothing but dashes, underscores, equal signs or asterisks.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.chars().count() >= 3 && line.chars().all(|c| matches!(c, '-' | '_' | '=' | '*' | '—' | '–' | '─'))
}

/// First line of what can only be history; the number of lines where there is none; `None` = keep all, it is a forward.
fn history_start(lines: &[&str], forwarded: bool) -> Option<usize> {
    let mut written = false;
    for (at, line) in lines.iter().enumerate() {
        if is_blank(line) || is_quoted(line) {
            continue;
        }
        if is_forward_marker(line) {
            return None;
        }
        let rest = lines.get(at..).unwrap_or_default();
        if is_original_marker(line) && (written || !forwarded) {
            return if forwarded { None } else { Some(at) };
        }
        if is_header_block(rest) {
            // A block at the very top belongs to the mail itself (scanners, copied mail), one below a forward is shown.
            match (written, forwarded) {
                (_, true) => return None,
                (true, false) => return Some(at),
                (false, false) => {}
            }
        }
        // A device writes its footer below the answer: what stands under it, apart from it, is history.
        let apart = at > 0 && lines.get(at - 1).is_some_and(|l| is_blank(l)) && rest.get(1).is_none_or(|l| is_blank(l));
        if written && !forwarded && apart && is_footer(line) {
            return Some(at);
        }
        if let Some(taken) = attribution(rest) {
            let below = rest.get(taken..).unwrap_or_default();
            let quoted_next = below.iter().find(|l| !is_blank(l)).is_none_or(|l| is_quoted(l));
            // History without marks (Gmail's HTML made text): nothing below is told apart, all of it goes. With marks
            // below, answers may stand between them; the trailer decides.
            if !quoted_next && written {
                return Some(at);
            }
        }
        written = true;
    }
    Some(lines.len())
}

/// Lines that an attribution at the start of `lines` takes.
fn attribution(lines: &[&str]) -> Option<usize> {
    let mut joined = String::new();
    for (n, line) in lines.iter().take(ATTRIBUTION_LINES_MAX).enumerate() {
        if is_blank(line) || is_quoted(line) {
            return None;
        }
        joined.push_str(line.trim());
        joined.push(' ');
        let quoted_next = lines.get(n + 1..)?.iter().find(|l| !is_blank(l)).is_some_and(|l| is_quoted(l));
        if is_attribution(&joined, quoted_next) {
            return Some(n + 1);
        }
        // Two lines in a row that end a sentence are prose.
        if line.trim_end().ends_with(['.', '!', '?']) {
            return None;
        }
    }
    None
}

/// Outlook's `From: Sent: To: Subject:`, in any of its languages, blank lines between them allowed.
fn is_header_block(lines: &[&str]) -> bool {
    if lines.first().and_then(|line| label(line)) != Some(Label::From) {
        return false;
    }
    let mut seen: Vec<Label> = Vec::new();
    let mut strays = 0;
    for line in lines.iter().take(BLOCK_LINES_MAX).filter(|line| !is_blank(line)) {
        match label(line) {
            Some(found) if !seen.contains(&found) => seen.push(found),
            // A long To field goes on in the next line.
            _ => strays += 1,
        }
        if strays > 2 {
            break;
        }
    }
    seen.len() >= 3
}

/// Takes quotes, attributions, signature, footers and rules off the end, until nothing goes.
fn without_trailer<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut kept = lines;
    loop {
        let before = kept.len();
        kept = trim_blank(kept);
        kept = without_signature(kept);
        kept = without_list_footer(kept);
        while let Some((last, rest)) = kept.split_last() {
            if !(is_blank(last) || is_quoted(last) || is_rule(last) || is_footer(last)) {
                break;
            }
            kept = rest;
        }
        if kept.len() < lines.len() {
            kept = without_attribution(kept);
        }
        if kept.len() == before {
            return kept.to_vec();
        }
    }
}

fn trim_blank<'a, 'b>(lines: &'b [&'a str]) -> &'b [&'a str] {
    let end = lines.iter().rposition(|line| !is_blank(line)).map_or(0, |at| at + 1);
    lines.get(..end).unwrap_or_default()
}

/// RFC 3676 section 4.3: `-- ` alone on a line. The blank is often lost on the way.
fn without_signature<'a, 'b>(lines: &'b [&'a str]) -> &'b [&'a str] {
    let Some(at) = lines.iter().position(|line| matches!(*line, "-- " | "--" | "—" | "-- \u{A0}")) else {
        return lines;
    };
    let below = lines.get(at + 1..).unwrap_or_default();
    let filled = below.iter().filter(|line| !is_blank(line) && !is_quoted(line)).count();
    let something_above = lines.iter().take(at).any(|line| !is_blank(line) && !is_quoted(line));
    if filled <= SIGNATURE_LINES_MAX && something_above { lines.get(..at).unwrap_or(lines) } else { lines }
}

/// Mailman's footer: a rule of underscores, then at most four lines that name the list.
fn without_list_footer<'a, 'b>(lines: &'b [&'a str]) -> &'b [&'a str] {
    let tail = lines.len().saturating_sub(5);
    let rule = lines.iter().enumerate().skip(tail).find(|(_, line)| is_rule(line)).map(|(at, _)| at);
    let Some(at) = rule else { return lines };
    let below = lines.get(at + 1..).unwrap_or_default();
    let names_list =
        below.iter().any(|line| line.to_lowercase().contains("mailing list") || line.contains("/listinfo/"));
    if names_list { lines.get(..at).unwrap_or(lines) } else { lines }
}

/// The attribution whose quote was just taken off.
fn without_attribution<'a, 'b>(lines: &'b [&'a str]) -> &'b [&'a str] {
    let lines = trim_blank(lines);
    for taken in 1..=ATTRIBUTION_LINES_MAX.min(lines.len()) {
        let at = lines.len() - taken;
        let joined = lines.get(at..).unwrap_or_default().iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        if is_attribution(&joined, true) && (taken == 1 || phrases::has_lead(&joined)) {
            // The lead may stand a line higher: prefer the longest attribution that starts like one.
            let longer = (taken + 1..=ATTRIBUTION_LINES_MAX.min(lines.len())).rev().find(|more| {
                let block = lines.get(lines.len() - more..).unwrap_or_default();
                let joined = block.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
                block.iter().all(|line| !is_blank(line) && !is_quoted(line)) && is_attribution(&joined, false)
            });
            let cut = if phrases::has_lead(&joined) { taken } else { longer.unwrap_or(taken) };
            return lines.get(..lines.len() - cut).unwrap_or_default();
        }
    }
    lines
}

#[cfg(test)]
mod tests;
