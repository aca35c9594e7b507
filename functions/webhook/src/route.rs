//! Paths: `/inbound/{provider}[/<mailbox>][/mime]`, or `?mailbox=`.

use postern::{mailbox::MailboxId, providers::Provider};

/// A path, read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) provider: Provider,
    pub(crate) mailbox: Option<MailboxId>,
}

/// Reads a path and query; what is wrong comes back in words.
pub(crate) fn of(path: &str, query: Option<&str>) -> Result<Route, String> {
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    // Mailgun posts raw mail only to a URL that ends in `mime`: always that suffix, never a mailbox.
    if segments.last() == Some(&"mime") {
        segments.pop();
    }
    let (provider, mailbox) = match segments.as_slice() {
        ["inbound", provider] => (*provider, None),
        ["inbound", provider, mailbox] => (*provider, Some(*mailbox)),
        _ => return Err("unknown path; mail goes to POST /inbound/{provider}[/{mailbox}][/mime]".to_owned()),
    };
    let known = || Provider::ALL.map(Provider::name).join(", ");
    let provider = Provider::parse(provider).ok_or_else(|| format!("unknown provider; known are {}", known()))?;
    let queried = query.and_then(mailbox_of);
    let mailbox = match mailbox.map(str::to_owned).or(queried) {
        Some(text) => Some(MailboxId::parse(&text).ok_or("a mailbox id has 1 to 64 letters a-z, digits and hyphens")?),
        None => None,
    };
    Ok(Route { provider, mailbox })
}

fn mailbox_of(query: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, _)| *name == "mailbox").map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let mailgun =
            |mailbox: Option<&str>| Some((Provider::Mailgun, mailbox.map(|id| MailboxId::parse(id).unwrap())));
        for (path, query, expected) in [
            ("/inbound/mailgun", None, mailgun(None)),
            ("/inbound/mailgun/", None, mailgun(None)),
            ("/inbound/mailgun/mime", None, mailgun(None)),
            ("/inbound/mailgun/support/mime", None, mailgun(Some("support"))),
            ("/inbound/mailgun/support", None, mailgun(Some("support"))),
            ("/inbound/mailgun/mime", Some("x=1&mailbox=billing"), mailgun(Some("billing"))),
            ("/inbound/postmark", None, Some((Provider::Postmark, None))),
            ("/inbound/nobody", None, None),
            ("/inbound/mailgun/UPPER/mime", None, None),
            ("/inbound/mailgun/a/b", None, None),
            ("/inbound", None, None),
            ("/", None, None),
        ] {
            let read = of(path, query).ok().map(|route| (route.provider, route.mailbox));
            assert_eq!(read, expected, "{path} {query:?}");
        }
    }
}
