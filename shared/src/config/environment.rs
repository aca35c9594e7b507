//! What the environment says of mailboxes and doors: the default, which stored settings win over.
//!
//! | variable | also | meaning |
//! |---|---|---|
//! | `POSTERN_ENABLED` | `ESCALATED_INBOUND_EMAIL` | `false`: no door takes mail, all answer 503 |
//! | `POSTERN_ADDRESS` | `ESCALATED_INBOUND_ADDRESS`, `ESCALATED_INBOUND_EMAIL_ADDRESS` | address of the default mailbox |
//! | `POSTERN_MAIL_DOMAIN` | `ESCALATED_MAIL_DOMAIN` | without an address: `support@` this domain |
//! | `POSTERN_PREFIX` | | prefix of its ticket numbers, default `INC` |
//! | `POSTERN_NUMBER_YEAR` | | `true`: numbers carry the year |
//! | `POSTERN_REPLY_MODE` | | `plus` (default) or `off` |
//! | `POSTERN_RAW_DAYS`, `POSTERN_HELD_DAYS`, `POSTERN_LEDGER_DAYS` | | for how long raw mail (by the bucket's rule), held mail and ledger rows are kept; 0 = for ever |
//! | `POSTERN_ADAPTER` | `ESCALATED_INBOUND_ADAPTER`, `ESCALATED_INBOUND_EMAIL_ADAPTER` | provider of a route that names none |
//! | `POSTERN_MAILGUN_SPAM_FIELDS`, `POSTERN_POSTMARK_SPAM_FIELDS`, `POSTERN_SENDGRID_SPAM_FIELDS` | | `true`: the provider is set up to add its spam fields |
//! | `POSTERN_MAILGUN_DOMAINS`, `POSTERN_MAILGUN_REGION` | | domains whose stored events are gone through; `us` (default) or `eu` |
//! | `POSTERN_SNS_TOPICS` | `ESCALATED_SES_TOPIC_ARN` | topics that may deliver over HTTPS, ARNs |
//! | | `ESCALATED_MAILGUN_SIGNING_KEY` | as `mailgun.signing_keys` of the operator's secret |
//! | | `ESCALATED_POSTMARK_INBOUND_TOKEN` | as `postmark.inbound_secrets` |
//! | | `ESCALATED_INBOUND_SECRET` | as `escalated.inbound_secrets` |
//!
//! Lists are separated by commas. Credentials belong into the operator's secret; these three are read so that an
//! environment which people bring along works.

use crate::{
    address::AddrSpec,
    door::{Door, Doors, Provider, Region},
    mailbox::{Mailbox, MailboxId, Mailboxes, ReplyMode},
    retention::{Days, Retention},
    secrets::{DoorSecrets, ESCALATED, OperatorSecrets},
    settings::Settings,
};

/// Id of the mailbox that the environment describes.
pub const DEFAULT_MAILBOX: &str = "support";

type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The first of several names that is set: its value and name.
fn first<'n>(lookup: &Lookup<'_>, names: &[&'n str]) -> Option<(&'n str, String)> {
    names.iter().find_map(|name| Some((*name, lookup(name)?)))
}

