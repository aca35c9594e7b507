//! `mailbox test`: what leads to a mailbox, and whether mail to its reply addresses arrives.

use postern::{
    address::AddrSpec,
    door::Door,
    ingest::Ingest,
    mailbox::{AddressPattern, Mailbox, Mailboxes, ReplyMode},
    token::{Keyring, Verified, readings},
};
use serde::Serialize;
use serde_json::json;

use super::probe::{self, Probe, TICKET, Way};
use crate::{
    args,
    commands::{
        Output, exit, pretty,
        settings::{self, words::reply_mode_word},
    },
    setup::in_order,
    system::{Place, System},
};

/// One address that was tried.
#[derive(Debug, Serialize)]
struct Tried {
    address: String,
    /// What it stands for.
    form: &'static str,
    /// The mailbox that it leads to.
    leads_to: Option<String>,
    ok: bool,
}

/// A door, and what of its mail is for the mailbox.
#[derive(Debug, Serialize)]
struct Serves {
    door: String,
    open: bool,
    mail: String,
}

/// Tries every form of its addresses, with a reply address signed by the system's own key.
///
/// # Errors
/// No such mailbox, the settings do not go together, the master secret cannot be read.
pub(super) async fn test(named: &args::MailboxTest) -> anyhow::Result<Output> {
    let id = settings::mailbox_id(&named.id)?;
    let system = Box::pin(System::open(&named.common)).await?;
    let place = match &system.place {
        Place::Data(local) => format!(" --data {}", local.data.display()),
        Place::Stack(stack) => format!(" --stack {}", stack.name),
    };
    let settings = system.settings.clone();
    let Some(mailbox) = settings.mailboxes.by_id(&id) else {
        system.close().await;
        return Err(settings::unknown("mailbox", id.as_str(), &place));
    };
    let way = match (&named.smtp, &system.place) {
        (Some(host), _) => Some(Way::Smtp(host, named.wait)),
        (None, Place::Data(_)) => Some(Way::OwnDoor),
        (None, Place::Stack(_)) => None,
    };
    let probed = match system.ingest().await {
        Ok(ingest) => sent(&system, &ingest, mailbox, way.as_ref()).await.map(|probes| (ingest.keyring, probes)),
        Err(error) => Err(error),
    };
    system.close().await;
    let (keyring, probes) = probed?;
    let tried = tried(mailbox, &settings.mailboxes, &keyring);
    let serves: Vec<Serves> =
        in_order(&settings.doors).into_iter().map(|door| serves(door, mailbox, settings.closed)).collect();
    let mut notes = notes(mailbox, &serves, &tried, settings.closed);
    notes.push(of_mode(mailbox, &probes, way.as_ref()));
    let good = tried.iter().all(|tried| tried.ok);
    let text = if named.common.json {
        let json = json!({ "mailbox": id.as_str(), "addresses": tried, "doors": serves, "modes": probes, "notes": notes, "good": good });
        pretty(&json)?
    } else {
        shown(mailbox, &tried, &serves, &probes, &notes)
    };
    Ok(Output { text, code: if good { exit::OK } else { exit::REFUSED }, ..Output::default() })
}

fn tried(mailbox: &Mailbox, all: &Mailboxes, keyring: &Keyring) -> Vec<Tried> {
    let owner = |address: &AddrSpec| all.by_address(address).map(|owner| owner.id.as_str().to_owned());
    let leads = |address: &AddrSpec, form| {
        let leads_to = owner(address);
        Tried { address: address.to_string(), form, ok: leads_to.as_deref() == Some(mailbox.id.as_str()), leads_to }
    };
    let mut tried = Vec::new();
    for address in &mailbox.addresses {
        tried.push(leads(address, "address"));
        let tagged = format!("{}+anything@{}", address.local_part(), address.domain());
        // Another mailbox may have the tags on purpose.
        tried.extend(AddrSpec::parse(&tagged).map(|tagged| Tried { ok: true, ..leads(&tagged, "with a tag") }));
    }
    for pattern in &mailbox.patterns {
        let (sample, form) = match pattern {
            AddressPattern::Tagged(base) => {
                (format!("{}+anything@{}", base.local_part(), base.domain()), "pattern, any tag")
            }
            AddressPattern::Domain(domain) => (format!("anybody@{domain}"), "pattern, whole domain"),
        };
        tried.extend(AddrSpec::parse(&sample).map(|sample| leads(&sample, form)));
    }
    if let Some(signed) = keyring.reply_address(mailbox, TICKET) {
        let mut own = readings(&signed).into_iter().filter(|reading| mailbox.addresses.contains(&reading.base));
        let verified = own.any(|reading| keyring.verify_tag(mailbox, &reading.tag) == Verified::Ticket(TICKET));
        let of_its_own = leads(&signed, "signed reply address");
        tried.push(Tried { ok: of_its_own.ok && verified, ..of_its_own });
    }
    tried
}

