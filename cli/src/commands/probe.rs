//! Asking the HTTP door for an answer that only it gives.

use std::time::Duration;

use serde_json::Value;

/// API Gateway gives a function 30 seconds; a cold start takes under one.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Octets of an answer that are read.
const ANSWER_OCTETS_MAX: u64 = 64 * 1024;

/// Status and JSON body of a GET; redirects are not followed.
///
/// # Errors
/// Why there is no answer.
pub(super) async fn get(url: &str) -> Result<(u16, Value), String> {
    let url = url.to_owned();
    match tokio::task::spawn_blocking(move || ask(&url)).await {
        Ok(answer) => answer,
        Err(error) => Err(error.to_string()),
    }
}

fn ask(url: &str) -> Result<(u16, Value), String> {
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

/// The code of an error that our door answers with; empty where another answers.
pub(super) fn code(body: &Value) -> &str {
    body.get("error").and_then(Value::as_str).unwrap_or_default()
}
