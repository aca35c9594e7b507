//! `doors`: each way in, what to paste where at the provider, and whether it is open.

pub(super) mod paste;

use postern::{door::Door, mailbox::Mailboxes};
use serde::Serialize;

use super::{
    Output, pretty,
    secret::{Name, Vault, label},
    settings,
};
use crate::{
    args,
    local::running_door,
    setup::{Setup, Site, Source, View},
    stack::Stack,
};

/// Where a `dev` without --port listens.
const DEV_URL: &str = "http://127.0.0.1:8080";

/// One way in.
#[derive(Debug, Serialize)]
struct Way {
    /// Id of the door; none where mail comes without HTTP.
    door: Option<String>,
    provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    enabled: bool,
    /// The mailbox that all its mail is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    mailbox: Option<String>,
    /// What the provider posts to, or the record that leads mail here.
    at: String,
    secrets: Vec<Credentials>,
    /// What is to be done at the provider.
    there: Vec<String>,
    limit: &'static str,
}

/// What of a door's secret can be told.
#[derive(Debug, Serialize)]
pub(super) struct Credentials {
    name: String,
    means: &'static str,
    /// The door takes mail that one of them proves.
    opens: bool,
    /// `None` where the secret could not be read.
    live: Option<usize>,
    fingerprints: Vec<String>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
    /// Nobody is refused without it: nobody comes.
    #[serde(skip)]
    polled: bool,
}

/// The operator's secret, or why it could not be read.
pub(super) struct Held(Result<serde_json::Value, String>);

impl Held {
    pub(super) async fn read(vault: anyhow::Result<Vault>) -> Self {
        let read = match vault {
            Ok(vault) => vault.read().await,
            Err(error) => Err(error),
        };
        Self(read.map(|held| held.json).map_err(|error| format!("{error:#}")))
    }

    /// What is live at a door, in the order of its lists.
    pub(super) fn of_door(&self, door: &Door) -> Vec<Credentials> {
        let polled = door.imap.is_some();
        let of = |name: Name| {
            let read = self.0.as_ref().map_err(Clone::clone);
            let read = read.and_then(|json| name.fingerprints(json).map_err(|error| error.to_string()));
            let (marks, unknown) = match read {
                Ok(marks) => (Some(marks), None),
                Err(why) => (None, Some(why)),
            };
            let live = marks.as_ref().map(Vec::len);
            let fingerprints = marks.unwrap_or_default();
            let (means, opens) = (name.list.means, name.list.opens);
            Credentials { name: name.to_string(), means, opens, live, fingerprints, unknown, polled }
        };
        Name::of_door(door).into_iter().map(of).collect()
    }
}

/// True where a door takes mail as far as its secrets go; `None` where that is not known.
pub(super) fn opened(secrets: &[Credentials]) -> Option<bool> {
    let opening: Vec<&Credentials> = secrets.iter().filter(|secret| secret.opens).collect();
    // Of SNS the signature is enough.
    if opening.is_empty() || opening.iter().any(|secret| secret.live.is_some_and(|live| live > 0)) {
        return Some(true);
    }
    opening.iter().all(|secret| secret.live.is_some()).then_some(false)
}

/// One line for each list that there is something to say of.
pub(super) fn shown(secrets: &[Credentials], place: &str) -> Vec<String> {
    let shut = opened(secrets) == Some(false);
    let mut lines = Vec::new();
    for Credentials { name, means, opens, live, fingerprints, unknown, polled } in secrets {
        match live {
            None => lines.push(format!("{name}: unknown, {}", unknown.as_deref().unwrap_or_default())),
            Some(0) if *opens && shut && *polled => {
                lines.push(format!("{name} is not set: nobody can log in until `postern secret set {name} -{place}`"));
            }
            Some(0) if *opens && shut && lines.is_empty() => lines.push(format!(
                "{name} is not set: every mail is refused (503) until `postern secret set {name} -{place}`"
            )),
            Some(0) if *opens && shut => lines.push(format!("or {name} ({means})")),
            Some(0) if *opens => {}
            Some(0) => lines.push(format!("{name}: none ({means})")),
            Some(live) => lines.push(format!("{name}: {live} live ({})", fingerprints.join(", "))),
        }
    }
    lines
}

/// Lists the doors.
///
/// # Errors
/// The stack or data directory cannot be opened, its settings do not go together. A secret that cannot be read is told in
/// its line.
pub async fn doors(args: &args::Doors) -> anyhow::Result<Output> {
    let setup = Setup::open(&args.common).await?;
    let told = told(&setup).await;
    let place = setup.place();
    setup.close().await;
    let (ways, head) = told?;
    if args.common.json {
        return Ok(Output::ok(pretty(&serde_json::json!({ "doors": ways }))?));
    }
    let mut text = head;
    for way in &ways {
        let own = way.door.as_deref().is_none_or(|id| postern::door::Provider::parse(id).is_some());
        let title = if own { way.provider.to_owned() } else { format!("{}, door {}", way.provider, id(way)) };
        text.push_str(&format!("{title:<11} {}\n", way.at));
        let mut rows = Vec::new();
        if !way.enabled {
            rows.push((
                "state",
                format!("switched off: 503 until `postern door set {} --enabled true{place}`", id(way)),
            ));
        }
        rows.extend(way.mailbox.iter().map(|mailbox| ("mailbox", format!("all its mail is for {mailbox}"))));
        rows.extend(shown(&way.secrets, &place).into_iter().map(|line| ("secret", line)));
        rows.extend(way.there.iter().map(|line| ("there", line.clone())));
        rows.push(("limit", way.limit.to_owned()));
        let mut last = "";
        for (label, line) in rows {
            text.push_str(&format!("  {:<9} {line}\n", if label == last { "" } else { label }));
            last = label;
        }
    }
    Ok(Output::ok(text))
}

