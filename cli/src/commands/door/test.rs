//! `door test`: whether a door is open and reachable, and what to paste where. Nothing is handed over: a GET is answered by
//! our own words before anybody is asked for a proof.

use postern::poll::Tried;
use serde::Serialize;
use serde_json::json;

use crate::{
    args,
    commands::{
        Output,
        doors::{self, Held, paste},
        exit,
        poll::poller,
        pretty, probe, settings,
    },
    setup::Setup,
    system::System,
};

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Looked {
    check: &'static str,
    /// `None` = it could not be found out.
    good: Option<bool>,
    found: String,
}

/// Looks at a door.
///
/// # Errors
/// No such door, the settings do not go together.
pub(super) async fn test(named: &args::Named) -> anyhow::Result<Output> {
    let id = settings::door_id(&named.id)?;
    let setup = Setup::open(&named.common).await?;
    let looked = look(&setup, &id).await;
    setup.close().await;
    let (mut looked, there) = looked?;
    looked.extend(polled(&named.common, &id).await?);
    let good = looked.iter().all(|looked| looked.good != Some(false));
    let text = if named.common.json {
        pretty(&json!({ "door": id, "checks": looked, "there": there, "good": good }))?
    } else {
        let line = |Looked { check, good, found }: &Looked| {
            let state = good.map_or("?", |good| if good { "ok" } else { "WRONG" });
            format!("  {state:<5} {check:<8} {found}\n")
        };
        let lines: String = looked.iter().map(line).collect();
        let there: String = there.iter().map(|line| format!("  there {line}\n")).collect();
        format!("door {id}\n{lines}{there}")
    };
    Ok(Output { text, code: if good { exit::OK } else { exit::REFUSED }, ..Output::default() })
}

async fn look(setup: &Setup, id: &postern::door::DoorId) -> anyhow::Result<(Vec<Looked>, Vec<String>)> {
    let (view, place) = (setup.view().await?, setup.place());
    let settings = settings::in_force(&view)?;
    let (door, _) = view.door(id).ok_or_else(|| settings::unknown("door", id.as_str(), &place))?;
    let found = match (settings.closed, door.enabled) {
        (true, _) => "shut: POSTERN_ENABLED is false, every door answers 503".to_owned(),
        (_, false) => format!("switched off: 503 until `postern door set {id} --enabled true{place}`"),
        _ => "enabled".to_owned(),
    };
    let mut looked = vec![Looked { check: "enabled", good: Some(door.enabled && !settings.closed), found }];
    let secrets = Held::read(doors::vault(setup)).await.of_door(door);
    let found = doors::shown(&secrets, &place).join("; ");
    let found = if found.is_empty() { "none is needed: SNS signs each request".to_owned() } else { found };
    looked.push(Looked { check: "secret", good: doors::opened(&secrets), found });
    if door.provider == postern::door::Provider::Ses {
        let allowed = door.topics.join(", ");
        let good = !door.topics.is_empty();
        let found = if good { allowed } else { "no topic may deliver: --topic ARN allows one".to_owned() };
        looked.push(Looked { check: "topics", good: Some(good), found });
    }
    if let Some(found) = setup.unpolled(door) {
        looked.push(Looked { check: "stack", good: Some(false), found });
    }
    if door.polled().is_some() {
        return Ok((looked, Vec::new()));
    }
    let (url, head) = doors::url(setup).await?;
    let paste = paste::of(door, url.as_deref().unwrap_or("http://HOST"), &place, &settings.mailboxes);
    looked.push(match url {
        Some(_) => reached(&paste.at).await,
        None => Looked { check: "url", good: None, found: head.trim_end().to_owned() },
    });
    Ok((looked, paste.there))
}

/// Of a door that is polled: everything that a poll needs, tried.
async fn polled(common: &args::Common, id: &postern::door::DoorId) -> anyhow::Result<Vec<Looked>> {
    let system = System::open(common).await?;
    let tried = match system.settings.doors.by_id(id.as_str()).filter(|door| door.polled().is_some()) {
        Some(door) => match poller(&system).await {
            Ok(poller) => Ok(Box::pin(poller.test(door)).await),
            Err(error) => Err(error),
        },
        None => Ok(Vec::new()),
    };
    system.close().await;
    let looked = |Tried { what, good, found }| Looked { check: what, good: Some(good), found };
    Ok(tried?.into_iter().map(looked).collect())
}

/// Asks with GET: 405 and a code of our own are what only our door answers.
async fn reached(url: &str) -> Looked {
    let (good, found) = match probe::get(url).await {
        Err(why) => (Some(false), format!("{url} does not answer ({why})")),
        Ok((405, body)) if probe::code(&body) == "method" => (Some(true), format!("{url} answers")),
        Ok((503, body)) if !probe::code(&body).is_empty() => {
            let why = body.get("message").and_then(serde_json::Value::as_str).unwrap_or_default();
            (Some(false), format!("{url} answers 503: {why}"))
        }
        Ok((403, _)) => (
            Some(false),
            format!("something before {url} answers 403: take it away, Postmark never tries again after that"),
        ),
        Ok((status, _)) => (Some(false), format!("{url} answers {status}, and it is not our door that does")),
    };
    Looked { check: "url", good, found }
}
