//! The visible reply: exact rows, words lost, words leaked.

use regex::RegexBuilder;
use serde_json::Value;

use crate::{
    Case, Verdict,
    words::{bare, found_in},
};

pub(crate) fn score(case: &Case, read: &Value) -> Verdict {
    let reply = read["reply"].as_str().unwrap_or_default();
    let text = read["text"].as_str().unwrap_or_default();
    let mut verdict = Verdict::default();
    exact(case, reply, &mut verdict);
    for wanted in strings(case.wanted("reply_contains")) {
        let (found, all) = found_in(wanted, reply);
        verdict.counts.push(("words kept", found, all));
        if !bare(reply).contains(&bare(wanted)) {
            verdict.failures.push(format!("lacks {wanted:?}"));
        }
    }
    for unwanted in strings(case.wanted("reply_not_contains")) {
        if bare(reply).contains(&bare(unwanted)) {
            verdict.failures.push(format!("leaks {unwanted:?}"));
        }
    }
    let patterns = strings(case.wanted("reply_re")).chain(strings(case.wanted("reply_re_all")));
    for pattern in patterns {
        if !RegexBuilder::new(pattern).multi_line(true).build().is_ok_and(|regex| regex.is_match(reply)) {
            verdict.failures.push(format!("does not match {pattern:?}"));
        }
    }
    if case.wanted("nothing_stripped") == true && bare(reply) != bare(text) {
        verdict.failures.push("something was stripped".to_owned());
    }
    verdict
}

/// Rows that give the whole text: `reply_text`, or for HTML `reply_text_nows`, which has no white space.
fn exact(case: &Case, reply: &str, verdict: &mut Verdict) {
    if let Some(wanted) = case.wanted("reply_text").as_str() {
        let (kept, all) = found_in(wanted, reply);
        let (right, told) = found_in(reply, wanted);
        verdict.counts.extend([("words kept", kept, all), ("words right", right, told)]);
    }
    let whole = case.wanted("reply_text").as_str().or_else(|| case.wanted("reply_text_nows").as_str());
    if let Some(wanted) = whole {
        let equal = bare(wanted) == bare(reply);
        verdict.counts.push(("exact", usize::from(equal), 1));
        if !equal {
            verdict.failures.push("not exact".to_owned());
        }
    }
}

/// A string, or a list of them.
fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_str().into_iter().chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
}
