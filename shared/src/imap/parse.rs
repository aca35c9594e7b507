//! What a response says (RFC 3501 section 7). Total: what it does not understand is [`Response::Other`], so that untagged
//! noise disturbs nothing. Depth and size are bounded by the wire and here.

use bytes::Bytes;
use jiff::{Timestamp, fmt::strtime};

use super::wire::Piece;

/// Parentheses in one another, at most; a FETCH that we ask for has two.
const DEPTH_MAX: usize = 16;
/// Octets of a response code kept.
const CODE_OCTETS_MAX: usize = 40;

/// How a command, or the server, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Ok,
    No,
    Bad,
    Bye,
    PreAuth,
}

/// A condition with its response code and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) condition: Condition,
    /// First word of the response code, upper case; empty = none.
    pub(super) code: String,
    /// What stands behind that word.
    pub(super) argument: String,
    /// Text for people; never logged.
    pub(super) text: String,
}

/// What a FETCH response says of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fetched {
    pub(super) uid: Option<u32>,
    pub(super) at: Option<Timestamp>,
    pub(super) octets: Option<u64>,
    /// `BODY[]`; `Some` and empty where it is NIL.
    pub(super) body: Option<Bytes>,
}

/// One response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Response {
    /// The end of the command of that tag.
    Tagged(String, Status),
    /// `+`, with what stands behind it.
    Continue(String),
    /// An untagged condition.
    Status(Status),
    Capability(Vec<String>),
    Search(Vec<u32>),
    /// A folder: its name as the server spells it, and whether mail can be in it.
    Folder(String, bool),
    Fetched(Fetched),
    Other,
}

/// Reads a response.
pub(super) fn response(pieces: &[Piece]) -> Response {
    let Some(Piece::Text(first)) = pieces.first() else { return Response::Other };
    let line = String::from_utf8_lossy(first);
    if let Some(rest) = line.strip_prefix('+') {
        return Response::Continue(rest.trim().to_owned());
    }
    let (tag, rest) = line.split_once(' ').unwrap_or((line.as_ref(), ""));
    if tag != "*" {
        return status(rest).map_or(Response::Other, |status| Response::Tagged(tag.to_owned(), status));
    }
    if let Some(status) = status(rest) {
        return Response::Status(status);
    }
    let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    match word.to_ascii_uppercase().as_str() {
        "CAPABILITY" => Response::Capability(rest.split_ascii_whitespace().map(str::to_ascii_uppercase).collect()),
        "SEARCH" => Response::Search(numbers(rest)),
        "LIST" => folder(pieces).unwrap_or(Response::Other),
        digits if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            let fetch = rest.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("FETCH"));
            let read = if fetch { fetched(pieces) } else { None };
            read.map_or(Response::Other, Response::Fetched)
        }
        _ => Response::Other,
    }
}

/// Numbers of a SEARCH response; what stands behind them, as CONDSTORE's `(MODSEQ 1)`, ends them.
fn numbers(rest: &str) -> Vec<u32> {
    rest.split_ascii_whitespace().map_while(|word| word.parse().ok()).collect()
}

fn status(rest: &str) -> Option<Status> {
    let (word, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let condition = match word.to_ascii_uppercase().as_str() {
        "OK" => Condition::Ok,
        "NO" => Condition::No,
        "BAD" => Condition::Bad,
        "BYE" => Condition::Bye,
        "PREAUTH" => Condition::PreAuth,
        _ => return None,
    };
    let coded = text.strip_prefix('[').and_then(|inner| inner.split_once(']'));
    let (code, text) = coded.unwrap_or(("", text));
    let (code, argument) = code.split_once(' ').unwrap_or((code, ""));
    let plain = code.len() <= CODE_OCTETS_MAX && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let code = if plain { code.to_ascii_uppercase() } else { String::new() };
    Some(Status { condition, code, argument: argument.to_owned(), text: text.trim().to_owned() })
}

/// A value of the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// An atom, a number, NIL.
    Word(Vec<u8>),
    /// A quoted string.
    Quoted(Vec<u8>),
    Literal(Bytes),
    Open,
    Close,
}

