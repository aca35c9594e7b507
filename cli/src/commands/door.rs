//! `door`: how mail arrives.

mod test;

use postern::{
    door::{Door, DoorId, Provider, Region},
    mailbox::MailboxId,
};
use serde_json::{Value, json};

use super::{
    NotFound, Output, pretty,
    settings::{self, Edit, FOLLOW_SECONDS, door_id, unknown, words},
    usage,
};
use crate::{
    args::{self, DoorVerb as Verb},
    setup::{Setup, Source, View},
    system::System,
};

/// `door list`, `show`, `add`, `set`, `remove`, `test`, `resume`.
///
/// # Errors
/// Wrong usage, no such door, settings that would not go together; the table cannot be read or written.
pub async fn door(args: &args::Door) -> anyhow::Result<Output> {
    match &args.verb {
        Verb::List { common } => list(common).await,
        Verb::Show(named) => show(named).await,
        Verb::Add(args) => add(args).await,
        Verb::Set(args) => set(args).await,
        Verb::Remove(named) => remove(named).await,
        Verb::Test(named) => Box::pin(test::test(named)).await,
        Verb::Resume(named) => resume(named).await,
    }
}

async fn list(common: &args::Common) -> anyhow::Result<Output> {
    let setup = Setup::open(common).await?;
    let view = setup.view().await;
    setup.close().await;
    let view = view?;
    let fault = view.in_force.as_ref().err().map(settings::untogether);
    if common.json {
        let all: Vec<Value> = view.doors().into_iter().map(|(door, source)| as_json(door, source)).collect();
        return Ok(Output::ok(pretty(&json!({ "doors": all, "fault": fault, "closed": view.defaults.closed }))?));
    }
    let mut text = format!("{:<16} {:<12} {:<9} {:<10} MAILBOX\n", "ID", "FROM", "STATE", "PROVIDER");
    for (door, source) in view.doors() {
        let state = if door.enabled { "enabled" } else { "disabled" };
        let mailbox = door.mailbox.as_ref().map_or("by address", MailboxId::as_str);
        let (id, source, provider) = (door.id.as_str(), source.word(), door.provider.name());
        text.push_str(&format!("{id:<16} {source:<12} {state:<9} {provider:<10} {mailbox}\n"));
    }
    if view.defaults.closed {
        text.push_str("all doors are shut: POSTERN_ENABLED is false, providers hear 503\n");
    }
    text.push_str(&fault.map(|fault| format!("WRONG: {fault}\n")).unwrap_or_default());
    Ok(Output::ok(text))
}

async fn show(named: &args::Named) -> anyhow::Result<Output> {
    let id = door_id(&named.id)?;
    let setup = Setup::open(&named.common).await?;
    let (view, place) = (setup.view().await, setup.place());
    setup.close().await;
    let view = view?;
    let (door, source) = view.door(&id).ok_or_else(|| unknown("door", id.as_str(), &place))?;
    Ok(Output::ok(if named.common.json { pretty(&as_json(door, source))? } else { in_full(door, source) }))
}

/// The door as it is stored, with where it comes from.
fn as_json(door: &Door, source: Source) -> Value {
    let mut value = json!(door);
    if let Some(object) = value.as_object_mut() {
        object.insert("source".to_owned(), json!(source));
    }
    value
}

/// All its settings, named as the options that set them.
fn in_full(door: &Door, source: Source) -> String {
    let joined = |list: &[String]| if list.is_empty() { "-".to_owned() } else { list.join(", ") };
    let region = match door.region {
        Region::Us => "us",
        Region::Eu => "eu",
    };
    let mut rows = vec![
        ("from", source.word().to_owned()),
        ("provider", door.provider.name().to_owned()),
        ("enabled", door.enabled.to_string()),
        ("mailbox", door.mailbox.as_ref().map_or("- (by address)", MailboxId::as_str).to_owned()),
        ("spam-fields", door.spam_fields.to_string()),
        ("verify-dkim", door.verify_dkim.to_string()),
    ];
    match door.provider {
        Provider::Mailgun => rows.extend([("domain", joined(&door.domains)), ("mailgun-region", region.to_owned())]),
        Provider::Ses => rows.push(("topic", joined(&door.topics))),
        Provider::Raw => rows.push(("authserv-id", joined(&door.authserv_ids))),
        Provider::Imap => {
            rows.push(("authserv-id", joined(&door.authserv_ids)));
            rows.extend(door.imap.iter().flat_map(settings::imap::rows));
        }
        Provider::Postmark | Provider::Sendgrid => {}
    }
    let lines: String = rows.into_iter().map(|(name, value)| format!("  {name:<15} {value}\n")).collect();
    format!("door {}\n{lines}", door.id)
}

