//! `doctor`: what is missing or wrong, one line a check. Each check is independent: one that cannot be made says which
//! permission it lacks, and the others go on.

mod configured;
mod door;
mod mx;
mod of_data;
mod of_stack;
mod polled;
mod receiving;

use serde::Serialize;

use super::{Attention, Output, exit, pretty};
use crate::args;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Ok,
    /// Mail comes in, but somebody should look; or it could not be found out.
    Warn,
    /// Mail is lost on the way, refused or left lying.
    Fail,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    /// What was found.
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    todo: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Ok, found: found.into(), todo: None }
    }

    fn warn(check: &'static str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check, state: State::Warn, found: found.into(), todo: Some(todo.into()) }
    }

    fn fail(check: &'static str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check, state: State::Fail, found: found.into(), todo: Some(todo.into()) }
    }

    /// A check that could not be made.
    fn unknown(check: &'static str, why: &dyn std::fmt::Display) -> Self {
        Self { check, state: State::Warn, found: format!("not checked: {why}"), todo: None }
    }
}

/// Looks at everything.
///
/// # Errors
/// `--resolver` names no server. What is wrong with the system is a finding, not an error.
pub async fn doctor(args: &args::Doctor) -> anyhow::Result<Output> {
    let resolver = mx::server(args.resolver.as_deref())?;
    let findings = match &args.common.aws.stack {
        Some(name) => Box::pin(of_stack::findings(name, &args.common.aws, resolver)).await,
        None => Box::pin(of_data::findings(&args.common.data)).await,
    };
    let count = |state| findings.iter().filter(|finding| finding.state == state).count();
    let (failed, warnings) = (count(State::Fail), count(State::Warn));
    let text = if args.common.json {
        pretty(&serde_json::json!({ "findings": findings, "failed": failed, "warnings": warnings }))?
    } else {
        let lines: String = findings.iter().map(line).collect();
        format!("{lines}{failed} failed, {warnings} to look at\n")
    };
    Ok(Output { text, trouble: String::new(), code: if failed == 0 { exit::OK } else { exit::REFUSED } })
}

fn line(finding: &Finding) -> String {
    let state = match finding.state {
        State::Ok => "ok",
        State::Warn => "warn",
        State::Fail => "FAIL",
    };
    let todo = finding.todo.as_ref().map(|todo| format!(" -> {todo}")).unwrap_or_default();
    format!("{state:<5} {:<12} {}{todo}\n", finding.check, finding.found)
}

/// Mail that waits.
fn waiting(found: anyhow::Result<Attention>, place: &str) -> Vec<Finding> {
    const CHECK: &str = "mail";
    let Attention { held, failed, queued } = match found {
        Ok(found) => found,
        Err(error) => return vec![Finding::unknown(CHECK, &format!("{:#}", crate::stack::trouble::in_words(error)))],
    };
    let mut findings = Vec::new();
    if failed > 0 {
        let found = format!("{failed} failed: safe, but no ticket came of it");
        findings.push(Finding::warn(CHECK, found, format!("postern mail{place} says why; postern redrive{place}")));
    }
    if held > 0 {
        let found = format!("{held} held until somebody decides");
        findings.push(Finding::warn(CHECK, found, format!("postern hold list{place}")));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, format!("none held, none failed, {queued} not decided yet")));
    }
    findings
}

/// True where an error is a missing permission of the person who looks: no fault of the system.
fn is_denied(error: &anyhow::Error) -> bool {
    use crate::stack::trouble::AwsTrouble;
    matches!(error.downcast_ref(), Some(AwsTrouble::Denied { .. } | AwsTrouble::NoAnswer { .. }))
}
