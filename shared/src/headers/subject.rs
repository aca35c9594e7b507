//! What a subject says beyond its words: base subject and ticket numbers.

use mail_parser::parsers::fields::thread::thread_name;

use super::TicketRef;

/// Rounds of prefix removal. RFC 5256 section 2.1 repeats until nothing changes; a hostile subject must not make that
/// quadratic.
const ROUNDS_MAX: usize = 16;
/// Ticket numbers kept of one subject.
const REFS_MAX: usize = 20;
/// Longest subject whose base is looked for, in octets; of a longer one only the start.
const BASE_OCTETS_MAX: usize = 4_096;

/// RFC 5256 section 2.1 base subject; list tags in brackets and white space runs are removed too.
pub(crate) fn base(subject: &str) -> String {
    let start = subject.get(..subject.floor_char_boundary(BASE_OCTETS_MAX)).unwrap_or(subject);
    // Full-width colons stand after reply prefixes in mail from East Asian clients.
    let mut text = start.replace('：', ":").split_whitespace().collect::<Vec<_>>().join(" ");
    for _ in 0..ROUNDS_MAX {
        let next = without_blob(without_counter(thread_name(&text).trim())).trim().to_owned();
        if next == text || next.is_empty() {
            break;
        }
        text = next;
    }
    text
}

/// `Re[2]:` and `Re(3):`, as The Bat! and Lotus Notes write.
fn without_counter(text: &str) -> &str {
    let Some((prefix, after)) = text.split_once(':') else { return text };
    let Some((word, counter)) = prefix.split_once(['[', '(']) else { return text };
    let digits = counter.trim_end_matches([']', ')']);
    let counted = counter.len() == digits.len() + 1 && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let known = ["re", "aw", "fw", "fwd", "sv", "antw", "wg"].iter().any(|known| word.eq_ignore_ascii_case(known));
    if counted && known { after.trim_start() } else { text }
}

/// `Fwd:` in the spellings of Outlook and Gmail.
pub(crate) fn is_forward(subject: &str) -> bool {
    let prefix = subject.split([':', '：']).next().unwrap_or_default().trim().to_lowercase();
    ["fw", "fwd", "wg", "tr", "rv", "enc", "vb", "vs", "i", "doorst", "pd", "转发", "轉寄"].contains(&prefix.as_str())
}

/// A leading `[blob]`, unless it is all there is.
fn without_blob(text: &str) -> &str {
    let Some((blob, after)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) else { return text };
    if blob.contains('[') || after.trim().is_empty() { text } else { after }
}

/// Every `[PREFIX-00042]` and `[PREFIX-2026-00042]`. Read from the whole subject, before a base is made of it.
pub(crate) fn ticket_refs(subject: &str) -> Vec<TicketRef> {
    let mut refs: Vec<TicketRef> = Vec::new();
    for bracket in subject.split('[').skip(1) {
        let found = bracket.split_once(']').and_then(|(inside, _)| ticket_ref(inside.trim()));
        if let Some(found) = found.filter(|found| !refs.contains(found)) {
            refs.push(found);
        }
        if refs.len() >= REFS_MAX {
            break;
        }
    }
    refs
}

fn ticket_ref(text: &str) -> Option<TicketRef> {
    let (prefix, number) = text.split_once('-')?;
    if !(2..=8).contains(&prefix.len()) || !prefix.bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    let (year, digits) = match number.split_once('-') {
        Some((year, digits)) if year.len() == 4 => (Some(year), digits),
        Some(_) => return None,
        None => (None, number),
    };
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(digits) || !year.is_none_or(all_digits) {
        return None;
    }
    Some(TicketRef {
        prefix: prefix.to_ascii_uppercase(),
        year: year.map(str::parse).transpose().ok()?,
        ordinal: digits.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_subjects() {
        for (subject, expected) in [
            ("Printer on fire", "Printer on fire"),
            ("Re: Printer on fire", "Printer on fire"),
            ("RE: FW: Re: Printer on fire", "Printer on fire"),
            ("AW: WG: Printer on fire", "Printer on fire"),
            ("Re[2]: Printer on fire", "Printer on fire"),
            ("Re: [staff] Printer on fire", "Printer on fire"),
            ("[staff] Re: Printer on fire", "Printer on fire"),
            ("[staff] Printer on fire", "Printer on fire"),
            ("[staff][urgent] Printer", "Printer"),
            ("Printer on fire (fwd)", "Printer on fire"),
            ("Re:  Printer\t on  fire ", "Printer on fire"),
            ("Re: [INC-00042] Printer", "Printer"),
            ("[INC-00042]", "[INC-00042]"),
            ("回复：打印机", "打印机"),
            ("Note: this is no prefix", "Note: this is no prefix"),
            ("", ""),
        ] {
            assert_eq!(base(subject), expected, "{subject:?}");
        }
    }

    #[test]
    fn ticket_numbers() {
        for (subject, expected) in [
            ("Re: [INC-00042] Printer", vec![("INC", None, 42)]),
            ("[inc-2026-00042] Printer", vec![("INC", Some(2026), 42)]),
            ("[AB-1] and [ABCDEFGH-2] and [AB-1]", vec![("AB", None, 1), ("ABCDEFGH", None, 2)]),
            ("INC-00042 without brackets", vec![]),
            ("[A-1] [ABCDEFGHI-1] [IN2-1] [INC-] [INC-1a] [INC-20-1]", vec![]),
            ("[INC-99999999999999999999999]", vec![]),
            ("[[INC-7]] [INC-8", vec![("INC", None, 7)]),
        ] {
            let refs: Vec<_> = ticket_refs(subject).into_iter().map(|r| (r.prefix, r.year, r.ordinal)).collect();
            let expected: Vec<_> = expected.into_iter().map(|(p, y, o): (&str, _, u64)| (p.to_owned(), y, o)).collect();
            assert_eq!(refs, expected, "{subject:?}");
        }
    }

    #[test]
    fn a_hostile_subject_takes_no_time() {
        let _ = base(&"Re: [x] ".repeat(20_000));
        let _ = ticket_refs(&"[AB-1".repeat(20_000));
    }
}
