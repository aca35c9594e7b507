//! What is to be pasted where at each provider (docs/PROVIDERS.md has it step by step).

use postern::{
    address::AddrSpec,
    door::{Door, Provider, Region},
    mailbox::{AddressPattern, Mailbox, Mailboxes, ReplyMode},
};

/// URL, instructions and limit of a door.
#[derive(Debug)]
pub(in crate::commands) struct Paste {
    /// What the provider posts to.
    pub(in crate::commands) at: String,
    /// What is to be done there.
    pub(in crate::commands) there: Vec<String>,
    /// Largest mail.
    pub(in crate::commands) limit: &'static str,
}

/// What is to be done at a door's provider. `place` = the options that name the system, for commands to type.
pub(in crate::commands) fn of(door: &Door, url: &str, place: &str, mailboxes: &Mailboxes) -> Paste {
    let url = format!("{}/inbound/{}", url.trim_end_matches('/'), door.id);
    let served: Vec<&Mailbox> =
        mailboxes.iter().filter(|mailbox| door.mailbox.as_ref().is_none_or(|id| *id == mailbox.id)).collect();
    match door.provider {
        Provider::Mailgun => mailgun(door, &url, place, &served),
        Provider::Postmark => postmark(url),
        Provider::Sendgrid => sendgrid(door, url, place, &served),
        Provider::Ses => sns(door, url, place),
        Provider::Raw => raw(url),
        Provider::Imap => imap(door, place),
    }
}

fn imap(door: &Door, place: &str) -> Paste {
    let id = &door.id;
    let at = door.imap.as_ref().map(|imap| format!("{} at {}:{}", imap.user, imap.host, imap.port()));
    Paste {
        at: at.unwrap_or_default(),
        there: vec![format!(
            "it is polled every minute; `postern door test {id}{place}` says whether all works for that"
        )],
        limit: "64 MB a mail",
    }
}

fn mailgun(door: &Door, url: &str, place: &str, served: &[&Mailbox]) -> Paste {
    let id = &door.id;
    let region = match door.region {
        Region::Us => "",
        Region::Eu => " (EU)",
    };
    let mut there = vec![
        format!("Receiving > Routes > Create route, expression: {}", expressions(served)),
        format!("action: forward(\"{url}/mime\")"),
        format!("or, for mail above the limit below: action store(notify=\"{url}\") instead; it needs {id}.api_keys"),
        "the secret is the HTTP webhook signing key (Sending > Webhooks), not the API key".to_owned(),
    ];
    there.push(if door.domains.is_empty() {
        format!("to look for what the webhook missed: postern door set {id} --domain DOMAIN{place}, and {id}.api_keys")
    } else {
        format!("stored mail of {}{region} is gone through for what the webhook missed", door.domains.join(", "))
    });
    Paste {
        at: format!("{url}/mime"),
        there,
        limit: "about 4.4 MB a mail by forward (6 MB a request in AWS Lambda); more is refused with 413, as Mailgun's log \
                shows. By store(notify): 25 MB",
    }
}

fn postmark(url: String) -> Paste {
    Paste {
        there: vec![
            format!("inbound stream > Settings > webhook URL: {}", with_login(&url)),
            "tick: Include raw email content in JSON payload".to_owned(),
            "USER:PASSWORD is the secret; both are yours to choose, the password at least 24 random characters"
                .to_owned(),
        ],
        at: url,
        limit: "about 2.8 MB a mail (6 MB a request in AWS Lambda, and Postmark sends its parts twice); more: 413",
    }
}

fn sendgrid(door: &Door, url: String, place: &str, served: &[&Mailbox]) -> Paste {
    let id = &door.id;
    Paste {
        there: vec![
            format!("DNS: {}. MX 10 mx.sendgrid.net. (it takes all mail of that name)", domains(served).join(", ")),
            format!("Settings > Inbound Parse > Add Host & URL, destination URL: {url}"),
            "tick: POST the raw, full MIME message".to_owned(),
            format!(
                "proof, one of: a security policy with signature, its public key as {id}.verification_keys{place}; or the \
                 URL {} with {id}.credentials",
                with_login(&url)
            ),
        ],
        at: url,
        limit: "about 4.4 MB a mail (6 MB a request in AWS Lambda); more is refused with 413, and SendGrid drops it",
    }
}

