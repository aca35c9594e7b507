//! Whether the HTTP door answers, and whether it is ours that answers.

use serde_json::Value;

use super::Finding;
use crate::commands::probe;

const CHECK: &str = "door";

/// Asks for a path that no provider uses: our answer is a 404 with a code of our own.
pub(super) async fn check(url: &str) -> Finding {
    match probe::get(url).await {
        Ok((status, body)) => judged(url, status, &body),
        Err(why) => Finding::unknown(CHECK, &format!("{url} does not answer ({why})")),
    }
}

fn judged(url: &str, status: u16, body: &Value) -> Finding {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    match (status, probe::code(body)) {
        (404, "unknown-route") => Finding::ok(CHECK, format!("{url} is open")),
        (503, "not-ready") => {
            let found = format!("{url} answers 503: {}", text("message"));
            Finding::fail(CHECK, found, "providers try again for hours; deploy the stack again with that set right")
        }
        (403, _) => Finding::fail(
            CHECK,
            format!("something before the door of {url} answers 403"),
            "take it away: Postmark never tries again after a 403",
        ),
        (status, _) => Finding::fail(
            CHECK,
            format!("{url} answers {status}, and it is not our function that does"),
            "see the log of the webhook function, and the API's access log",
        ),
    }
}
