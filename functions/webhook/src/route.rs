//! Paths: `/inbound/{door}[/<mailbox>][/mime]`, or `?mailbox=`; and the spellings of systems that people come from.

use http::HeaderMap;
use percent_encoding::percent_decode_str;

/// In whose spelling a request came, and is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Ours.
    Postern,
    /// Escalated's: snake and camel case, whole numbers.
    Escalated,
    /// OpsWeave's routes.
    OpsWeave,
}

/// A path, read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// Id of the door; `None` where the route leaves it to the configuration.
    pub(crate) door: Option<String>,
    pub(crate) mailbox: Option<String>,
    /// A token in the query, as Escalated's Postmark webhook may carry it.
    pub(crate) token: Option<String>,
    pub(crate) style: Style,
}

/// Reads a path, query and header; what is wrong comes back in words.
pub(crate) fn of(path: &str, query: Option<&str>, headers: &HeaderMap) -> Result<Route, String> {
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    // Mailgun posts raw mail only to a URL that ends in `mime`: always that suffix, never a mailbox.
    if segments.last() == Some(&"mime") {
        segments.pop();
    }
    let query = |name: &str| parameter(query.unwrap_or_default(), name);
    let route = |door: &str, mailbox: Option<String>, style| {
        let token = query("token").filter(|_| style == Style::Escalated);
        Ok(Route { door: Some(door.to_owned()), mailbox: mailbox.or_else(|| query("mailbox")), token, style })
    };
    match segments.as_slice() {
        ["inbound", door] => route(door, None, Style::Postern),
        ["inbound", door, mailbox] => route(door, Some((*mailbox).to_owned()), Style::Postern),
        ["support", "inbound", door @ ("mailgun" | "postmark" | "ses")] => route(door, None, Style::Escalated),
        ["support" | "escalated", "webhook", "email", "inbound"] => {
            let header = headers.get("x-escalated-adapter").and_then(|value| value.to_str().ok()).map(str::to_owned);
            let door = query("adapter").or(header).map(|adapter| adapter.trim().to_ascii_lowercase());
            Ok(Route { door, mailbox: query("mailbox"), token: query("token"), style: Style::Escalated })
        }
        ["api", "v1", "email", "webhook"] => ops_weave(query("provider"), query("config_id"), query("mailbox")),
        _ => Err("unknown path; mail goes to POST /inbound/{door}[/{mailbox}][/mime]".to_owned()),
    }
}

/// `?provider=&config_id=`: the configuration's id is the id of a door here, else of a mailbox.
fn ops_weave(provider: Option<String>, config: Option<String>, mailbox: Option<String>) -> Result<Route, String> {
    let provider = provider.ok_or("?provider= is missing: mailgun, sendgrid or smtp_gateway")?;
    let door = match provider.as_str() {
        "mailgun" | "webhook_mailgun" => "mailgun",
        "sendgrid" | "webhook_sendgrid" => "sendgrid",
        "smtp_gateway" => "raw",
        _ => return Err("unknown provider; known are mailgun, sendgrid and smtp_gateway".to_owned()),
    };
    // The door is looked for under the configuration's id first; see `App::knock`.
    let mailbox = config.map(|id| id.to_ascii_lowercase()).or(mailbox);
    Ok(Route { door: Some(door.to_owned()), mailbox, token: None, style: Style::OpsWeave })
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.into_iter().find(|(n, _)| *n == name)?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, query: Option<&str>, adapter: Option<&'static str>) -> Option<(String, String, Style)> {
        let mut headers = HeaderMap::new();
        if let Some(adapter) = adapter {
            headers.insert("x-escalated-adapter", http::HeaderValue::from_static(adapter));
        }
        let route = of(path, query, &headers).ok()?;
        Some((route.door.unwrap_or_default(), route.mailbox.unwrap_or_default(), route.style))
    }

    #[test]
    fn paths() {
        let ours = |door: &str, mailbox: &str| Some((door.to_owned(), mailbox.to_owned(), Style::Postern));
        for (path, query, expected) in [
            ("/inbound/mailgun", None, ours("mailgun", "")),
            ("/inbound/mailgun/", None, ours("mailgun", "")),
            ("/inbound/mailgun/mime", None, ours("mailgun", "")),
            ("/inbound/mailgun/support/mime", None, ours("mailgun", "support")),
            ("/inbound/mailgun/support", None, ours("mailgun", "support")),
            ("/inbound/mailgun/mime", Some("x=1&mailbox=billing"), ours("mailgun", "billing")),
            ("/inbound/mailgun-eu/mime", None, ours("mailgun-eu", "")),
            ("/inbound/mailgun/a/b", None, None),
            ("/inbound", None, None),
            ("/", None, None),
        ] {
            assert_eq!(read(path, query, None), expected, "{path} {query:?}");
        }
    }

    #[test]
    fn spellings_that_people_bring_along() {
        let escalated = |door: &str| Some((door.to_owned(), String::new(), Style::Escalated));
        let weave = |door: &str, id: &str| Some((door.to_owned(), id.to_owned(), Style::OpsWeave));
        let webhook = "/api/v1/email/webhook";
        for (path, query, adapter, expected) in [
            ("/support/inbound/mailgun", None, None, escalated("mailgun")),
            ("/support/inbound/ses", None, None, escalated("ses")),
            ("/support/inbound/raw", None, None, None),
            ("/support/webhook/email/inbound", Some("adapter=Postmark"), None, escalated("postmark")),
            ("/escalated/webhook/email/inbound", None, Some("mailgun"), escalated("mailgun")),
            ("/escalated/webhook/email/inbound", Some("adapter=postmark"), Some("mailgun"), escalated("postmark")),
            ("/support/webhook/email/inbound", None, None, escalated("")),
            (webhook, Some("provider=webhook_mailgun&config_id=7F-1"), None, weave("mailgun", "7f-1")),
            (webhook, Some("provider=sendgrid"), None, weave("sendgrid", "")),
            (webhook, Some("provider=smtp_gateway&mailbox=a"), None, weave("raw", "a")),
            (webhook, Some("provider=imap"), None, None),
            (webhook, None, None, None),
        ] {
            assert_eq!(read(path, query, adapter), expected, "{path} {query:?}");
        }
    }
}
