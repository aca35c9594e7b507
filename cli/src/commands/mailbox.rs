//! `mailbox`: what people write to.

mod probe;
mod shown;
mod smtp;
mod test;

use postern::{
    door::Door,
    mailbox::{Mailbox, MailboxId, Mailboxes},
    records::Outcome,
    store::LedgerId,
};
use serde_json::json;

use super::{
    COUNTED_MAX, NotFound, Output, pretty,
    settings::{self, Edit, FOLLOW_SECONDS, mailbox_id, unknown, words},
    usage,
};
use crate::{
    args::{self, MailboxVerb as Verb},
    setup::{Setup, Source, View},
};

/// `mailbox list`, `show`, `add`, `set`, `remove`, `test`.
///
/// # Errors
/// Wrong usage, no such mailbox, settings that would not go together; the table cannot be read or written.
pub async fn mailbox(args: &args::Mailbox) -> anyhow::Result<Output> {
    match &args.verb {
        Verb::List { common } => list(common).await,
        Verb::Show(named) => show(named).await,
        Verb::Add(change) => add(change).await,
        Verb::Set(change) => set(change).await,
        Verb::Remove(args) => remove(args).await,
        Verb::Test(named) => Box::pin(test::test(named)).await,
    }
}

async fn list(common: &args::Common) -> anyhow::Result<Output> {
    let setup = Setup::open(common).await?;
    let view = setup.view().await;
    setup.close().await;
    let view = view?;
    let fault = view.in_force.as_ref().err().map(settings::untogether);
    let text = if common.json {
        let all: Vec<_> = view.mailboxes().into_iter().map(|(mailbox, source)| shown::json(mailbox, source)).collect();
        pretty(&json!({ "mailboxes": all, "fault": fault }))?
    } else {
        shown::table(&view.mailboxes()) + &fault.map(|fault| format!("WRONG: {fault}\n")).unwrap_or_default()
    };
    Ok(Output::ok(text))
}

async fn show(named: &args::Named) -> anyhow::Result<Output> {
    let id = mailbox_id(&named.id)?;
    let setup = Setup::open(&named.common).await?;
    let (view, place) = (setup.view().await, setup.place());
    setup.close().await;
    let view = view?;
    let (mailbox, source) = view.mailbox(&id).ok_or_else(|| unknown("mailbox", id.as_str(), &place))?;
    Ok(Output::ok(if named.common.json {
        pretty(&shown::json(mailbox, source))?
    } else {
        shown::in_full(mailbox, source)
    }))
}

async fn add(args: &args::MailboxChange) -> anyhow::Result<Output> {
    let id = mailbox_id(&args.id)?;
    let new = new(&id, &args.fields)?;
    let setup = Setup::open(&args.common).await?;
    let place = setup.place();
    let made = settings::change(&setup, |view| match view.mailbox(&id) {
        Some((_, source)) => Err(NotFound(format!(
            "mailbox {id} is there already ({source}); `postern mailbox set {id}{place}` changes it",
            id = id.as_str(),
            source = source.word(),
        ))
        .into()),
        None => Ok(Edit::Mailbox(Box::new(new.clone()))),
    })
    .await;
    setup.close().await;
    let (view, _) = made?;
    told(&view, &id, args, true, None)
}

/// A mailbox out of words alone.
fn new(id: &MailboxId, fields: &args::MailboxFields) -> anyhow::Result<Mailbox> {
    // Stands in for the addresses that are named, which replace it.
    let first = fields.addresses.first().and_then(|text| postern::address::AddrSpec::parse(text));
    let Some(first) = first else {
        let found = fields.addresses.first().map(|text| format!("{text:?} is no e-mail address"));
        let why = found.unwrap_or_else(|| "is missing: what people write to".to_owned());
        return Err(usage(format!("mailbox {}: --address {why}", id.as_str())));
    };
    let mut mailbox = Mailbox::new(id.clone(), first, "INC");
    words::onto_mailbox(&mut mailbox, fields)?;
    // Told before anything is opened.
    Mailboxes::new(vec![mailbox.clone()]).map_err(|error| usage(error.to_string()))?;
    Ok(mailbox)
}

async fn set(args: &args::MailboxChange) -> anyhow::Result<Output> {
    let id = mailbox_id(&args.id)?;
    let setup = Setup::open(&args.common).await?;
    let place = setup.place();
    let mut was = None;
    let made = settings::change(&setup, |view| {
        let (before, source) = view.mailbox(&id).ok_or_else(|| unknown("mailbox", id.as_str(), &place))?;
        was = Some(source);
        let mut after = before.clone();
        words::onto_mailbox(&mut after, &args.fields)?;
        Ok(if after == *before { Edit::Nothing } else { Edit::Mailbox(Box::new(after)) })
    })
    .await;
    setup.close().await;
    let (view, changed) = made?;
    told(&view, &id, args, changed, was)
}

