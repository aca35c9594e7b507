//! Structure: the octets of every leaf, attachments, subject, people, text.

use std::collections::HashMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{Case, Verdict, words::bare};

pub(crate) fn score(case: &Case, read: &Value) -> Verdict {
    let mut verdict = Verdict::default();
    if case.wanted("leaves").is_array() {
        leaves(case, &mut verdict);
    } else {
        attachments(case, read, &mut verdict);
        words(case, read, &mut verdict);
    }
    verdict
}

/// Digest of the octets without ASCII white space.
fn digest(octets: &[u8]) -> String {
    let bare: Vec<u8> = octets.iter().copied().filter(|octet| !octet.is_ascii_whitespace() && *octet != 0x0B).collect();
    data_encoding::HEXLOWER.encode(&Sha256::digest(&bare))
}

/// Every wanted leaf, each matched by one of ours.
fn leaves(case: &Case, verdict: &mut Verdict) {
    let mut ours: HashMap<String, usize> = HashMap::new();
    for leaf in postern::parse::leaves(&case.raw) {
        *ours.entry(digest(&leaf.octets)).or_default() += 1;
    }
    for wanted in case.wanted("leaves").as_array().into_iter().flatten() {
        let found = wanted["sha256_ws"].as_str().and_then(|sha| ours.get_mut(sha)).filter(|count| **count > 0);
        verdict.counts.push(("leaves", usize::from(found.is_some()), 1));
        match found {
            Some(count) => *count -= 1,
            None => verdict.failures.push(format!("no leaf of {} octets", wanted["size"])),
        }
    }
}

fn attachments(case: &Case, read: &Value, verdict: &mut Verdict) {
    let ours = read["attachments"].as_array().cloned().unwrap_or_default();
    for wanted in case.wanted("attachments").as_array().into_iter().flatten() {
        // `noname1` is the other reader's name for one without a name.
        let named = wanted["filename"].as_str().filter(|name| !name.starts_with("noname"));
        let found = ours.iter().any(|one| {
            one["size"] == wanted["size"] && named.is_none_or(|name| one["filename"].as_str() == Some(name))
        });
        verdict.counts.push(("attachments", usize::from(found), 1));
        if !found {
            verdict.failures.push(format!("no attachment {} of {} octets", wanted["filename"], wanted["size"]));
        }
    }
}

fn words(case: &Case, read: &Value, verdict: &mut Verdict) {
    let mut check = |what: &'static str, good: bool| {
        verdict.counts.push((what, usize::from(good), 1));
        if !good {
            verdict.failures.push(what.to_owned());
        }
    };
    let text = |value: &Value| bare(value.as_str().unwrap_or_default());
    check("subject", text(case.wanted("subject")) == text(&read["subject"]));
    let addresses = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().map(|one| text(&one["address"]).to_lowercase()).collect()
    };
    let from = addresses(case.wanted("from"));
    check("from", from.first().map(String::as_str) == Some(&text(&read["from"]["address"]).to_lowercase()));
    check("to", addresses(case.wanted("to")) == addresses(&read["to"]));
    for (what, got) in [("text", text(&read["text"])), ("html", raw_html(case))] {
        let wanted = case.wanted(what);
        let equal = wanted["equals"].as_str().is_none_or(|equals| what == "html" || bare(equals) == got);
        let contains = wanted["contains"].as_str().is_none_or(|piece| got.contains(&bare(piece)));
        check(what, equal && contains);
    }
}

/// HTML as it stands in the mail: what is printed is sanitised.
fn raw_html(case: &Case) -> String {
    let headers = postern::headers::scan(&case.raw);
    bare(&postern::parse::parse(&case.raw, &headers).html.unwrap_or_default())
}