/// The values of a response in order, behind its first `skip` octets.
fn values(pieces: &[Piece], skip: usize) -> Option<Vec<Value>> {
    let (mut all, mut depth, mut skip) = (Vec::new(), 0_usize, skip);
    for piece in pieces {
        match piece {
            Piece::Literal(octets) => all.push(Value::Literal(octets.clone())),
            Piece::Text(text) => {
                let mut rest = text.get(skip..)?;
                skip = 0;
                while let Some((value, behind)) = value(rest)? {
                    match value {
                        Value::Open => depth += 1,
                        Value::Close => depth = depth.checked_sub(1)?,
                        Value::Word(_) | Value::Quoted(_) | Value::Literal(_) => {}
                    }
                    if depth > DEPTH_MAX {
                        return None;
                    }
                    all.push(value);
                    rest = behind;
                }
            }
        }
    }
    (depth == 0).then_some(all)
}

/// The next value and what is behind it. `Some(None)` = the end; `None` = not of the grammar.
#[expect(clippy::option_option, reason = "the end of the text is no fault of it")]
fn value(text: &[u8]) -> Option<Option<(Value, &[u8])>> {
    let text = text.trim_ascii_start();
    let Some((first, rest)) = text.split_first() else { return Some(None) };
    match first {
        b'(' => Some(Some((Value::Open, rest))),
        b')' => Some(Some((Value::Close, rest))),
        b'"' => {
            let mut content = Vec::new();
            let mut rest = rest;
            loop {
                let (octet, behind) = rest.split_first()?;
                match octet {
                    b'"' => return Some(Some((Value::Quoted(content), behind))),
                    b'\\' => {
                        let (escaped, behind) = behind.split_first()?;
                        content.push(*escaped);
                        rest = behind;
                    }
                    other => {
                        content.push(*other);
                        rest = behind;
                    }
                }
            }
        }
        _ => {
            // Brackets hold anything: `BODY[HEADER.FIELDS (DATE)]`.
            let mut bracket = false;
            let end = text.iter().position(|octet| {
                match octet {
                    b'[' => bracket = true,
                    b']' => bracket = false,
                    _ => {}
                }
                !bracket && matches!(octet, b' ' | b'(' | b')' | b'"')
            });
            let (word, behind) = text.split_at(end.unwrap_or(text.len()));
            Some(Some((Value::Word(word.to_vec()), behind)))
        }
    }
}

/// `* 12 FETCH (UID 7 BODY[] ...)`: the pairs of its outer list.
fn fetched(pieces: &[Piece]) -> Option<Fetched> {
    let values = values(pieces, 2)?;
    let mut values = values.into_iter().skip(2).peekable();
    if values.next()? != Value::Open {
        return None;
    }
    let mut fetched = Fetched::default();
    while let Some(Value::Word(name)) = values.next() {
        let value = values.next()?;
        if value == Value::Open {
            let mut depth = 1_usize;
            while depth > 0 {
                match values.next()? {
                    Value::Open => depth += 1,
                    Value::Close => depth -= 1,
                    Value::Word(_) | Value::Quoted(_) | Value::Literal(_) => {}
                }
            }
            continue;
        }
        match name.to_ascii_uppercase().as_slice() {
            b"UID" => fetched.uid = Some(number(&value)?),
            b"RFC822.SIZE" => fetched.octets = number(&value),
            b"INTERNALDATE" => fetched.at = date(&value),
            b"BODY[]" => fetched.body = Some(octets(value)),
            _ => {}
        }
    }
    Some(fetched)
}

