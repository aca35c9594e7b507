//! `hold`: held mail, listed, released, discarded.

use std::collections::BTreeMap;

use postern::{
    address::AddrSpec,
    ingest::{Ingest, Released},
    mailbox::MailboxId,
    outcome::Answer,
    queue::Work,
    records::{Cause, Outcome},
    store::{LedgerId, desk::Change, query::LedgerLine},
};
use serde_json::{Value, json};

use super::{COUNTED_MAX, Output, attention, desk::actor, exit, find_mail, pretty, usage};
use crate::{
    args::{self, HoldVerb as Verb, Selected, Which},
    show,
    system::System,
};

/// Held mail: list, show, release, discard.
///
/// # Errors
/// No such mail or cause, or the data directory or stack cannot be opened or read.
pub async fn hold(args: &args::Hold) -> anyhow::Result<Output> {
    match &args.verb {
        Verb::List { which, common } => list(which, common).await,
        Verb::Show { id, common } => {
            let system = System::open(common).await?;
            let found = find_mail(&system, id).await;
            system.close().await;
            let (id, row) = found?;
            if row.outcome != Outcome::Held {
                return Ok(Output::refused(&format!("the mail is {}, not held", row.outcome.as_str())));
            }
            Ok(Output::ok(if common.json { pretty(&row)? } else { show::mail_in_full(&id, &row) }))
        }
        Verb::Release { of, mailbox, actor: who, common } => {
            let actor = actor(who)?;
            let mailbox = mailbox.as_deref().map(|text| {
                MailboxId::parse(text).ok_or_else(|| usage(format!("--mailbox {text:?} is no mailbox id")))
            });
            let (mailbox, system) = (mailbox.transpose()?, System::open(common).await?);
            let ids = ids(&system, of).await?;
            let ingest = system.ingest().await?;
            let mut all = Vec::new();
            for id in ids {
                all.push(release(&system, &ingest, (id, mailbox.as_ref()), actor).await?);
            }
            system.close().await;
            done(all, of, common.json, "released")
        }
        Verb::Discard { of, actor: who, common } => {
            let actor = actor(who)?;
            let system = System::open(common).await?;
            let mut all = Vec::new();
            for id in ids(&system, of).await? {
                let change = system.store.discard(&id, actor, system.ambient.now()).await?;
                all.push(match change {
                    Change::Made(row) => Ended::Done(format!("discarded {id}; the raw octets are kept\n"), json!(row)),
                    Change::Refused(why) => Ended::Refused(id, why),
                });
            }
            system.close().await;
            done(all, of, common.json, "discarded")
        }
    }
}

/// How it went with one of them.
enum Ended {
    /// In words, and as JSON.
    Done(String, Value),
    /// Why not.
    Refused(LedgerId, String),
}

