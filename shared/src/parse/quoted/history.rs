//! Where history begins: the first line that can be nothing else.

use super::{
    attribution, is_blank, is_quoted,
    labels::Label,
    phrases::{is_footer, is_forward_marker, is_original_marker, label},
};

/// Lines looked at for an Outlook header block.
const BLOCK_LINES_MAX: usize = 10;

/// Where it begins, and by which rule; the number of lines where there is none.
pub(super) struct Start {
    pub(super) at: usize,
    pub(super) rule: Option<&'static str>,
}

/// `None` = keep all, it is a forward.
pub(super) fn history_start(lines: &[&str], forwarded: bool) -> Option<Start> {
    let found = |at: usize, rule: &'static str| Some(Start { at, rule: Some(rule) });
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
            return if forwarded { None } else { found(at, "original-marker") };
        }
        if is_header_block(rest) {
            // A block at the very top belongs to the mail itself (scanners, copied mail), one below a forward is shown.
            match (written, forwarded) {
                (_, true) => return None,
                (true, false) => return found(at, "header-block"),
                (false, false) => {}
            }
        }
        // A device writes its footer below the answer: what stands under it, apart from it, is history.
        let apart = at > 0 && lines.get(at - 1).is_some_and(|l| is_blank(l)) && rest.get(1).is_none_or(|l| is_blank(l));
        if written && !forwarded && apart && is_footer(line) {
            return found(at, "footer");
        }
        if let Some(taken) = attribution(rest) {
            let below = rest.get(taken..).unwrap_or_default();
            let quoted_next = below.iter().find(|l| !is_blank(l)).is_none_or(|l| is_quoted(l));
            // History without marks (Gmail's HTML made text): nothing below is told apart, all of it goes. With marks
            // below, answers may stand between them; the trailer decides.
            if !quoted_next && written {
                return found(at, "attribution");
            }
        }
        written = true;
    }
    Some(Start { at: lines.len(), rule: None })
}

/// Outlook's `From: Sent: To: Subject:`, in any of its languages and orders, blank lines between them allowed.
pub(super) fn is_header_block(lines: &[&str]) -> bool {
    let Some(first) = lines.first().and_then(|line| label(line)) else { return false };
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
    // A block that begins with another field must have one more, because `Date:` and `To:` begin lines of prose too.
    let wanted = if first == Label::From { 3 } else { 4 };
    seen.contains(&Label::From) && seen.len() >= wanted
}
