//! Bounces: recognised, and all recipients told.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Case, Verdict};

pub(crate) fn score(case: &Case, read: &Value) -> Verdict {
    let mut verdict = Verdict::default();
    let is_bounce = read["kind"] == "bounce";
    // Null: the set does not say (a person, or an autoresponder, that its own reader takes for none).
    let known = case.wanted("is_bounce").as_bool().is_none_or(|wanted| wanted == is_bounce);
    if !known {
        verdict.failures.push(format!("kind {}", read["kind"]));
    }
    let (wanted, told) = (set(case.wanted("recipients")), set(&read["bounce"]["recipients"]));
    if wanted != told {
        verdict.failures.push(format!("wanted {wanted:?}, told {told:?}"));
    }
    verdict.counts = vec![
        ("told from other mail", usize::from(known), 1),
        ("recipients", usize::from(wanted == told), 1),
        ("recipient addresses", wanted.intersection(&told).count(), wanted.len()),
    ];
    verdict
}

fn set(list: &Value) -> BTreeSet<String> {
    let each = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    each.map(|address| address.trim_matches(['<', '>']).to_ascii_lowercase()).collect()
}
