//! Whether the HTTP door answers, and whether it is ours that answers.

use std::time::Duration;

use serde_json::Value;

use super::Finding;

const CHECK: &str = "door";
/// API Gateway gives a function 30 seconds; a cold start takes under one.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Octets of an answer that are read.
const ANSWER_OCTETS_MAX: u64 = 64 * 1024;

/// Asks for a path that no provider uses: our answer is a 404 with a code of our own.
pub(super) async fn check(url: &str) -> Finding {
    let asked = url.to_owned();
    let answer = tokio::task::spawn_blocking(move || get(&asked)).await;
    match answer {
        Ok(Ok((status, body))) => judged(url, status, &body),
        Ok(Err(why)) => Finding::unknown(CHECK, &format!("{url} does not answer ({why})")),
        Err(error) => Finding::unknown(CHECK, &error),
    }
}

fn get(url: &str) -> Result<(u16, Value), String> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(TIMEOUT))
        .build();
    let answer = ureq::Agent::new_with_config(config).get(url).call();
    let mut answer = answer.map_err(|error| error.to_string())?;
    let body = answer.body_mut().with_config().limit(ANSWER_OCTETS_MAX).read_to_vec().unwrap_or_default();
    Ok((answer.status().as_u16(), serde_json::from_slice(&body).unwrap_or_default()))
}

fn judged(url: &str, status: u16, body: &Value) -> Finding {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    match (status, text("error")) {
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
