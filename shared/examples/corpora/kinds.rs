//! Human and list mail: none of it may count as a bounce, an answer of a machine, or a loop.

use serde_json::Value;

use crate::{Case, Verdict};

pub(crate) fn score(_case: &Case, read: &Value) -> Verdict {
    let kind = read["kind"].as_str().unwrap_or_default();
    let misread = matches!(kind, "bounce" | "auto_reply" | "loop");
    let mut verdict = Verdict { counts: vec![("misread", usize::from(misread), 1)], ..Verdict::default() };
    for (name, label) in [("human", "human"), ("list", "list"), ("auto_generated", "auto_generated")] {
        verdict.counts.push((label, usize::from(kind == name), 1));
    }
    if misread {
        verdict.failures.push(format!("{kind} {}", read["kind_reasons"]));
    }
    verdict
}
