//! Authentication-Results (RFC 8601): what a mail server in front of us found out about a mail.
//!
//! Anybody can write such a field into his own mail, so only one counts: the topmost of the header, above everything
//! that an author writes, and only with the name of a server that the operator trusts to remove forged ones
//! (RFC 8601 section 5).

use super::Headers;
use crate::inbound::{Verdict, Verdicts, comparable};

/// Stands for fields that name no server: Microsoft 365 writes such.
pub const UNNAMED: &str = "unnamed";
/// Results read of one field.
const RESULTS_MAX: usize = 50;
/// What an author's own client writes: results below it are part of his mail.
const AUTHORS_FIELDS: [&str; 8] = ["from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id"];

/// One method's result with its properties, all in lower case but the values.
#[derive(Debug, PartialEq, Eq)]
struct MethodResult {
    method: String,
    result: String,
    properties: Vec<(String, String)>,
}

impl MethodResult {
    fn domain_of(&self, names: &[&str]) -> Option<String> {
        let of = |name: &&str| self.properties.iter().find(|(key, _)| key == name);
        let (_, value) = names.iter().find_map(of)?;
        let domain = value.rsplit_once('@').map_or(value.as_str(), |(_, domain)| domain);
        Some(comparable(domain)).filter(|domain| !domain.is_empty())
    }
}

/// What the topmost Authentication-Results field says, where one of `servers` (authserv-ids) wrote it. `None` where
/// there is none, another server's stands above it, or it stands among what the author wrote.
#[must_use]
pub fn trusted_results(headers: &Headers, servers: &[String]) -> Option<Verdicts> {
    let above = headers.fields.iter().take_while(|(name, _)| !AUTHORS_FIELDS.contains(&name.as_str()));
    let (_, value) = above.into_iter().find(|(name, _)| name == "authentication-results")?;
    let (server, results) = read(value);
    let known = servers.iter().any(|one| one.eq_ignore_ascii_case(&server));
    known.then(|| verdicts(&results, server))
}

/// Method by method. One that occurs twice, DKIM apart, is ambiguous and says nothing.
fn verdicts(results: &[MethodResult], server: String) -> Verdicts {
    let once = |method: &str| {
        let mut found = results.iter().filter(|one| one.method == method);
        found.next().filter(|_| found.next().is_none())
    };
    let word = |one: Option<&MethodResult>| one.and_then(|one| Verdict::parse(&one.result));
    let (spf, dmarc) = (once("spf"), once("dmarc"));
    let signatures = || results.iter().filter(|one| one.method == "dkim");
    let passed = |one: &&MethodResult| Verdict::parse(&one.result) == Some(Verdict::Pass);
    let mut verdicts = Verdicts {
        spf: word(spf),
        spf_domain: spf.and_then(|one| one.domain_of(&["smtp.mailfrom", "smtp.mail", "smtp.helo"])),
        dkim: word(signatures().find(passed).or_else(|| signatures().next())),
        dmarc: word(dmarc),
        dmarc_domain: dmarc.and_then(|one| one.domain_of(&["header.from"])),
        arc: word(once("arc")),
        asserted_by: Some(server),
        ..Verdicts::default()
    };
    for domain in signatures().filter(passed).filter_map(|one| one.domain_of(&["header.d", "header.i"])) {
        verdicts.add_dkim_domain(&domain);
    }
    verdicts
}

/// The server's name and its results.
fn read(value: &str) -> (String, Vec<MethodResult>) {
    let mut parts = split(&without_comments(value), ';').into_iter();
    let first = parts.next().unwrap_or_default();
    // The name may be followed by a version. Where the first word is a result already, there is no name.
    let name = first.split_whitespace().next().unwrap_or_default().trim_matches('"').to_owned();
    let unnamed = name.contains('=');
    let rest = unnamed.then_some(first).into_iter().chain(parts);
    let results = rest.filter_map(|part| result(&part)).take(RESULTS_MAX).collect();
    (if unnamed { UNNAMED.to_owned() } else { name }, results)
}

/// `method[/version]=result [reason="..."] property=value ...`
fn result(part: &str) -> Option<MethodResult> {
    let mut pairs = pairs(part).into_iter();
    let (method, result) = pairs.next()?;
    let method = method.split('/').next().unwrap_or_default().to_owned();
    Some(MethodResult { method, result, properties: pairs.collect() })
}

/// `key = value` with white space anywhere around the sign; values may be quoted.
fn pairs(part: &str) -> Vec<(String, String)> {
    let mut words: Vec<String> = Vec::new();
    for word in split(part, ' ') {
        let word = word.trim();
        let joins = word.starts_with('=') || words.last().is_some_and(|last| last.ends_with('='));
        match words.last_mut() {
            Some(last) if joins && !word.is_empty() => last.push_str(word),
            _ if word.is_empty() => {}
            _ => words.push(word.to_owned()),
        }
    }
    let pair = |word: &String| {
        let (key, value) = word.split_once('=')?;
        Some((key.to_ascii_lowercase(), value.trim_matches('"').to_owned()))
    };
    words.iter().filter_map(pair).collect()
}

/// Takes out comments, which nest (RFC 5322 section 3.2.2); quoted strings stay whole.
fn without_comments(value: &str) -> String {
    let (mut out, mut depth, mut quoted, mut escaped) = (String::with_capacity(value.len()), 0_usize, false, false);
    for c in value.chars() {
        let plain = !std::mem::take(&mut escaped);
        match c {
            '\\' if plain && (quoted || depth > 0) => escaped = true,
            '"' if plain && depth == 0 => quoted = !quoted,
            '(' if plain && !quoted => depth += 1,
            ')' if plain && !quoted && depth > 0 => {
                depth -= 1;
                out.push(' ');
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            out.push(if c.is_whitespace() && !quoted { ' ' } else { c });
        }
    }
    out
}

/// Parts between separators that stand outside of quotes.
fn split(text: &str, separator: char) -> Vec<String> {
    let (mut parts, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for c in text.chars() {
        let plain = !std::mem::take(&mut escaped);
        escaped = c == '\\' && plain && quoted;
        if c == '"' && plain {
            quoted = !quoted;
        }
        match parts.last_mut() {
            Some(last) if c != separator || quoted => last.push(c),
            _ => parts.push(String::new()),
        }
    }
    parts
}

#[cfg(test)]
mod tests;
