//! The mail that `mailbox test` sends to tagged addresses, to see whether such mail arrives.
//!
//! It carries the signed loop header, so it never becomes a ticket: it is held as `loop`, found here, and discarded.

use std::time::Duration;

use postern::{
    address::AddrSpec,
    envelope::{Envelope, ReversePath},
    ingest::Ingest,
    mailbox::{Mailbox, Mailboxes, ReplyMode},
    records::{Cause, LedgerRow, Outcome},
    store::LedgerId,
    thread::Signature,
    token::Keyring,
};
use serde::Serialize;

use super::smtp;
use crate::{
    commands::{COUNTED_MAX, ingest, settings::words::reply_mode_word},
    system::{Place, System},
};

/// The ticket that the tags are of. None need be there.
pub(super) const TICKET: u64 = 1;
/// How often the ledger is looked at while mail is on its way.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Who discards it.
const ACTOR: &str = "mailbox test";

/// One mode, tried.
#[derive(Debug, Serialize)]
pub(super) struct Probe {
    pub(super) mode: &'static str,
    pub(super) address: String,
    /// The mail arrived by its tagged address, for this mailbox, and the tag verified.
    pub(super) proven: bool,
    /// What happened, in words.
    pub(super) told: String,
}

/// Which way the mail goes.
pub(super) enum Way<'a> {
    /// Through the pipeline of the data directory: everything behind the door.
    OwnDoor,
    /// To a mail server, as anybody's mail would come; the ledger is watched for so many seconds.
    Smtp(&'a str, u64),
}

/// Sends a mail to a tagged address of each mode and sees what becomes of it.
pub(super) async fn modes(
    system: &System,
    ingest: &Ingest,
    mailbox: &Mailbox,
    way: &Way<'_>,
) -> anyhow::Result<Vec<Probe>> {
    let mut probes = Vec::new();
    for mode in [ReplyMode::Plus, ReplyMode::Subdomain] {
        let as_if = Mailbox { reply_mode: mode, ..mailbox.clone() };
        // An address for which this form cannot be.
        if Mailboxes::new(vec![as_if.clone()]).is_err() {
            continue;
        }
        let Some(address) = ingest.keyring.reply_address(&as_if, TICKET) else { continue };
        let nonce = format!("{:016x}", system.ambient.entropy());
        let told = match octets(mailbox, &ingest.keyring, &address, &nonce, system) {
            Some(raw) => send(system, ingest, mailbox, way, (&address, raw, &nonce)).await?,
            None => Err("the mailbox has no address".to_owned()),
        };
        let (proven, told) = match told {
            Ok(told) => (true, told),
            Err(told) => (false, told),
        };
        probes.push(Probe { mode: reply_mode_word(mode), address: address.to_string(), proven, told });
    }
    Ok(probes)
}

fn subject(nonce: &str) -> String {
    format!("Postern mailbox test {nonce}")
}

fn octets(mailbox: &Mailbox, keyring: &Keyring, to: &AddrSpec, nonce: &str, system: &System) -> Option<Vec<u8>> {
    let from = mailbox.addresses.first()?;
    let date = system.ambient.now().strftime("%a, %d %b %Y %H:%M:%S +0000");
    let text = format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: {}\r\nDate: {date}\r\nMessage-ID: <test.{nonce}@{}>\r\n\
         Auto-Submitted: auto-generated\r\nX-Postern-Loop: {}\r\n\r\n\
         This mail tests whether tagged addresses are delivered. It opens no ticket.\r\n",
        subject(nonce),
        from.domain(),
        keyring.loop_header(mailbox)?,
    );
    Some(text.into_bytes())
}

async fn send(
    system: &System,
    ingest: &Ingest,
    mailbox: &Mailbox,
    way: &Way<'_>,
    (to, raw, nonce): (&AddrSpec, Vec<u8>, &str),
) -> anyhow::Result<Result<String, String>> {
    let found = match way {
        Way::OwnDoor => {
            let envelope =
                Envelope { reverse_path: ReversePath::Null, forward_paths: vec![to.clone()], from_header: false };
            let message = ingest::message(raw, Some(envelope), &[], None, system.ambient.now());
            let answers = ingest.run(message).await?;
            answers.first().and_then(|answer| LedgerId::parse(&answer.inbound_id))
        }
        Way::Smtp(host, wait) => {
            let from = mailbox.addresses.first().map(AddrSpec::as_str).unwrap_or_default();
            if let Err(why) = smtp::send(host, from, to.as_str(), &raw).await {
                return Ok(Err(format!("{host} did not take it: {why:#}")));
            }
            arrived(system, nonce, *wait).await?
        }
    };
    let Some(id) = found else { return Ok(Err("it was taken and has not arrived here".to_owned())) };
    let row = system.store.ledger_row(&id).await?;
    system.store.discard(&id, ACTOR, system.ambient.now()).await?;
    Ok(row.map_or_else(|| Err("its row is gone".to_owned()), |row| judged(&row, mailbox, system)))
}

/// Watches the held mail for the one with that word in its subject.
async fn arrived(system: &System, nonce: &str, wait: u64) -> anyhow::Result<Option<LedgerId>> {
    for _ in 0..=(wait / LOOK_EVERY.as_secs()) {
        let held = system.store.attention(&[Outcome::Held], COUNTED_MAX).await?;
        if let Some(line) = held.iter().find(|line| line.row.subject == subject(nonce)) {
            return Ok(LedgerId::parse(&line.id));
        }
        system.ambient.sleep(LOOK_EVERY).await;
    }
    Ok(None)
}

fn judged(row: &LedgerRow, mailbox: &Mailbox, system: &System) -> Result<String, String> {
    let way = match &system.place {
        Place::Data(_) if row.ingress.door == "cli" => {
            "by the pipeline of this directory; no mail server had a part in it".to_owned()
        }
        _ => format!("by door {}", row.ingress.door),
    };
    if row.mailbox != mailbox.id.as_str() {
        return Err(format!("it arrived for mailbox {}, {way}", row.mailbox));
    }
    if row.cause != Some(Cause::Loop) {
        let cause = row.cause.map_or_else(|| row.outcome.as_str().to_owned(), Cause::slug);
        return Err(format!("it arrived, and its tag was not looked at ({cause})"));
    }
    if row.clues.iter().any(|clue| clue.signature == Some(Signature::Valid)) {
        Ok(format!("it arrived and its tag verified, {way}"))
    } else {
        Err(format!("it arrived and its tag did not verify, {way}"))
    }
}
