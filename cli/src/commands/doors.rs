//! `doors`: each way in, what to paste where at the provider, and whether it is open.

use postern::{
    address::AddrSpec,
    mailbox::{Mailboxes, ReplyMode},
};
use serde::Serialize;

use super::{
    Output, pretty,
    secret::{MAILGUN, Name, POSTMARK, Vault},
};
use crate::{
    args,
    local::{self, Local},
    stack::Stack,
};

/// Where a `dev` without --port listens.
const DEV_URL: &str = "http://127.0.0.1:8080";

/// One way in.
#[derive(Debug, Serialize)]
struct Door {
    provider: &'static str,
    /// What the provider posts to, or the record that leads mail here.
    at: String,
    secret: Option<Credentials>,
    /// What is to be done at the provider.
    there: Vec<String>,
    limit: &'static str,
}

/// What of a door's secret can be told.
#[derive(Debug, Serialize)]
struct Credentials {
    name: &'static str,
    /// `None` where the secret could not be read.
    live: Option<usize>,
    fingerprints: Vec<String>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
}

impl Credentials {
    async fn of(vault: &Vault, name: Name) -> Self {
        let read = vault.read().await.and_then(|held| name.fingerprints(&held.json));
        let (marks, unknown) = match read {
            Ok(marks) => (Some(marks), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        let live = marks.as_ref().map(Vec::len);
        Self { name: name.name, live, fingerprints: marks.unwrap_or_default(), unknown }
    }

    fn shown(&self, place: &str) -> String {
        let name = self.name;
        match (self.live, &self.unknown) {
            (Some(0), _) => {
                format!("{name} is not set: every mail is refused (503) until `postern secret set {name} -{place}`")
            }
            (Some(live), _) => format!("{name}: {live} live ({})", self.fingerprints.join(", ")),
            (None, why) => format!("{name}: unknown, {}", why.as_deref().unwrap_or_default()),
        }
    }
}

/// Lists the doors.
///
/// # Errors
/// The stack or data directory cannot be opened. A secret that cannot be read is told in its line.
pub async fn doors(args: &args::Doors) -> anyhow::Result<Output> {
    let common = &args.common;
    let (doors, place, head) = match &common.aws.stack {
        Some(name) => {
            let stack = Box::pin(Stack::find(name, &common.aws)).await?;
            (Box::pin(of_stack(&stack)).await?, format!(" --stack {name}"), String::new())
        }
        None => Box::pin(of_data(common)).await?,
    };
    if common.json {
        return Ok(Output::ok(pretty(&serde_json::json!({ "doors": doors }))?));
    }
    let mut text = head;
    for door in &doors {
        text.push_str(&format!("{:<11} {}\n", door.provider, door.at));
        let secret = door.secret.as_ref().map(|secret| secret.shown(&place));
        let rows = secret.iter().map(|line| ("secret", line.as_str()));
        let rows = rows.chain(door.there.iter().map(|line| ("there", line.as_str()))).chain([("limit", door.limit)]);
        let mut last = "";
        for (label, line) in rows {
            text.push_str(&format!("  {:<9} {line}\n", if label == last { "" } else { label }));
            last = label;
        }
    }
    Ok(Output::ok(text))
}

async fn of_stack(stack: &Stack) -> anyhow::Result<Vec<Door>> {
    let vault = Vault::of_stack(stack)?;
    let mailboxes = stack.defaults()?.mailboxes;
    let mut doors = over_http(stack.output("ApiUrl")?, &vault, &mailboxes).await;
    doors.push(ses(stack, &mailboxes));
    Ok(doors)
}

/// The doors of a data directory, the options that name it, and the line above the list.
async fn of_data(common: &args::Common) -> anyhow::Result<(Vec<Door>, String, String)> {
    let system = Local::existing(&common.data).await?;
    let mailboxes = system.ingest.mailboxes.clone();
    system.close().await;
    let running = local::running_door(&common.data).await?;
    let head = match &running {
        Some(url) => format!("`postern dev` runs at {url}; a provider reaches it through a tunnel of yours only\n"),
        None => "no `postern dev` runs on this data directory; it opens these doors\n".to_owned(),
    };
    let vault = Vault::of_data(&common.data);
    let doors = over_http(running.as_deref().unwrap_or(DEV_URL), &vault, &mailboxes).await;
    Ok((doors, format!(" --data {}", common.data.display()), head))
}

async fn over_http(url: &str, vault: &Vault, mailboxes: &Mailboxes) -> Vec<Door> {
    let url = url.trim_end_matches('/');
    let mailgun = format!("{url}/inbound/mailgun/mime");
    let postmark = format!("{url}/inbound/postmark");
    let login = postmark.replacen("://", "://USER:PASSWORD@", 1);
    let to = expressions(mailboxes);
    vec![
        Door {
            provider: "Mailgun",
            secret: Some(Credentials::of(vault, MAILGUN).await),
            there: vec![
                format!("Receiving > Routes > Create route, expression: {to}"),
                format!("action: forward(\"{mailgun}\")"),
                "the secret is the HTTP webhook signing key (Sending > Webhooks), not the API key".to_owned(),
            ],
            at: mailgun,
            limit: "about 4.4 MB a mail (6 MB a request in AWS Lambda); more is refused with 413, as Mailgun's log shows",
        },
        Door {
            provider: "Postmark",
            secret: Some(Credentials::of(vault, POSTMARK).await),
            there: vec![
                format!("inbound stream > Settings > webhook URL: {login}"),
                "tick: Include raw email content in JSON payload".to_owned(),
                "USER:PASSWORD is the secret; both are yours to choose, the password at least 24 random characters"
                    .to_owned(),
            ],
            at: postmark,
            limit: "about 2.8 MB a mail (6 MB a request in AWS Lambda, and Postmark sends its parts twice); more: 413",
        },
    ]
}

/// Mailgun's expression for every address of ours, with its signed reply addresses.
fn expressions(mailboxes: &Mailboxes) -> String {
    let one = |address: &AddrSpec, tagged: bool| {
        let tag = if tagged { "(\\+.*)?" } else { "" };
        format!("match_recipient(\"{}{tag}@{}\")", escaped(address.local_part()), escaped(address.domain()))
    };
    let of = mailboxes.iter().flat_map(|mailbox| {
        let tagged = mailbox.reply_mode == ReplyMode::Plus;
        mailbox.addresses.iter().map(move |address| one(address, tagged))
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

fn ses(stack: &Stack, mailboxes: &Mailboxes) -> Door {
    const LIMIT: &str = "40 MB a mail";
    if !stack.receives_by_ses() {
        let there = vec!["deploy the stack with EnableSes=true to receive by it".to_owned()];
        return Door { provider: "Amazon SES", at: "off".to_owned(), secret: None, there, limit: LIMIT };
    }
    let domains = mail_domains(stack, mailboxes).join(", ");
    let host = inbound_host(&stack.region);
    let rule_set = stack.output("ReceiptRuleSet").unwrap_or("(no output ReceiptRuleSet)");
    let region = &stack.region;
    Door {
        provider: "Amazon SES",
        at: format!("MX 10 {host} for {domains}"),
        secret: None,
        there: vec![
            format!("SES: {domains} must be a verified identity in {region}"),
            format!(
                "DNS: that MX record takes all mail of {domains}; use a subdomain where people have mailboxes on the domain"
            ),
            format!(
                "a region has one active rule set, and activating {rule_set} switches off another that is active; look first:"
            ),
            format!("aws ses describe-active-receipt-rule-set --region {region}"),
            format!("aws ses set-active-receipt-rule-set --rule-set-name {rule_set} --region {region}"),
        ],
        limit: LIMIT,
    }
}

/// Where SES receives mail for a region (Amazon SES developer guide, "Email receiving endpoints").
pub(super) fn inbound_host(region: &str) -> String {
    format!("inbound-smtp.{region}.amazonaws.com")
}

/// Domains whose mail comes by SES: `MailDomain`, else those of the mailboxes' addresses.
pub(super) fn mail_domains(stack: &Stack, mailboxes: &Mailboxes) -> Vec<String> {
    if let Some(domains) = stack.parameter("MailDomain") {
        // With a dot in front a receipt rule means the subdomains.
        let domains = domains.split(',').map(|domain| domain.trim().trim_start_matches('.').to_owned());
        return domains.filter(|domain| !domain.is_empty()).collect();
    }
    let mut domains: Vec<String> =
        mailboxes.iter().flat_map(|mailbox| &mailbox.addresses).map(|address| address.domain().to_owned()).collect();
    domains.sort();
    domains.dedup();
    domains
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_in_an_expression_as_itself() {
        assert_eq!(escaped("first.last+x"), "first\\.last\\+x");
        assert_eq!(escaped("a-b_c@d"), "a-b_c@d");
    }
}