/// What is in force after a change.
fn told(
    view: &View,
    id: &MailboxId,
    args: &args::MailboxChange,
    changed: bool,
    was: Option<Source>,
) -> anyhow::Result<Output> {
    let Some((mailbox, source)) = view.mailbox(id) else { return Err(unknown("mailbox", id.as_str(), "")) };
    if args.common.json {
        let json =
            json!({ "mailbox": shown::json(mailbox, source), "changed": changed, "follow_seconds": FOLLOW_SECONDS });
        return Ok(Output::ok(pretty(&json)?));
    }
    let mut text = shown::in_full(mailbox, source);
    if !changed {
        return Ok(Output::ok(text + "nothing to change\n"));
    }
    if was == Some(Source::Environment) {
        text.push_str("it came from the environment; it is stored from now on, and what the environment says of it does not count\n");
    }
    Ok(Output::ok(text + "in force; functions follow within a minute\n"))
}

async fn remove(args: &args::MailboxRemove) -> anyhow::Result<Output> {
    let id = mailbox_id(&args.id)?;
    let setup = Setup::open(&args.common).await?;
    let place = setup.place();
    let waiting = waiting(&setup, &id).await;
    let removed = match &waiting {
        Err(error) => Err(anyhow::anyhow!("{error:#}")),
        Ok(waiting) => {
            settings::change(&setup, |view| {
                removable(view, &id, &place)?;
                if waiting.held > 0 && !args.force && view.defaults.mailboxes.by_id(&id).is_none() {
                    return Err(NotFound(held(&id, waiting.held, &place)).into());
                }
                Ok(Edit::NoMailbox(id.clone()))
            })
            .await
        }
    };
    setup.close().await;
    let ((view, _), waiting) = (removed?, waiting?);
    let stays = view.mailbox(&id).map(|(_, source)| source);
    if args.common.json {
        return Ok(Output::ok(pretty(&json!({
            "removed": id.as_str(), "still": stays, "held": waiting.held, "open": waiting.open,
            "follow_seconds": FOLLOW_SECONDS,
        }))?));
    }
    let mut text = format!("mailbox {} is removed; functions follow within a minute\n", id.as_str());
    if stays.is_some() {
        text.push_str("what the environment says of it is in force again\n");
    } else {
        text.push_str(
            "its tickets stay; answers to them go to other mailboxes that have the address, else they are held\n",
        );
        if waiting.open > 0 {
            text.push_str(&format!(
                "mail for it that is not decided yet ({}) is held then, cause mailbox-removed\n",
                waiting.open
            ));
        }
        if waiting.held > 0 {
            text.push_str(&format!(
                "held mail ({}): `postern hold release ID --mailbox OTHER{place}` releases each to another mailbox\n",
                waiting.held
            ));
        }
    }
    Ok(Output::ok(text))
}

/// Mail of a mailbox that waits.
struct Waiting {
    held: usize,
    /// Queued or failed: it is decided later.
    open: usize,
}

async fn waiting(setup: &Setup, id: &MailboxId) -> anyhow::Result<Waiting> {
    let outcomes = [Outcome::Held, Outcome::Queued, Outcome::Failed];
    let lines = setup.store.attention(&outcomes, COUNTED_MAX).await?;
    let its = |line: &&postern::store::query::LedgerLine| {
        LedgerId::parse(&line.id).is_some_and(|ledger| ledger.mailbox() == id.as_str())
    };
    let (held, open): (Vec<_>, Vec<_>) = lines.iter().filter(its).partition(|line| line.row.outcome == Outcome::Held);
    Ok(Waiting { held: held.len(), open: open.len() })
}

fn held(id: &MailboxId, held: usize, place: &str) -> String {
    format!(
        "mail is held for mailbox {id} ({held}): release or discard them first (`postern hold list{place}`), or remove it \
         with --force; then each needs `hold release --mailbox`",
        id = id.as_str()
    )
}

/// Refuses what cannot be taken away, with what to do instead.
fn removable(view: &View, id: &MailboxId, place: &str) -> anyhow::Result<()> {
    let name = id.as_str();
    match view.mailbox(id) {
        None => return Err(unknown("mailbox", name, place)),
        Some((_, Source::Stored)) => {}
        Some(_) => {
            return Err(NotFound(format!(
                "mailbox {name} comes from the environment (POSTERN_ADDRESS; parameter Address of a stack), so it cannot be \
                 removed here: change it there, or `postern mailbox set {name} --enabled false{place}`"
            ))
            .into());
        }
    }
    if view.defaults.mailboxes.by_id(id).is_some() {
        return Ok(());
    }
    let doors: Vec<&Door> = view.doors().into_iter().map(|(door, _)| door).collect();
    let naming: Vec<&str> =
        doors.iter().filter(|door| door.mailbox.as_ref() == Some(id)).map(|door| door.id.as_str()).collect();
    match naming.first() {
        None => Ok(()),
        Some(first) => Err(NotFound(format!(
            "all mail of door {} is for mailbox {name}: change that first, `postern door set {first} --mailbox -{place}` (by \
             address), or name another mailbox",
            naming.join(", ")
        ))
        .into()),
    }
}