fn flag(lookup: &Lookup<'_>, name: &str) -> bool {
    lookup(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn list(lookup: &Lookup<'_>, names: &[&str]) -> Vec<String> {
    let written = first(lookup, names).map(|(_, value)| value).unwrap_or_default();
    written.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Everything that the environment sets up.
pub fn settings(lookup: &Lookup<'_>, faults: &mut Vec<String>) -> Settings {
    let mailboxes = default_mailbox(lookup, faults);
    let doors = Doors::new(doors(lookup, faults), &mailboxes).unwrap_or_else(|error| {
        faults.push(error.to_string());
        Doors::default()
    });
    let adapter = first(lookup, &["POSTERN_ADAPTER", "ESCALATED_INBOUND_ADAPTER", "ESCALATED_INBOUND_EMAIL_ADAPTER"]);
    let provider = |(name, word): (&str, String)| {
        let read = Provider::parse(&word.to_ascii_lowercase());
        // Escalated polls a mailbox under this name; no route leads there.
        if read.is_none() && !word.eq_ignore_ascii_case("imap") {
            let known = Provider::ALL.map(Provider::name).join(", ");
            faults.push(format!("{name} is {word:?}; it can be {known}"));
        }
        read
    };
    let adapter = adapter.and_then(provider);
    let switch = first(lookup, &["POSTERN_ENABLED", "ESCALATED_INBOUND_EMAIL"]);
    let closed = switch.is_some_and(|(_, value)| matches!(value.to_ascii_lowercase().as_str(), "false" | "0" | "off"));
    let mut days = |name| days(lookup, name, faults);
    let kept = Retention {
        raw: days("POSTERN_RAW_DAYS"),
        stack: Days { held: days("POSTERN_HELD_DAYS"), ledger: days("POSTERN_LEDGER_DAYS") },
        ..Retention::default()
    };
    Settings { mailboxes, doors, adapter, closed, kept }
}

/// Days; nothing and 0 = for ever.
fn days(lookup: &Lookup<'_>, name: &str, faults: &mut Vec<String>) -> Option<u16> {
    let text = lookup(name)?;
    match text.parse() {
        Ok(days) => Some(days).filter(|days| *days > 0),
        Err(_) => {
            faults.push(format!("{name} is {text:?}; it is a number of days, 0 = for ever"));
            None
        }
    }
}

fn doors(lookup: &Lookup<'_>, faults: &mut Vec<String>) -> Vec<Door> {
    let region = match lookup("POSTERN_MAILGUN_REGION").map(|region| region.to_ascii_lowercase()).as_deref() {
        None | Some("us") => Region::Us,
        Some("eu") => Region::Eu,
        Some(other) => {
            faults.push(format!("POSTERN_MAILGUN_REGION is {other:?}; it can be `us` or `eu`"));
            Region::Us
        }
    };
    vec![
        Door {
            spam_fields: flag(lookup, "POSTERN_MAILGUN_SPAM_FIELDS"),
            domains: list(lookup, &["POSTERN_MAILGUN_DOMAINS"]),
            region,
            ..Door::own(Provider::Mailgun)
        },
        Door { spam_fields: flag(lookup, "POSTERN_POSTMARK_SPAM_FIELDS"), ..Door::own(Provider::Postmark) },
        Door { spam_fields: flag(lookup, "POSTERN_SENDGRID_SPAM_FIELDS"), ..Door::own(Provider::Sendgrid) },
        Door { topics: list(lookup, &["POSTERN_SNS_TOPICS", "ESCALATED_SES_TOPIC_ARN"]), ..Door::own(Provider::Ses) },
    ]
}

/// Credentials that people bring along.
#[must_use]
pub fn environment_secrets(lookup: &Lookup<'_>) -> OperatorSecrets {
    let mut secrets = OperatorSecrets::default();
    let value = |name: &str| lookup(name).map(|value| vec![value]).unwrap_or_default();
    let mailgun = DoorSecrets { signing_keys: value("ESCALATED_MAILGUN_SIGNING_KEY"), ..DoorSecrets::default() };
    secrets.add(Provider::Mailgun.name(), mailgun);
    let postmark = DoorSecrets { inbound_secrets: value("ESCALATED_POSTMARK_INBOUND_TOKEN"), ..DoorSecrets::default() };
    secrets.add(Provider::Postmark.name(), postmark);
    let shared = DoorSecrets { inbound_secrets: value("ESCALATED_INBOUND_SECRET"), ..DoorSecrets::default() };
    secrets.add(ESCALATED, shared);
    secrets
}

/// The mailbox that `POSTERN_ADDRESS` and its companions describe.
fn default_mailbox(lookup: &Lookup<'_>, faults: &mut Vec<String>) -> Mailboxes {
    let names = ["POSTERN_ADDRESS", "ESCALATED_INBOUND_ADDRESS", "ESCALATED_INBOUND_EMAIL_ADDRESS"];
    let of_domain = || {
        let (name, domain) = first(lookup, &["POSTERN_MAIL_DOMAIN", "ESCALATED_MAIL_DOMAIN"])?;
        Some((name, format!("{DEFAULT_MAILBOX}@{domain}")))
    };
    let Some((name, written)) = first(lookup, &names).or_else(of_domain) else {
        faults.push("POSTERN_ADDRESS is not set".to_owned());
        return Mailboxes::default();
    };
    let (Some(address), Some(id)) = (AddrSpec::parse(&written), MailboxId::parse(DEFAULT_MAILBOX)) else {
        faults.push(format!("{name} is not an e-mail address"));
        return Mailboxes::default();
    };
    let prefix = lookup("POSTERN_PREFIX").unwrap_or_else(|| "INC".to_owned());
    let mut mailbox = Mailbox::new(id, address, &prefix);
    mailbox.year_in_number = flag(lookup, "POSTERN_NUMBER_YEAR");
    mailbox.reply_mode = match lookup("POSTERN_REPLY_MODE").as_deref() {
        None | Some("plus") => ReplyMode::Plus,
        Some("subdomain") => ReplyMode::Subdomain,
        Some("off") => ReplyMode::Off,
        Some(other) => {
            faults.push(format!("POSTERN_REPLY_MODE is {other:?}; it can be `plus`, `subdomain` or `off`"));
            ReplyMode::Off
        }
    };
    Mailboxes::new(vec![mailbox]).unwrap_or_else(|error| {
        faults.push(error.to_string());
        Mailboxes::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(environment: &[(&str, &str)]) -> (Settings, Vec<String>) {
        let mut faults = Vec::new();
        let lookup = |name: &str| environment.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        (settings(&lookup, &mut faults), faults)
    }

    #[test]
    fn names_that_people_bring_along() {
        let topic = "arn:aws:sns:eu-central-1:123456789012:inbound";
        let environment = [
            ("ESCALATED_INBOUND_EMAIL", "true"),
            ("ESCALATED_INBOUND_ADAPTER", "postmark"),
            ("ESCALATED_INBOUND_ADDRESS", "help@us.example"),
            ("ESCALATED_SES_TOPIC_ARN", topic),
            ("ESCALATED_MAILGUN_SIGNING_KEY", "a-key"),
            ("ESCALATED_POSTMARK_INBOUND_TOKEN", "a-token"),
            ("ESCALATED_INBOUND_SECRET", "a-secret"),
        ];
        let (settings, faults) = read(&environment);
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(settings.mailboxes.only().unwrap().addresses[0].as_str(), "help@us.example");
        assert_eq!((settings.adapter, settings.closed), (Some(Provider::Postmark), false));
        assert_eq!(settings.doors.by_id("ses").unwrap().topics, [topic]);
        let lookup = |name: &str| environment.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let secrets = environment_secrets(&lookup);
        assert_eq!(secrets.section("mailgun").signing_keys, ["a-key"]);
        assert_eq!(secrets.section("postmark").inbound_secrets, ["a-token"]);
        assert_eq!(secrets.section(ESCALATED).inbound_secrets, ["a-secret"]);
    }

    #[test]
    fn ours_win_and_a_domain_will_do() {
        let both = [("POSTERN_ADDRESS", "ours@us.example"), ("ESCALATED_INBOUND_ADDRESS", "theirs@us.example")];
        assert_eq!(read(&both).0.mailboxes.only().unwrap().addresses[0].as_str(), "ours@us.example");
        let domain = [("ESCALATED_MAIL_DOMAIN", "us.example"), ("ESCALATED_INBOUND_EMAIL", "false")];
        let (settings, faults) = read(&domain);
        assert_eq!(settings.mailboxes.only().unwrap().addresses[0].as_str(), "support@us.example");
        assert!(settings.closed && faults.is_empty());
    }

    #[test]
    fn faults_are_named() {
        for (name, value, expected) in [
            ("POSTERN_ADAPTER", "pigeon", "POSTERN_ADAPTER is \"pigeon\""),
            ("POSTERN_SNS_TOPICS", "inbound", "no ARN"),
            ("POSTERN_MAILGUN_DOMAINS", "mg.example.com, x", "no domain"),
            ("POSTERN_MAILGUN_REGION", "moon", "`us` or `eu`"),
            ("ESCALATED_INBOUND_ADDRESS", "x", "ESCALATED_INBOUND_ADDRESS is not an e-mail address"),
        ] {
            let mut environment = vec![(name, value)];
            if !name.ends_with("ADDRESS") {
                environment.push(("POSTERN_ADDRESS", "support@us.example"));
            }
            let (_, faults) = read(&environment);
            assert!(faults.len() == 1 && faults[0].contains(expected), "{name}: {faults:?}");
        }
        assert!(read(&[("POSTERN_ADDRESS", "a@b.example"), ("ESCALATED_INBOUND_ADAPTER", "imap")]).1.is_empty());
    }
}
