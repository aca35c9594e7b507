//! What the author newly wrote: the text without the history, signature and footers below it.
//!
//! Cuts only at the end, and a banner that a gateway put on top: an answer below or between quotes keeps them, because
//! without them it can't be understood. A forwarded message is kept whole: it is what the author wants to show. In doubt
//! text stays: a quote too much is untidy, a word lost is wrong. What was cut, and by which rule, is told, so that it can
//! be undone. One pass over the lines with a fixed look-ahead, so the cost is linear.

mod closing;
mod forward;
mod history;
mod labels;
mod legal;
mod phrases;
pub mod separator;
mod words;

use serde::Serialize;

pub use self::forward::ForwardedFrom;
pub(crate) use self::forward::forwarded_from;
use self::{
    history::{Start, history_start},
    phrases::{is_attribution, is_footer},
};

/// Lines an attribution is wrapped over at most (Gmail and Apple Mail wrap at 76 columns).
const ATTRIBUTION_LINES_MAX: usize = 4;
/// Filled lines below a signature mark; a longer "signature" is text.
const SIGNATURE_LINES_MAX: usize = 25;
/// Columns from which on a quoted line was probably wrapped on its way, its rest standing unmarked in the next line.
const WRAPPED_COLUMNS_MIN: usize = 55;

/// What was left out of the visible reply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReplyCut {
    /// The rule that made the topmost cut: `attribution`, `original-marker`, `header-block`, `quote`, `signature`,
    /// `closing`, `legal-footer`, `list-footer`, `footer`, `banner`, `separator`; `None` where nothing was cut.
    pub rule: Option<&'static str>,
    /// Byte ranges `[start, end)` of the full text that are left out, in order; the rest, trimmed, is the reply.
    pub ranges: Vec<(usize, usize)>,
}

/// The visible reply, and what is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Visible {
    pub(crate) reply: String,
    pub(crate) cut: ReplyCut,
}

/// The part of `text` that its author newly wrote. `forwarded` = the subject says it is a forward, so header blocks
/// below are what is shown, not history. Never empty where `text` is not.
pub(crate) fn visible_reply(text: &str, forwarded: bool) -> Visible {
    let lines: Vec<&str> = text.lines().collect();
    let Some(Start { at: end, rule }) = history_start(&lines, forwarded) else {
        return Visible { reply: text.trim().to_owned(), cut: ReplyCut::default() };
    };
    let top = legal::banner(&lines);
    let mut kept = Kept { lines: lines.get(top.min(end)..end).unwrap_or_default(), rule };
    kept.trim_trailer();
    let rule = kept.rule.or_else(|| (top > 0).then_some("banner"));
    let (Some(first), Some(last)) = (kept.lines.first(), kept.lines.last()) else { return whole(text) };
    let start = offset(text, first);
    within(text, start, offset(text, last) + last.len(), rule)
}

/// Cuts the text off at the octet that a line of ours begins at: it wins over every other sign.
fn above_separator(text: &str, at: usize, forwarded: bool) -> Visible {
    let Some(above) = text.get(..at).filter(|above| !above.trim().is_empty()) else { return whole(text) };
    let mut visible = visible_reply(above, forwarded);
    // What is below the line goes in one range with what was cut just above it.
    match visible.cut.ranges.last_mut() {
        Some(last) if last.1 == at => last.1 = text.len(),
        _ => visible.cut.ranges.push((at, text.len())),
    }
    visible.cut.rule = Some("separator");
    visible
}

fn whole(text: &str) -> Visible {
    Visible { reply: text.trim().to_owned(), cut: ReplyCut::default() }
}

/// The reply that stands in `start..end`, with what is cut around it. Blanks alone are no cut.
fn within(text: &str, start: usize, end: usize, rule: Option<&'static str>) -> Visible {
    let reply = text.get(start..end).unwrap_or(text).trim().to_owned();
    // All of it looked like history: whatever it is, somebody sent it.
    if reply.is_empty() {
        return whole(text);
    }
    let said = |range: &(usize, usize)| text.get(range.0..range.1).is_some_and(|cut| !cut.trim().is_empty());
    let ranges: Vec<(usize, usize)> = [(0, start), (end, text.len())].into_iter().filter(said).collect();
    let rule = rule.filter(|_| !ranges.is_empty());
    Visible { reply, cut: ReplyCut { rule, ranges } }
}

/// Where a part of `text` begins in it.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// A line of somebody else's. Gmail breaks attributions before their last `>:`, which is none.
fn is_quoted(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('>') && !line.starts_with(">:") && !line.starts_with("> wrote:")
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

/// A line of nothing but dashes, underscores, equal signs or asterisks.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.chars().count() >= 3 && line.chars().all(|c| matches!(c, '-' | '_' | '=' | '*' | '—' | '–' | '─' | '‐' | '‑'))
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
        if line.trim_end().ends_with(['!', '?']) || line.trim_end().ends_with('.') && n > 0 {
            return None;
        }
    }
    None
}

