//! E-mail addresses as they stand in prose: in brackets, after colons, before full stops.

/// Addresses told apart in one line. Log lines of gateways name hundreds.
const PER_LINE_MAX: usize = 50;

/// One address in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) address: String,
    /// Octets of the line before it, its opening bracket or quote included.
    pub(super) start: usize,
    /// Octets of the line up to its end, its closing bracket or quote included.
    pub(super) end: usize,
}

/// Letters, but not of the scripts that put no blank between words: there the address would swallow the sentence.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() && c < '\u{2e80}'
}

fn is_local(c: char) -> bool {
    is_letter(c) || "!#$%&'+-=^_~.{}".contains(c)
}

fn is_domain(c: char) -> bool {
    is_letter(c) || matches!(c, '.' | '-' | '_')
}

/// All addresses of a line. Linear: what belongs to one `@` ends at the next.
pub(super) fn find(line: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut from = 0;
    for (at, _) in line.match_indices('@') {
        if found.len() >= PER_LINE_MAX {
            break;
        }
        let (Some(left), Some(right)) = (line.get(from..at), line.get(at + 1..)) else { continue };
        let local_length: usize = left.chars().rev().take_while(|c| is_local(*c)).map(char::len_utf8).sum();
        let domain_length: usize = right.chars().take_while(|c| is_domain(*c)).map(char::len_utf8).sum();
        from = at + 1;
        let local = left.get(left.len() - local_length..).unwrap_or_default();
        let domain = right.get(..domain_length).unwrap_or_default().trim_end_matches(['.', '-', '_']);
        let local = without_key(local.trim_start_matches(['\'', '.', '{', '=', '-']));
        let start = at - local.len();
        let end = at + 1 + domain.len();
        let opened = line.get(..start).and_then(|before| before.chars().next_back());
        let closed = line.get(end..).and_then(|after| after.chars().next());
        let bracketed = opened == Some('<') && closed == Some('>');
        // Without brackets a word with an `@` is an address only if its domain could be one.
        let plausible = domain.contains('.') && domain.rsplit('.').next().is_some_and(|top| top.chars().count() >= 2);
        if local.is_empty() || domain.is_empty() || !(bracketed || plausible) || closed == Some('@') {
            continue;
        }
        let open_length = opened.filter(|c| matches!(c, '<' | '[' | '(' | '"' | '\'')).map_or(0, char::len_utf8);
        let close_length = closed.filter(|c| matches!(c, '>' | ']' | ')' | '"' | '\'')).map_or(0, char::len_utf8);
        let address = format!("{local}@{domain}");
        found.push(Mention { address, start: start - open_length, end: end + close_length });
    }
    found
}

/// `SMTP=jane@x.example` of Exchange and X.400; the `=` of a VERP or SRS address stays.
fn without_key(local: &str) -> &str {
    for key in ["smtp=", "rfc822=", "to=", "rcpt="] {
        if local.get(..key.len()).is_some_and(|start| start.eq_ignore_ascii_case(key)) {
            return local.get(key.len()..).unwrap_or(local);
        }
    }
    local
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_prose() {
        for (line, expected) in [
            ("<jane@x.example>: host said", vec!["jane@x.example"]),
            ("to 'jane@x.example', failed", vec!["jane@x.example"]),
            ("jane@x.example.", vec!["jane@x.example"]),
            ("o=N;dda:SMTP=jane@x.example; on", vec!["jane@x.example"]),
            ("[SMTP:jane@x.example]", vec!["jane@x.example"]),
            ("a@x.example, b+c=d@y.example", vec!["a@x.example", "b+c=d@y.example"]),
            ("jane@x.example<mailto:jane@x.example>", vec!["jane@x.example", "jane@x.example"]),
            ("<jane@sims-daemon> and jane@localhost", vec!["jane@sims-daemon"]),
            ("邮件地址（jane@x.example）不存在のli@x.example宛", vec!["jane@x.example", "li@x.example"]),
            ("юзер@пример.example", vec!["юзер@пример.example"]),
            ("david...@gmail.example", vec!["david...@gmail.example"]),
            ("@ @@ a@ @b.example mail@@x.example", vec![]),
        ] {
            let found: Vec<String> = find(line).into_iter().map(|mention| mention.address).collect();
            assert_eq!(found, expected, "{line}");
        }
        let line = "x <jane@x.example>: y";
        let mention = find(line).remove(0);
        assert_eq!((line.get(..mention.start), line.get(mention.end..)), (Some("x "), Some(": y")));
    }

    #[test]
    fn a_hostile_line_takes_linear_time() {
        let _ = find(&"a@".repeat(200_000));
        let _ = find(&"a".repeat(400_000));
    }
}
