//! `ingest` and `inspect`: mail from files.

use anyhow::{anyhow, bail};
use jiff::Timestamp;
use postern::{
    address::AddrSpec,
    envelope::{Envelope, ReversePath},
    headers,
    inbound::{InboundMessage, Ingress, Origin},
    mailbox::{MailboxId, Mailboxes},
};

use super::{Output, exit, read_input};
use crate::{args, local::Local, show};

/// What the door takes: as SES receives at most, 40 MB with headers.
const MESSAGE_OCTETS_MAX: usize = 40 * 1024 * 1024;
/// Door and provider of mail read from files.
const DOOR: &str = "cli";

/// Reads mail into the local system.
///
/// # Errors
/// The answers do not print; everything else is an exit code.
pub async fn ingest(args: &args::Ingest) -> anyhow::Result<Output> {
    let usage = |error: anyhow::Error| Output::trouble(&format!("{error:#}"), exit::USAGE);
    if let Some(stack) = &args.common.aws.stack {
        let doors = format!("`postern doors --stack {stack}` shows them");
        return Ok(usage(anyhow!("ingest reads mail into a data directory; a stack takes mail by its doors: {doors}")));
    }
    let envelope = match envelope(&args.envelope) {
        Ok(envelope) => envelope,
        Err(error) => return Ok(usage(error)),
    };
    let local = match Local::open(&args.common.data).await {
        Ok(local) => local,
        // Not safe yet: whoever hands the mail over keeps it.
        Err(error) => return Ok(Output::trouble(&format!("{error:#}"), exit::TEMP_FAIL)),
    };
    let mailbox = match mailbox(&args.envelope, &local.ingest.mailboxes) {
        Ok(mailbox) => mailbox,
        Err(error) => return Ok(usage(error)),
    };
    let mut output = Output::default();
    for file in &args.files {
        let name = file.display().to_string();
        let raw = match read_input(file) {
            Ok(raw) if raw.len() > MESSAGE_OCTETS_MAX => {
                output
                    .trouble
                    .push_str(&format!("postern: {name}: larger than {MESSAGE_OCTETS_MAX} octets, not taken\n"));
                output.code = output.code.max(exit::DATA);
                continue;
            }
            Ok(raw) => raw,
            Err(error) => {
                output.trouble.push_str(&format!("postern: {error:#}\n"));
                output.code = output.code.max(exit::NO_INPUT);
                continue;
            }
        };
        let servers = &args.envelope.authserv_ids;
        let message = message(raw, envelope.clone(), servers, mailbox.clone(), local.ingest.ambient.now());
        match local.ingest.run(message).await {
            Ok(answers) => {
                for answer in answers {
                    output.text.push_str(&show::answer(&answer, &name, args.common.json)?);
                }
            }
            Err(error) => {
                output.trouble.push_str(&format!("postern: {name}: not safe yet, try again: {error}\n"));
                output.code = exit::TEMP_FAIL;
            }
        }
    }
    local.close().await;
    Ok(output)
}

/// The envelope that the words tell; `None` where they tell nothing.
pub(super) fn envelope(args: &args::Envelope) -> anyhow::Result<Option<Envelope>> {
    if args.to.is_empty() && args.from.is_none() {
        return Ok(None);
    }
    // A mail server hands over what RFC 5321 allows, which is more than is read here: that must not cost the mail.
    let of_a_server = |text: &str| text.contains('@');
    if let Some(word) = args.to.iter().find(|text| AddrSpec::parse(text).is_none() && !of_a_server(text)) {
        bail!("--to {word:?} is no address");
    }
    let forward_paths = args.to.iter().filter_map(|text| AddrSpec::parse(text)).collect();
    let reverse_path = match args.from.as_deref().map(ReversePath::parse) {
        Some(ReversePath::Unknown) if !args.from.as_deref().is_some_and(of_a_server) => {
            bail!("--from is no address; use <> for the null reverse-path")
        }
        Some(path) => path,
        None => ReversePath::Unknown,
    };
    Ok(Some(Envelope { reverse_path, forward_paths, from_header: false }))
}

/// The mailbox that is named.
pub(super) fn mailbox(args: &args::Envelope, mailboxes: &Mailboxes) -> anyhow::Result<Option<MailboxId>> {
    let Some(text) = &args.mailbox else { return Ok(None) };
    let known = MailboxId::parse(text).filter(|id| mailboxes.by_id(id).is_some());
    let names: Vec<&str> = mailboxes.iter().map(|m| m.id.as_str()).collect();
    known.map(Some).ok_or_else(|| anyhow!("mailbox {text:?} is not configured; there is {}", names.join(", ")))
}

/// A message from a file. Without an envelope both paths come from the topmost trace fields, marked as such.
pub(super) fn message(
    raw: Vec<u8>,
    envelope: Option<Envelope>,
    servers: &[String],
    mailbox: Option<MailboxId>,
    now: Timestamp,
) -> InboundMessage {
    let headers = headers::scan(&raw);
    let verdicts = headers::trusted_results(&headers, servers).unwrap_or_default();
    let traced = || {
        let forward_paths = headers.delivered_to.first().cloned().into_iter().collect();
        Envelope { reverse_path: headers.return_path, forward_paths, from_header: true }
    };
    let envelope = envelope.unwrap_or_else(traced);
    InboundMessage {
        raw: raw.into(),
        origin: Origin::Received,
        envelope,
        ingress: Ingress { door: DOOR.to_owned(), provider: DOOR.to_owned(), event_id: None, transport_time: now },
        verdicts,
        mailbox,
        replay_guard: None,
        payload: None,
        fetch: None,
    }
}

/// Prints what Postern understands of one message. Any octets give an object.
///
/// # Errors
/// The file does not read.
pub fn inspect(args: &args::Inspect) -> anyhow::Result<Output> {
    let raw = match read_input(&args.file) {
        Ok(raw) => raw,
        Err(error) => return Ok(Output::trouble(&format!("{error:#}"), exit::NO_INPUT)),
    };
    let value = postern::inspect::inspect(&raw, args.html);
    Ok(Output::ok(super::pretty(&value)?))
}