fn sns(door: &Door, url: String, place: &str) -> Paste {
    let id = &door.id;
    let allow = if door.topics.is_empty() {
        format!("allow the topic first, or nothing is confirmed: postern door set {id} --topic ARN{place}")
    } else {
        format!("topics that may deliver: {}", door.topics.join(", "))
    };
    let topic = door.topics.first().map_or("ARN", String::as_str);
    Paste {
        there: vec![
            allow,
            "a stack confirms topics that its parameter SnsTopics names; deploy with it first".to_owned(),
            format!("aws sns subscribe --topic-arn {topic} --protocol https --notification-endpoint {url}"),
            "raw message delivery stays off: what is signed is the envelope. The subscription is confirmed by itself"
                .to_owned(),
        ],
        at: url,
        limit: "the receipt rule's SNS action: 150 KB a mail; its S3 action to the bucket of this stack: 40 MB",
    }
}

fn raw(url: String) -> Paste {
    Paste {
        there: vec![
            format!("POST {url}, Content-Type: message/rfc822, the mail as body; anything but 200: keep it, try again"),
            "X-Postern-Mail-From and X-Postern-Rcpt-To: the envelope".to_owned(),
            "proof, one of: Authorization: Bearer KEY; or X-Postern-Timestamp and X-Postern-Signature (docs/PROVIDERS.md)"
                .to_owned(),
        ],
        at: url,
        limit: "about 4.4 MB a mail (6 MB a request in AWS Lambda); more: 413",
    }
}

fn with_login(url: &str) -> String {
    url.replacen("://", "://USER:PASSWORD@", 1)
}

/// Mailgun's expression for every address of theirs, with the signed reply addresses and patterns.
fn expressions(served: &[&Mailbox]) -> String {
    let one = |address: &AddrSpec, tag: &str| {
        format!("match_recipient(\"{}{tag}@{}\")", escaped(address.local_part()), escaped(address.domain()))
    };
    let of_pattern = |pattern: &AddressPattern| match pattern {
        AddressPattern::Tagged(base) => one(base, "\\+.+"),
        AddressPattern::Domain(domain) => format!("match_recipient(\".*@{}\")", escaped(domain)),
    };
    let of = served.iter().flat_map(|mailbox| {
        let tag = if mailbox.reply_mode == ReplyMode::Plus { "(\\+.*)?" } else { "" };
        let addresses = mailbox.addresses.iter().map(move |address| one(address, tag));
        let tags = mailbox.reply_subdomain();
        let tags = tags.map(|domain| format!("match_recipient(\".*@{}\")", escaped(&domain)));
        addresses.chain(tags).chain(mailbox.patterns.iter().map(of_pattern))
    });
    of.collect::<Vec<_>>().join(" or ")
}

/// An address part as it stands in a regular expression.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, c| {
        if !c.is_alphanumeric() && !matches!(c, '-' | '_' | '@') {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}

/// Domains of all their addresses and patterns, each once.
pub(in crate::commands) fn domains(served: &[&Mailbox]) -> Vec<String> {
    let of = |mailbox: &&Mailbox| {
        let addresses = mailbox.addresses.iter().map(|address| address.domain().to_owned());
        let patterns = mailbox.patterns.iter().map(|pattern| match pattern {
            AddressPattern::Tagged(base) => base.domain().to_owned(),
            AddressPattern::Domain(domain) => domain.clone(),
        });
        addresses.chain(patterns).chain(mailbox.reply_subdomain()).collect::<Vec<_>>()
    };
    let mut domains: Vec<String> = served.iter().flat_map(of).collect();
    domains.sort();
    domains.dedup();
    domains
}

#[cfg(test)]
mod tests {
    use super::*;
    use postern::mailbox::MailboxId;

    #[test]
    fn an_address_stands_in_an_expression_as_itself() {
        assert_eq!(escaped("first.last+x"), "first\\.last\\+x");
        assert_eq!(escaped("a-b_c@d"), "a-b_c@d");
    }

    #[test]
    fn a_route_matches_addresses_and_patterns() {
        let address = AddrSpec::parse("help@x.example").unwrap();
        let mailbox = Mailbox::new(MailboxId::parse("help").unwrap(), address, "INC");
        let patterns = ["*@y.example", "sales+*@x.example"].map(|text| AddressPattern::parse(text).unwrap());
        let mailbox = Mailbox { patterns: patterns.to_vec(), ..mailbox };
        assert_eq!(
            expressions(&[&mailbox]),
            "match_recipient(\"help(\\+.*)?@x\\.example\") or match_recipient(\".*@y\\.example\") or \
             match_recipient(\"sales\\+.+@x\\.example\")"
        );
        assert_eq!(domains(&[&mailbox]), ["x.example", "y.example"]);
    }
}