fn id(way: &Way) -> &str {
    way.door.as_deref().unwrap_or_default()
}

/// The ways in, and the line above the list.
async fn told(setup: &Setup) -> anyhow::Result<(Vec<Way>, String)> {
    let view = setup.view().await?;
    let settings = settings::in_force(&view)?;
    let held = Held::read(vault(setup)).await;
    let (url, mut head) = url(setup).await?;
    let url = url.unwrap_or_else(|| DEV_URL.to_owned());
    let mut ways = over_http(&view, &settings.mailboxes, &held, (&url, &setup.place()));
    for (way, (door, _)) in ways.iter_mut().zip(view.doors()) {
        if let Some(why) = setup.unpolled(door) {
            way.there = vec![why];
        }
    }
    if let Site::Stack(stack) = &setup.site {
        ways.push(ses(stack, &settings.mailboxes));
    }
    if settings.closed {
        head.push_str("all doors are shut: POSTERN_ENABLED is false, providers hear 503\n");
    }
    Ok((ways, head))
}

/// Where the operator's secret is.
pub(super) fn vault(setup: &Setup) -> anyhow::Result<Vault> {
    match &setup.site {
        Site::Data(data, _) => Ok(Vault::of_data(data)),
        Site::Stack(stack) => Vault::of_stack(stack),
    }
}

/// The URL of the HTTP door, where one is open, and what there is to say of it.
pub(super) async fn url(setup: &Setup) -> anyhow::Result<(Option<String>, String)> {
    let data = match &setup.site {
        Site::Stack(stack) => return Ok((Some(stack.output("ApiUrl")?.to_owned()), String::new())),
        Site::Data(data, _) => data,
    };
    let running = running_door(data).await?;
    let head = match &running {
        Some(url) => format!("`postern dev` runs at {url}; a provider reaches it through a tunnel of yours only\n"),
        None => "no `postern dev` runs on this data directory; it opens these doors\n".to_owned(),
    };
    Ok((running, head))
}

fn over_http(view: &View, mailboxes: &Mailboxes, held: &Held, (url, place): (&str, &str)) -> Vec<Way> {
    let one = |(door, source): (&Door, Source)| {
        let paste::Paste { at, there, limit } = paste::of(door, url, place, mailboxes);
        Way {
            door: Some(door.id.as_str().to_owned()),
            provider: label(door.provider),
            source: Some(source),
            enabled: door.enabled,
            mailbox: door.mailbox.as_ref().map(|id| id.as_str().to_owned()),
            at,
            secrets: held.of_door(door),
            there,
            limit,
        }
    };
    view.doors().into_iter().map(one).collect()
}

fn ses(stack: &Stack, mailboxes: &Mailboxes) -> Way {
    let way = Way {
        door: None,
        provider: "Amazon SES",
        source: None,
        enabled: true,
        mailbox: None,
        at: "off".to_owned(),
        secrets: Vec::new(),
        there: vec!["deploy the stack with EnableSes=true to receive by it".to_owned()],
        limit: "40 MB a mail",
    };
    if !stack.receives_by_ses() {
        return way;
    }
    let domains = mail_domains(stack, mailboxes).join(", ");
    let host = inbound_host(&stack.region);
    let rule_set = stack.output("ReceiptRuleSet").unwrap_or("(no output ReceiptRuleSet)");
    let region = &stack.region;
    Way {
        at: format!("MX 10 {host} for {domains}"),
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
        ..way
    }
}

/// Where SES receives mail for a region (Amazon SES developer guide, "Email receiving endpoints").
pub(super) fn inbound_host(region: &str) -> String {
    format!("inbound-smtp.{region}.amazonaws.com")
}

/// Domains whose mail comes by SES: `MailDomain`, else those of the mailboxes' addresses and patterns.
pub(super) fn mail_domains(stack: &Stack, mailboxes: &Mailboxes) -> Vec<String> {
    if let Some(domains) = stack.parameter("MailDomain") {
        // With a dot in front a receipt rule means the subdomains.
        let domains = domains.split(',').map(|domain| domain.trim().trim_start_matches('.').to_owned());
        return domains.filter(|domain| !domain.is_empty()).collect();
    }
    paste::domains(&mailboxes.iter().collect::<Vec<_>>())
}