/// What is left of the lines, and the rule that made the last, which is the topmost, cut.
struct Kept<'a, 'b> {
    lines: &'b [&'a str],
    rule: Option<&'static str>,
}

impl Kept<'_, '_> {
    fn cut_to(&mut self, end: usize, rule: &'static str) {
        self.lines = self.lines.get(..end).unwrap_or_default();
        self.rule = Some(rule);
    }

    fn trim_blank(&mut self) {
        let end = self.lines.iter().rposition(|line| !is_blank(line)).map_or(0, |at| at + 1);
        self.lines = self.lines.get(..end).unwrap_or_default();
    }

    /// Takes quotes, attributions, signature, footers and rules off the end, until nothing goes.
    fn trim_trailer(&mut self) {
        let all = self.lines.len();
        loop {
            let before = self.lines.len();
            self.trim_blank();
            self.trim_signature();
            self.trim_list_footer();
            if let Some(end) = legal::footer(self.lines) {
                self.cut_to(end, "legal-footer");
            }
            self.trim_quotes();
            if self.lines.len() < all {
                self.trim_attribution();
            }
            self.trim_blank();
            if let Some(end) = closing::closing(self.lines) {
                self.cut_to(end, "closing");
            }
            if self.lines.len() == before {
                return;
            }
        }
    }

    /// Quotes, rules and footers at the end, and what was wrapped out of a quote.
    fn trim_quotes(&mut self) {
        let mut below_is_quoted = false;
        while let Some((last, rest)) = self.lines.split_last() {
            let wrapped = below_is_quoted && rest.last().is_some_and(|above| is_wrapped_rest(above, last));
            let quoted = is_quoted(last) || wrapped;
            let rule = match () {
                () if quoted => Some("quote"),
                () if is_footer(last) => Some("footer"),
                () if is_blank(last) || is_rule(last) => self.rule,
                () => return,
            };
            below_is_quoted = quoted;
            self.lines = rest;
            self.rule = rule;
        }
    }

    /// RFC 3676 section 4.3: `-- ` alone on a line. The blank is often lost on the way.
    fn trim_signature(&mut self) {
        let is_mark = |line: &&str| matches!(*line, "-- " | "--" | "—" | "-- \u{A0}" | "--\u{A0}");
        let Some(at) = self.lines.iter().position(is_mark) else { return };
        let below = self.lines.get(at + 1..).unwrap_or_default();
        let filled = below.iter().filter(|line| !is_blank(line) && !is_quoted(line)).count();
        let something_above = self.lines.iter().take(at).any(|line| !is_blank(line) && !is_quoted(line));
        if filled <= SIGNATURE_LINES_MAX && something_above {
            self.cut_to(at, "signature");
        }
    }

    /// Mailman's footer: a rule of underscores (some gateways leave two), then at most four lines that name the list.
    fn trim_list_footer(&mut self) {
        let tail = self.lines.len().saturating_sub(6);
        let is_mark = |line: &str| is_rule(line) || line.trim() == "__";
        let Some((at, _)) = self.lines.iter().enumerate().skip(tail).find(|(_, line)| is_mark(line)) else { return };
        let below = self.lines.get(at + 1..).unwrap_or_default();
        let names_list =
            below.iter().any(|line| line.to_lowercase().contains("mailing list") || line.contains("/listinfo/"));
        if names_list {
            self.cut_to(at, "list-footer");
        }
    }

    /// The attribution whose quote was just taken off.
    fn trim_attribution(&mut self) {
        self.trim_blank();
        let joined = |taken: usize| {
            let block = self.lines.get(self.lines.len() - taken..).unwrap_or_default();
            (block.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "), block)
        };
        let most = ATTRIBUTION_LINES_MAX.min(self.lines.len());
        for taken in 1..=most {
            let (text, _) = joined(taken);
            if !(is_attribution(&text, true) && (taken == 1 || phrases::has_lead(&text))) {
                continue;
            }
            // The lead may stand a line higher: prefer the longest attribution that starts like one.
            let longer = (taken + 1..=most).rev().find(|more| {
                let (text, block) = joined(*more);
                block.iter().all(|line| !is_blank(line) && !is_quoted(line)) && is_attribution(&text, false)
            });
            let cut = if phrases::has_lead(&text) { taken } else { longer.unwrap_or(taken) };
            return self.cut_to(self.lines.len() - cut, "attribution");
        }
    }
}

/// True where `line` is the rest of a quoted line that was too long for a gateway: only asked where a quote follows.
fn is_wrapped_rest(above: &str, line: &str) -> bool {
    let begins_small = line.chars().next().is_some_and(char::is_lowercase);
    let open = !above.trim_end().ends_with(['.', '!', '?', ':', '"']);
    is_quoted(above) && above.chars().count() >= WRAPPED_COLUMNS_MIN && (begins_small || open)
}

#[cfg(test)]
mod clients;
#[cfg(test)]
mod tests;
