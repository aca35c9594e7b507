//! Whether mailboxes and doors go together, and which doors have credentials.

use postern::door::{Door, Doors};
use serde_json::Value;

use super::{Finding, is_denied};
use crate::{
    commands::{
        secret::{Name, Vault, label},
        settings,
    },
    setup::{Source, View},
};

/// What is set up, and whether it goes together.
pub(super) fn findings(view: &View, place: &str) -> Vec<Finding> {
    const CHECK: &str = "mailbox";
    let settings = match &view.in_force {
        Ok(settings) => settings,
        Err(error) => {
            let todo = format!("postern mailbox list{place} and postern door list{place} show them; change one");
            return vec![Finding::fail(CHECK, settings::untogether(error), todo)];
        }
    };
    let one = |mailbox: &postern::mailbox::Mailbox| {
        let addresses: Vec<String> = mailbox.addresses.iter().map(ToString::to_string).collect();
        format!("{} ({})", mailbox.id.as_str(), addresses.join(", "))
    };
    let all: Vec<String> = settings.mailboxes.iter().map(one).collect();
    let mut findings = vec![Finding::ok(CHECK, format!("{} set up: {}", all.len(), all.join(", ")))];
    for disabled in settings.mailboxes.iter().filter(|mailbox| !mailbox.enabled) {
        let id = disabled.id.as_str();
        let todo = format!("postern mailbox set {id} --enabled true{place}, then release what is held");
        findings.push(Finding::warn(CHECK, format!("{id} is disabled: its mail is held"), todo));
    }
    if settings.closed {
        let found = "POSTERN_ENABLED is false: every HTTP door answers 503, and providers give up after hours";
        findings.push(Finding::warn("doors", found, "take it out of the environment"));
    }
    for shut in settings.doors.iter().filter(|door| !door.enabled) {
        let so = if shut.imap.is_some() {
            "it is not polled"
        } else {
            "it answers 503, and its provider gives up after hours"
        };
        let found = format!("door {} is switched off: {so}", shut.id);
        findings.push(Finding::warn("doors", found, format!("postern door set {} --enabled true{place}", shut.id)));
    }
    findings
}

/// Which doors have keys. `place` = the options that name the system, for the commands to type; `elsewhere` = mail comes by
/// SES too.
pub(super) async fn credentials(vault: &Vault, view: &View, elsewhere: bool, place: &str) -> Vec<Finding> {
    let held = match vault.read().await {
        Ok(held) => held.json,
        Err(error) if is_denied(&error) => return vec![Finding::unknown(CHECK, &error)],
        Err(error) => {
            let todo = "until it reads, running functions use what they read before and new ones answer 503";
            return vec![Finding::fail(CHECK, format!("{error:#}"), todo)];
        }
    };
    let doors = view.doors();
    let mut findings = Vec::new();
    let (mut live, mut never) = (0_usize, Vec::new());
    for (door, source) in doors.iter().filter(|(door, _)| door.enabled) {
        let stored = *source == Source::Stored;
        match of_door(door, stored, &held, place) {
            Some(finding) => {
                live += usize::from(finding.state == super::State::Ok);
                findings.push(finding);
            }
            None => never.push(door.id.as_str()),
        }
    }
    let shared = Name::all(&Doors::default()).into_iter().find(|name| !doors.iter().any(|(door, _)| name.is_of(door)));
    if let Some(Err(error)) = shared.map(|name| name.fingerprints(&held)) {
        findings.push(broken(&error));
    }
    if live == 0 && !elsewhere && findings.is_empty() {
        let found = "no door has credentials: nothing comes in by HTTP";
        findings.push(Finding::warn(CHECK, found, format!("postern doors{place} says how")));
    } else if !never.is_empty() {
        findings.push(Finding::ok(CHECK, format!("never set up, so shut (503): {}", never.join(", "))));
    }
    findings
}

const CHECK: &str = "credentials";

fn broken(error: &anyhow::Error) -> Finding {
    Finding::fail(CHECK, error.to_string(), "set it right by hand; no key in it counts")
}

/// What there is to say of a door; `None` where nobody ever set it up.
fn of_door(door: &Door, stored: bool, held: &Value, place: &str) -> Option<Finding> {
    let names = Name::of_door(door);
    if names.is_empty() {
        // Of SNS the signature is enough, and the topics that are allowed.
        let allowed = !door.topics.is_empty();
        return allowed.then(|| Finding::ok(CHECK, format!("{}: {} topics allowed", door.id, door.topics.len())));
    }
    let mut live = Vec::new();
    let mut opens = false;
    for name in &names {
        match name.fingerprints(held) {
            Err(error) => return Some(broken(&error)),
            Ok(marks) if !marks.is_empty() => {
                opens |= name.list.opens;
                live.push(format!("{name}: {} live", marks.len()));
            }
            Ok(_) => {}
        }
    }
    if opens {
        return Some(Finding::ok(CHECK, live.join(", ")));
    }
    let known = held.get(door.id.as_str()).is_some();
    let first = names.first().filter(|_| stored || known)?;
    let provider = label(door.provider);
    if door.polled().is_some() {
        let found = format!("{first} is not set: nobody can log in, so door {} is not polled", door.id);
        return Some(Finding::fail(CHECK, found, format!("postern secret set {first} -{place}")));
    }
    Some(Finding::warn(
        CHECK,
        format!("{first} is not set: the door of {provider} refuses everything (503)"),
        format!("if mail comes by {provider}: postern secret set {first} -{place}"),
    ))
}
