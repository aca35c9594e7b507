//! `store(notify="https://…")`: Mailgun keeps the mail, up to three days (routes documentation, "store"), and tells where.
//!
//! The form is not signed as a whole, so its `message-url` is anybody's word who holds one signature: it is taken only
//! where it leads to Mailgun, because the API key goes with the question.

use http::Uri;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{inbound::Fetch, providers::form::Form};

/// How long Mailgun keeps stored mail at least.
const KEPT: SignedDuration = SignedDuration::from_hours(72);
/// Hosts of Mailgun's API; storage stands below them (`storage-us-east4.api.mailgun.net`).
const HOSTS: [&str; 2] = ["api.mailgun.net", "api.eu.mailgun.net"];
/// Attachments named while the mail waits.
const NAMES_MAX: usize = 200;
/// Octets of a URL taken.
const URL_OCTETS_MAX: usize = 2_048;

/// Where the mail of a notification is; else slug and words.
pub(super) fn fetch(form: &Form, time: Timestamp) -> Result<Fetch, (&'static str, &'static str)> {
    let Some(url) = form.text("message-url").map(str::trim) else {
        let why = "this is the payload of store(), and where the mail is stored (message-url) is not in it; \
                   use store(notify=\"https://…/inbound/mailgun\") or forward(\"https://…/inbound/mailgun/mime\")";
        return Err(("no-message-url", why));
    };
    if !is_storage_url(url) {
        let why = "this is the payload of store(), and its message-url does not lead to https://*.api.mailgun.net or \
                   https://*.api.eu.mailgun.net: nothing is fetched from elsewhere";
        return Err(("message-url-elsewhere", why));
    }
    let listed: Vec<Value> =
        form.text("attachments").and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let sizes: Vec<u64> = listed.iter().filter_map(|one| one.get("size")?.as_u64()).collect();
    let names = listed.iter().filter_map(|one| one.get("name")?.as_str());
    Ok(Fetch {
        url: url.to_owned(),
        // Of its attachments: what is told of the mail's size, and less than it.
        size: (!sizes.is_empty()).then(|| sizes.iter().fold(0_u64, |sum, size| sum.saturating_add(*size))),
        attachments: names.take(NAMES_MAX).map(str::to_owned).collect(),
        until: time.saturating_add(KEPT).unwrap_or(time),
    })
}

/// True where a URL leads to Mailgun's storage, so that the API key may go with the question: `https`, a host at or below
/// `api.mailgun.net` or `api.eu.mailgun.net`, the usual port, no user.
#[must_use]
pub fn is_storage_url(url: &str) -> bool {
    if url.len() > URL_OCTETS_MAX || !url.bytes().all(|b| b.is_ascii_graphic()) || url.contains(['\\', '#']) {
        return false;
    }
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let (Some("https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let host = authority.as_str().strip_suffix(":443").unwrap_or(authority.as_str()).to_ascii_lowercase();
    let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let below = |api: &str| host == api || host.strip_suffix(api).is_some_and(|sub| sub.ends_with('.'));
    host.split('.').all(label) && HOSTS.into_iter().any(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mailguns_storage_is_asked() {
        for url in [
            "https://se.api.mailgun.net/v3/domains/mg.example.com/messages/KEY",
            "https://storage-us-east4.api.mailgun.net/v3/domains/mg.example.com/messages/KEY==",
            "https://sw.api.eu.mailgun.net:443/v3/x?y=z",
            "https://SE.API.MAILGUN.NET/v3/x",
            "https://api.mailgun.net/v3/x",
        ] {
            assert!(is_storage_url(url), "{url}");
        }
        for url in [
            "",
            "http://se.api.mailgun.net/v3/x",
            "https://storage.mailgun.net/v3/x",
            "https://api.mailgun.net.evil.example/v3/x",
            "https://evilapi.mailgun.net/v3/x",
            "https://evil-api.mailgun.net/v3/x",
            "https://.api.mailgun.net/v3/x",
            "https://se..api.mailgun.net/v3/x",
            "https://se.api.mailgun.net./v3/x",
            "https://se.api.mailgun.net:8443/v3/x",
            "https://se.api.mailgun.net:/v3/x",
            "https://user@se.api.mailgun.net/v3/x",
            "https://se.api.mailgun.net@evil.example/v3/x",
            "https://se.api.mailgun.net:x@evil.example/v3/x",
            "https://evil.example/se.api.mailgun.net",
            "https://evil.example?.api.mailgun.net",
            "https://evil.example#.api.mailgun.net",
            "https://evil.example\\.api.mailgun.net/",
            "https://evil.example%2f.api.mailgun.net/",
            "https://[::1].api.mailgun.net/",
            "https://se.api.mailgun.net/v3/x y",
            "https://se.api.mailgun.net/v3/x\r\nHost: evil.example",
            "//se.api.mailgun.net/v3/x",
            "se.api.mailgun.net/v3/x",
            "https:se.api.mailgun.net/v3/x",
            "file:///etc/passwd",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert!(!is_storage_url(url), "{url}");
        }
        assert!(!is_storage_url(&format!("https://se.api.mailgun.net/{}", "x".repeat(3_000))));
    }
}