async fn add(args: &args::DoorAdd) -> anyhow::Result<Output> {
    let id = door_id(&args.id)?;
    let provider = Provider::parse_any(&args.provider).ok_or_else(|| {
        let known = Provider::ALL.map(Provider::name).join(", ") + ", imap";
        usage(format!("door {id}: --provider {:?} is none that Postern knows; there are {known}", args.provider))
    })?;
    let mut new = Door::new(id.clone(), provider);
    words::onto_door(&mut new, &args.fields)?;
    let setup = Setup::open(&args.common).await?;
    let place = setup.place();
    let made = settings::change(&setup, |view| match view.door(&id) {
        Some((_, source)) => Err(NotFound(format!(
            "door {id} is there already ({}); `postern door set {id}{place}` changes it",
            source.word()
        ))
        .into()),
        None => Ok(Edit::Door(Box::new(new.clone()))),
    })
    .await;
    let unpolled = setup.unpolled(&new);
    setup.close().await;
    let (view, _) = made?;
    let mut output = told(&view, &id, &args.common, true, None, unpolled)?;
    if !args.common.json {
        output.text.push_str(&format!("`postern door test {id}{place}` says what is left to do\n"));
    }
    Ok(output)
}

async fn set(args: &args::DoorChange) -> anyhow::Result<Output> {
    let id = door_id(&args.id)?;
    let setup = Setup::open(&args.common).await?;
    let place = setup.place();
    let mut was = None;
    let made = settings::change(&setup, |view| {
        let (before, source) = view.door(&id).ok_or_else(|| unknown("door", id.as_str(), &place))?;
        was = Some(source);
        let mut after = before.clone();
        words::onto_door(&mut after, &args.fields)?;
        Ok(if after == *before { Edit::Nothing } else { Edit::Door(Box::new(after)) })
    })
    .await;
    let door = made.as_ref().ok().and_then(|(view, _)| view.door(&id)).filter(|(door, _)| door.enabled);
    let unpolled = door.and_then(|(door, _)| setup.unpolled(door));
    setup.close().await;
    let (view, changed) = made?;
    told(&view, &id, &args.common, changed, was, unpolled)
}

/// What is in force after a change; `unpolled` = why nobody would look into it.
fn told(
    view: &View,
    id: &DoorId,
    common: &args::Common,
    changed: bool,
    was: Option<Source>,
    unpolled: Option<String>,
) -> anyhow::Result<Output> {
    let Some((door, source)) = view.door(id) else { return Err(unknown("door", id.as_str(), "")) };
    if common.json {
        let mut json = json!({ "door": as_json(door, source), "changed": changed, "follow_seconds": FOLLOW_SECONDS });
        if let (Some(why), Some(object)) = (unpolled, json.as_object_mut()) {
            object.insert("unpolled".to_owned(), json!(why));
        }
        return Ok(Output::ok(pretty(&json)?));
    }
    let mut text = in_full(door, source);
    if let Some(why) = unpolled {
        text.push_str(&format!("WRONG: {why}\n"));
    }
    if !changed {
        return Ok(Output::ok(text + "nothing to change\n"));
    }
    if let Some(source @ (Source::Environment | Source::BuiltIn)) = was {
        let word = if source == Source::Environment { "came from the environment" } else { "was built in" };
        text.push_str(&format!(
            "it {word}; it is stored from now on, and what the environment says of it is not asked any more\n"
        ));
    }
    Ok(Output::ok(text + "in force; functions follow within a minute\n"))
}

/// Forgets the refused logins: the next poll logs in again.
async fn resume(named: &args::Named) -> anyhow::Result<Output> {
    let id = door_id(&named.id)?;
    let system = System::open(&named.common).await?;
    let resumed = resumed(&system, &id).await;
    system.close().await;
    let was = resumed?;
    if named.common.json {
        return Ok(Output::ok(pretty(&json!({ "door": id, "was_paused": was }))?));
    }
    let text = if was { "goes on with the next poll" } else { "was not paused" };
    Ok(Output::ok(format!("door {id} {text}\n")))
}

async fn resumed(system: &System, id: &DoorId) -> anyhow::Result<bool> {
    if system.settings.doors.by_id(id.as_str()).is_none_or(|door| door.provider != Provider::Imap) {
        return Err(NotFound(format!("there is no door {id} that is polled")).into());
    }
    let was = system.store.polled_door(id).await?.paused_at.is_some();
    system.store.resume_door(id).await?;
    Ok(was)
}

async fn remove(named: &args::Named) -> anyhow::Result<Output> {
    let id = door_id(&named.id)?;
    let setup = Setup::open(&named.common).await?;
    let place = setup.place();
    let made = settings::change(&setup, |view| match view.door(&id) {
        None => Err(unknown("door", id.as_str(), &place)),
        Some((_, Source::Stored)) => Ok(Edit::NoDoor(id.clone())),
        Some(_) => Err(NotFound(format!(
            "door {id} is one that every provider has, so it cannot be removed: it refuses everything until its \
             secret is set; `postern door set {id} --enabled false{place}` shuts it"
        ))
        .into()),
    })
    .await;
    setup.close().await;
    let (view, _) = made?;
    let stays = view.door(&id).map(|(_, source)| source);
    if named.common.json {
        return Ok(Output::ok(pretty(
            &json!({ "removed": id.as_str(), "still": stays, "follow_seconds": FOLLOW_SECONDS }),
        )?));
    }
    let mut text = format!("door {id} is removed; functions follow within a minute\n");
    text.push_str(&match stays {
        Some(source) => format!(
            "what is {} of it is in force again\n",
            match source {
                Source::Environment => "said by the environment",
                Source::BuiltIn | Source::Stored => "built in",
            }
        ),
        None => {
            "its provider hears 404 from then on; its secrets stay, and count again for a door of that id\n".to_owned()
        }
    });
    Ok(Output::ok(text))
}
