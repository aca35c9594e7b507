//! `redrive` and `replay`: mail once more.

use postern::{
    ingest::{Ingest, Redriven, Rehearsed, Replayed},
    outcome::Answer,
    records::Outcome,
    store::LedgerId,
};
use serde_json::json;

use super::{COUNTED_MAX, Output, exit, exit_code, find_mail, usage};
use crate::{args, show, sources, stack::trouble::in_words, system::System};

/// Turns of the queues that a redrive without a running `dev` works off itself.
const TURNS_MAX: usize = 100_000;

/// Brings failed mail in again.
///
/// # Errors
/// Wrong usage, no such mail, or the data directory or stack cannot be opened, read or written.
pub async fn redrive(args: &args::Redrive) -> anyhow::Result<Output> {
    if args.ids.is_empty() != (args.all || args.cause.is_some()) {
        return Err(usage("name the mails, or --all of the failed ones, or those of one --cause"));
    }
    let system = System::open(&args.common).await?;
    let ids = if args.ids.is_empty() {
        failed(&system, args.cause.as_deref()).await?
    } else {
        let mut ids = Vec::new();
        for text in &args.ids {
            ids.push(find_mail(&system, text).await?.0);
        }
        ids
    };
    let ingest = Ingest { retry: Some(system.retry_queue()?), ..system.ingest().await? };
    let mut output = Output::default();
    let mut redriven = 0_usize;
    for id in &ids {
        match ingest.redrive(id).await {
            // The others are not to wait for it; another redrive mends what is half done.
            Err(error) => {
                output.trouble.push_str(&format!("postern: {id}: {error}; redrive it again\n"));
                output.code = output.code.max(exit::SOFTWARE);
            }
            Ok(Redriven::Queued) => {
                redriven += 1;
                let line = if args.common.json {
                    format!("{}\n", json!({ "inbound_id": id.to_string(), "status": "queued" }))
                } else {
                    format!("queued {id}\n")
                };
                output.text.push_str(&line);
            }
            Ok(Redriven::Refused(why)) => {
                output.trouble.push_str(&format!("postern: {id}: {why}\n"));
                output.code = output.code.max(exit::REFUSED);
            }
        }
    }
    if redriven > 0 {
        sources::work_off(&system, TURNS_MAX).await?;
    }
    if !args.common.json {
        output.text.push_str(&format!("{redriven} of {} brought in again\n", ids.len()));
    }
    system.close().await;
    Ok(output)
}

async fn failed(system: &System, cause: Option<&str>) -> anyhow::Result<Vec<LedgerId>> {
    // A queued row whose message was lost on the way is told of again; twice is no harm.
    let outcomes: &[Outcome] = if cause.is_none() { &[Outcome::Failed, Outcome::Queued] } else { &[Outcome::Failed] };
    let lines = system.store.attention(outcomes, COUNTED_MAX).await?;
    let wanted = lines.iter().filter(|line| {
        let slug = line.row.cause.map(postern::records::Cause::slug).unwrap_or_default();
        cause.is_none_or(|cause| cause == slug)
    });
    Ok(wanted.filter_map(|line| LedgerId::parse(&line.id)).collect())
}

/// Replays mail, or tells what would be decided today. One that cannot be is told of, and the others are not to wait for it.
///
/// # Errors
/// Wrong usage, or the data directory or stack cannot be opened.
pub async fn replay(args: &args::Replay) -> anyhow::Result<Output> {
    if args.dry_run && args.ids.iter().any(|text| is_key(text)) {
        return Err(usage("--dry-run takes the ids of mail that has a row; `postern mail` lists them"));
    }
    let system = System::open(&args.common).await?;
    let ingest = system.ingest().await?;
    let mut output = Output::default();
    for text in &args.ids {
        match once_more(&system, &ingest, text, args.dry_run).await.map_err(in_words) {
            Ok(Replayed::Done(answers)) => {
                let name = if args.dry_run { format!("{text}, not written") } else { text.clone() };
                for answer in answers {
                    output.text.push_str(&show::answer(&answer, &name, args.common.json)?);
                }
            }
            Ok(Replayed::Refused(why)) => {
                output.trouble.push_str(&format!("postern: {text}: {why}\n"));
                output.code = output.code.max(exit::REFUSED);
            }
            Err(error) => {
                output.trouble.push_str(&format!("postern: {text}: {error:#}\n"));
                output.code = output.code.max(exit_code(&error));
            }
        }
    }
    system.close().await;
    Ok(output)
}

/// An object key, not the id of a row.
fn is_key(text: &str) -> bool {
    text.starts_with("raw/")
}

async fn once_more(system: &System, ingest: &Ingest, text: &str, dry_run: bool) -> anyhow::Result<Replayed> {
    if is_key(text) {
        return Ok(ingest.replay_object(text).await?);
    }
    let id = find_mail(system, text).await?.0;
    if !dry_run {
        return Ok(ingest.replay(&id).await?);
    }
    Ok(match ingest.rehearse(&id).await? {
        Rehearsed::Done(rows) => Replayed::Done(rows.iter().map(|(id, row)| Answer::of(id.to_string(), row)).collect()),
        Rehearsed::Refused(why) => Replayed::Refused(why),
    })
}