fn serves(door: &Door, mailbox: &Mailbox, closed: bool) -> Serves {
    let mail = match &door.mailbox {
        None => "what is addressed to it".to_owned(),
        Some(id) if *id == mailbox.id => "all of it".to_owned(),
        Some(other) => format!("none: all is for mailbox {}", other.as_str()),
    };
    Serves { door: door.id.as_str().to_owned(), open: door.enabled && !closed, mail }
}

fn notes(mailbox: &Mailbox, serves: &[Serves], tried: &[Tried], closed: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if !mailbox.enabled {
        notes.push("it is disabled: its mail is held, cause mailbox-disabled".to_owned());
    }
    if closed {
        notes.push("POSTERN_ENABLED is false: every door answers 503".to_owned());
    } else if !serves.iter().any(|serves| serves.open && !serves.mail.starts_with("none")) {
        notes.push("no open door leads to it".to_owned());
    }
    for lost in tried.iter().filter(|tried| !tried.ok) {
        let whither = lost.leads_to.as_ref().map_or_else(|| "nowhere".to_owned(), |id| format!("to mailbox {id}"));
        notes.push(format!("CONFLICT: {} ({}) leads {whither}", lost.address, lost.form));
    }
    notes
}

async fn sent(
    system: &System,
    ingest: &Ingest,
    mailbox: &Mailbox,
    way: Option<&Way<'_>>,
) -> anyhow::Result<Vec<Probe>> {
    match way {
        Some(way) => Box::pin(probe::modes(system, ingest, mailbox, way)).await,
        None => Ok(Vec::new()),
    }
}

/// Which mode is set, and what is known of it.
fn of_mode(mailbox: &Mailbox, probes: &[Probe], way: Option<&Way<'_>>) -> String {
    let mode = reply_mode_word(mailbox.reply_mode);
    let good: Vec<&str> = probes.iter().filter(|probe| probe.proven).map(|probe| probe.mode).collect();
    let by_mail = match way {
        Some(Way::Smtp(..)) if mailbox.reply_mode == ReplyMode::Off && good.is_empty() => "neither form is delivered",
        Some(Way::Smtp(..)) if mailbox.reply_mode == ReplyMode::Off => "a form that is delivered can be set",
        Some(Way::Smtp(..)) if good.contains(&mode) => "it is proven",
        Some(Way::Smtp(..)) => "it is NOT proven: set a mode that is, or `off`",
        Some(Way::OwnDoor) => {
            "whether your mail system delivers such addresses is not proven: no mail server had a part in it; \
             --smtp HOST sends through one. Where it does not, use --reply-mode off"
        }
        None => {
            "it is not proven: a stack sends no mail by itself, so nothing was sent; --smtp HOST sends through your mail \
             server. Where it delivers no tags, use --reply-mode off"
        }
    };
    let off = "answers are recognised by Message-IDs and subject numbers only";
    match mailbox.reply_mode {
        ReplyMode::Off => format!("reply mode off: reply addresses carry no tag; {off}; {by_mail}"),
        ReplyMode::Plus | ReplyMode::Subdomain => format!("reply mode {mode}: {by_mail}"),
    }
}

fn shown(mailbox: &Mailbox, tried: &[Tried], serves: &[Serves], probes: &[Probe], notes: &[String]) -> String {
    let mut text = format!("mailbox {}\n", mailbox.id.as_str());
    let width = tried.iter().map(|tried| tried.address.chars().count()).max().unwrap_or_default();
    for Tried { address, form, leads_to, ok } in tried {
        let mark = if *ok { "ok" } else { "WRONG" };
        let leads_to = leads_to.as_deref().unwrap_or("(nobody)");
        text.push_str(&format!("  {mark:<5} {address:<width$} -> {leads_to}  ({form})\n"));
    }
    text.push_str("doors\n");
    for Serves { door, open, mail } in serves {
        let state = if *open { "open" } else { "shut" };
        text.push_str(&format!("  {door:<12} {state:<5} {mail}\n"));
    }
    if !probes.is_empty() {
        text.push_str("reply addresses\n");
    }
    for Probe { mode, address, proven, told } in probes {
        let mark = if *proven { "ok" } else { "-" };
        text.push_str(&format!("  {mark:<5} {mode:<10} {address}\n        {told}\n"));
    }
    for note in notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}