fn number<T: std::str::FromStr>(value: &Value) -> Option<T> {
    let Value::Word(word) = value else { return None };
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// `"17-Jul-1996 02:44:25 -0700"`, the day padded with a space (RFC 3501 section 9, `date-day-fixed`).
fn date(value: &Value) -> Option<Timestamp> {
    let Value::Quoted(text) = value else { return None };
    let text = std::str::from_utf8(text).ok()?.trim();
    strtime::parse("%d-%b-%Y %H:%M:%S %z", text).ok()?.to_timestamp().ok()
}

/// NIL and a bare word are nothing.
fn octets(value: Value) -> Bytes {
    match value {
        Value::Literal(octets) => octets,
        Value::Quoted(octets) => octets.into(),
        Value::Word(_) | Value::Open | Value::Close => Bytes::new(),
    }
}

/// `* LIST (\HasNoChildren) "/" "Entw&APw-rfe"`.
fn folder(pieces: &[Piece]) -> Option<Response> {
    let values = values(pieces, 2)?;
    let closed = values.iter().position(|value| *value == Value::Close)?;
    let attributes = values.get(..closed)?;
    let none = |word: &Value| matches!(word, Value::Word(word) if word.eq_ignore_ascii_case(b"\\Noselect") || word.eq_ignore_ascii_case(b"\\NonExistent"));
    let name = match values.get(closed + 2)?.clone() {
        Value::Word(name) | Value::Quoted(name) => name,
        Value::Literal(name) => name.to_vec(),
        Value::Open | Value::Close => return None,
    };
    Some(Response::Folder(String::from_utf8_lossy(&name).into_owned(), !attributes.iter().any(none)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(line: &str) -> Response {
        response(&[Piece::Text(line.as_bytes().to_vec())])
    }

    fn said(condition: Condition, code: &str, argument: &str, text: &str) -> Status {
        Status { condition, code: code.into(), argument: argument.into(), text: text.into() }
    }

    #[test]
    fn conditions_and_codes() {
        let done = said(Condition::Ok, "READ-ONLY", "", "done");
        assert_eq!(text("A1 OK [READ-ONLY] done"), Response::Tagged("A1".into(), done));
        assert_eq!(text("* BYE"), Response::Status(said(Condition::Bye, "", "", "")));
        let valid = said(Condition::Ok, "UIDVALIDITY", "17", "valid");
        assert_eq!(text("* ok [UIDVALIDITY 17] valid"), Response::Status(valid));
        assert_eq!(text("+ go ahead"), Response::Continue("go ahead".into()));
        assert_eq!(text("* CAPABILITY IMAP4rev1 move"), Response::Capability(vec!["IMAP4REV1".into(), "MOVE".into()]));
        assert_eq!(text("* SEARCH 3 1 2 (MODSEQ 9)"), Response::Search(vec![3, 1, 2]));
        assert_eq!(text("* SEARCH"), Response::Search(Vec::new()));
    }

    #[test]
    fn a_message_in_any_order_with_anything_between() {
        let pieces = [
            Piece::Text(b"* 12 FETCH (FLAGS (\\Seen ($x)) BODY[] ".to_vec()),
            Piece::Literal("mail (\"".into()),
            Piece::Text(b" X-GM-MSGID 5 INTERNALDATE \" 7-Jul-1996 02:44:25 -0700\" RFC822.SIZE 44 UID 7)".to_vec()),
        ];
        let Response::Fetched(read) = response(&pieces) else { panic!("a message") };
        assert_eq!((read.uid, read.octets, read.body.as_deref()), (Some(7), Some(44), Some(&b"mail (\""[..])));
        assert_eq!(read.at.unwrap().to_string(), "1996-07-07T09:44:25Z");
        let Response::Fetched(read) = text("* 1 FETCH (UID 7 BODY[] NIL)") else { panic!("a message") };
        assert_eq!(read.body, Some(Bytes::new()), "said to be empty");
        let Response::Fetched(read) = text("* 1 fetch (BODY[HEADER.FIELDS (A B)] \"x\\\"\" UID 8 BODY[] \"q\")") else {
            panic!("a message")
        };
        assert_eq!((read.uid, read.body.as_deref()), (Some(8), Some(&b"q"[..])));
    }

    #[test]
    fn folders() {
        assert_eq!(text("* LIST (\\HasNoChildren) \"/\" \"a b\""), Response::Folder("a b".into(), true));
        assert_eq!(text("* LIST (\\Noselect) NIL top"), Response::Folder("top".into(), false));
    }

    #[test]
    fn noise_is_passed_over() {
        for line in [
            "",
            "*",
            "* ",
            "* 5 EXISTS",
            "* 3 FETCH",
            "* 3 FETCH (UID",
            "* 3 FETCH ((((",
            "* 3 FETCH (UID x)",
            "* LIST",
            "* X (",
            "hello",
            "* 1 FETCH )",
        ] {
            assert_eq!(text(line), Response::Other, "{line:?}");
        }
        assert_eq!(text(&format!("* 1 FETCH {}{}", "(".repeat(99), ")".repeat(99))), Response::Other, "too deep");
    }

    proptest! {
        #[test]
        fn anything_reads_as_something(octets in proptest::collection::vec(any::<u8>(), 0..80), literal in any::<bool>()) {
            let mut pieces = vec![Piece::Text([b"* 1 FETCH (", octets.as_slice()].concat())];
            if literal {
                pieces.push(Piece::Literal(octets.into()));
            }
            response(&pieces);
        }
    }
}