async fn release(
    system: &System,
    ingest: &Ingest,
    (id, mailbox): (LedgerId, Option<&MailboxId>),
    actor: &str,
) -> anyhow::Result<Ended> {
    match ingest.release(&id, mailbox, actor).await {
        Ok(Released::Done(answer)) => {
            let json = serde_json::from_str(&show::answer(&answer, "released", true)?)?;
            Ok(Ended::Done(told(&answer)?, json))
        }
        Ok(Released::Refused(why)) => Ok(Ended::Refused(id, why)),
        // The mail is held as before; the queue carries the word until it is done.
        Err(error) if error.retryable() => {
            let work = Work::Release { id: id.to_string(), mailbox: mailbox.cloned(), actor: actor.to_owned() };
            match system.retry_queue()?.send(&work).await {
                Ok(()) => {
                    let told = format!("not now ({error}); the retry queue releases {id}\n");
                    Ok(Ended::Done(told, json!({ "inbound_id": id.to_string(), "status": "queued" })))
                }
                Err(_) => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn told(answer: &Answer) -> anyhow::Result<String> {
    show::answer(answer, "released", false)
}

/// One id is told by itself, as many are together.
fn done(mut all: Vec<Ended>, of: &Selected, as_json: bool, what: &str) -> anyhow::Result<Output> {
    if of.ids.len() == 1 && all.len() == 1 {
        return Ok(match all.remove(0) {
            Ended::Done(_, json) if as_json => Output::ok(pretty(&json)?),
            Ended::Done(text, _) => Output::ok(text),
            Ended::Refused(_, why) => Output::refused(&why),
        });
    }
    let (mut text, mut made, mut refused) = (String::new(), Vec::new(), Vec::new());
    for one in all {
        match one {
            Ended::Done(words, json) => {
                text.push_str(&words);
                made.push(json);
            }
            Ended::Refused(id, why) => refused.push((id.to_string(), why)),
        }
    }
    let trouble: String = refused.iter().map(|(id, why)| format!("postern: {id}: {why}\n")).collect();
    let code = if refused.is_empty() { exit::OK } else { exit::REFUSED };
    let text = if as_json {
        let refused: BTreeMap<_, _> = refused.into_iter().collect();
        pretty(&json!({ what: made, "refused": refused }))?
    } else {
        format!("{text}{} {what}\n", made.len())
    };
    Ok(Output { text, trouble, code })
}

async fn ids(system: &System, of: &Selected) -> anyhow::Result<Vec<LedgerId>> {
    let mut ids = Vec::new();
    for text in &of.ids {
        ids.push(find_mail(system, text).await?.0);
    }
    if of.ids.is_empty() {
        // Oldest first: what was first becomes the ticket that later mail joins.
        let lines = held(system, &of.which).await?;
        ids.extend(lines.iter().rev().filter_map(|line| LedgerId::parse(&line.id)));
    }
    Ok(ids)
}

/// Held mail, newest first.
async fn held(system: &System, which: &Which) -> anyhow::Result<Vec<LedgerLine>> {
    let cause = which.cause.as_deref().map(cause).transpose()?;
    let author = which
        .author
        .as_deref()
        .map(|text| AddrSpec::parse(text).ok_or_else(|| usage(format!("--from {text:?} is no e-mail address"))));
    let author = author.transpose()?;
    let mut lines = system.store.attention(&[Outcome::Held], COUNTED_MAX).await?;
    lines.retain(|line| cause.is_none_or(|cause| line.row.cause == Some(cause)));
    lines.retain(|line| author.is_none() || author == author_of(line));
    Ok(lines)
}

fn cause(slug: &str) -> anyhow::Result<Cause> {
    let read = serde_json::from_value(json!(slug)).ok();
    read.ok_or_else(|| usage(format!("--cause {slug:?} is none; docs/THREADING.md lists them")))
}

fn author_of(line: &LedgerLine) -> Option<AddrSpec> {
    line.row.author.as_deref().and_then(AddrSpec::parse)
}

/// What one author has too much of.
#[derive(serde::Serialize)]
struct Group {
    cause: Cause,
    author: Option<AddrSpec>,
    mails: usize,
}

/// True where it is held because there was too much of it, whatever it says.
fn is_too_much(line: &LedgerLine) -> bool {
    line.row.cause == Some(Cause::Loop) && line.row.reasons.iter().any(|reason| reason.ends_with("-capped"))
}

async fn list(which: &Which, common: &args::Common) -> anyhow::Result<Output> {
    let system = System::open(common).await?;
    let lines = held(&system, which).await?;
    let waiting = attention(&system).await?;
    system.close().await;
    let mut counts: BTreeMap<Option<AddrSpec>, usize> = BTreeMap::new();
    lines.iter().filter(|line| is_too_much(line)).for_each(|line| *counts.entry(author_of(line)).or_default() += 1);
    let groups: Vec<Group> =
        counts.into_iter().map(|(author, mails)| Group { cause: Cause::Loop, author, mails }).collect();
    if common.json {
        return Ok(Output::ok(pretty(&json!({ "mail": lines, "groups": groups, "attention": waiting }))?));
    }
    let single: Vec<LedgerLine> = lines.into_iter().filter(|line| !is_too_much(line)).collect();
    let mut text = String::new();
    if !single.is_empty() {
        text.push_str(&show::ledger(&single, 0));
    } else if groups.is_empty() {
        text.push_str("no mail is held\n");
    }
    for Group { author, mails, .. } in groups {
        let (who, option) = match author {
            Some(author) => (author.to_string(), format!(" --from {author}")),
            None => ("(unknown authors)".to_owned(), String::new()),
        };
        text.push_str(&format!(
            "loop: {mails} mails of {who}, more than the mailbox takes within an hour; \
             `postern hold release --cause loop{option}`, or discard\n"
        ));
    }
    Ok(Output::ok(text + &show::attention(waiting)))
}
