//! `rule`: what a mailbox does with mail of a certain form.

use std::{fmt::Write as _, path::Path};

use postern::{
    explain::Explanation,
    mailbox::{Mailbox, Mailboxes},
    rules::{Listed, Rule, RuleSet, Ruled, Rules, State},
};
use serde_json::{Value, json};

use super::{
    Output, exit, ingest, pretty, read_input,
    settings::{self, Edit, FOLLOW_SECONDS, mailbox_id, unknown},
    usage,
};
use crate::{
    args::{self, RuleVerb as Verb},
    setup::{Setup, View},
    show,
    system::System,
};

/// `rule list`, `set`, `check`.
///
/// # Errors
/// Wrong usage, no such mailbox, rules with a fault; the table cannot be read or written.
pub async fn rule(args: &args::Rule) -> anyhow::Result<Output> {
    match &args.verb {
        Verb::List { mailbox, common } => list(mailbox.as_deref(), common).await,
        Verb::Set(args) => set(args).await,
        Verb::Check(args) => Box::pin(check(args)).await,
    }
}

async fn list(mailbox: Option<&str>, common: &args::Common) -> anyhow::Result<Output> {
    let id = mailbox.map(mailbox_id).transpose()?;
    let setup = Setup::open(common).await?;
    let (view, place) = (setup.view().await, setup.place());
    setup.close().await;
    let view = view?;
    if let Some(id) = id {
        let (mailbox, _) = view.mailbox(&id).ok_or_else(|| unknown("mailbox", id.as_str(), &place))?;
        let rules = rules_of(&view, mailbox);
        let file: Value = serde_json::from_str(&rules.to_json())?;
        return Ok(Output::ok(if common.json { pretty(&file)? } else { shown(mailbox, &rules)? }));
    }
    let all: Vec<(&Mailbox, Rules)> =
        view.mailboxes().into_iter().map(|(mailbox, _)| (mailbox, rules_of(&view, mailbox))).collect();
    if common.json {
        let one = |(mailbox, rules): &(&Mailbox, Rules)| {
            let file: Value = serde_json::from_str(&rules.to_json()).unwrap_or_default();
            (mailbox.id.as_str().to_owned(), file)
        };
        return Ok(Output::ok(pretty(
            &json!({ "mailboxes": all.iter().map(one).collect::<serde_json::Map<_, _>>() }),
        )?));
    }
    let text: Vec<String> = all.iter().map(|(mailbox, rules)| shown(mailbox, rules)).collect::<Result<_, _>>()?;
    Ok(Output::ok(text.join("\n")))
}

fn rules_of(view: &View, mailbox: &Mailbox) -> Rules {
    view.stored.rules.get(&mailbox.id).cloned().unwrap_or_default()
}

/// The rules of a mailbox, one line each.
fn shown(mailbox: &Mailbox, rules: &Rules) -> anyhow::Result<String> {
    let nothing = RuleSet::default();
    let set = rules.set().unwrap_or(&nothing);
    let only = if set.only_allowed { ", nobody else" } else { "" };
    let mut text = format!(
        "{}: {} rules, {} allowed{only}, {} blocked\n",
        mailbox.id.as_str(),
        set.rules.len(),
        set.allow.len(),
        set.block.len()
    );
    let width = set.rules.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    for (n, Rule { name, when, then, stop, .. }) in set.rules.iter().enumerate() {
        let (when, then) = (serde_json::to_string(when)?, serde_json::to_string(then)?);
        let stop = if *stop { "  stop" } else { "" };
        let _ = writeln!(text, "{:>4}  {name:<width$}  if {when}  then {then}{stop}", n + 1);
    }
    Ok(text)
}

/// A file that was named: its text, or what is told where it doesn't read.
fn text_of(file: &Path) -> Result<String, Output> {
    let octets = read_input(file).map_err(|error| Output::trouble(&format!("{error:#}"), exit::NO_INPUT))?;
    String::from_utf8(octets).map_err(|_| Output::trouble(&format!("{}: no UTF-8", file.display()), exit::USAGE))
}

/// Rules of a file, or every fault of it.
fn read(file: &Path) -> Result<Rules, Output> {
    let told = |error| Output::trouble(&format!("{}: {error}", file.display()), exit::USAGE);
    Rules::parse(&text_of(file)?).map_err(told)
}

async fn set(args: &args::RuleSet) -> anyhow::Result<Output> {
    let id = mailbox_id(&args.mailbox)?;
    let rules = match read(&args.file) {
        Ok(rules) => rules,
        Err(told) => return Ok(told),
    };
    let setup = Setup::open(&args.common).await?;
    let place = setup.place();
    let made = settings::change(&setup, |view| {
        let (mailbox, _) = view.mailbox(&id).ok_or_else(|| unknown("mailbox", id.as_str(), &place))?;
        let same = rules_of(view, mailbox) == rules;
        Ok(if same { Edit::Nothing } else { Edit::Rules(id.clone(), rules.clone()) })
    })
    .await;
    setup.close().await;
    let (view, changed) = made?;
    let count = rules.set().map_or(0, |set| set.rules.len());
    if args.common.json {
        let json =
            json!({ "mailbox": id.as_str(), "rules": count, "changed": changed, "follow_seconds": FOLLOW_SECONDS });
        return Ok(Output::ok(pretty(&json)?));
    }
    let Some((mailbox, _)) = view.mailbox(&id) else { return Err(unknown("mailbox", id.as_str(), "")) };
    let end = if changed { "in force; functions follow within a minute\n" } else { "nothing to change\n" };
    Ok(Output::ok(shown(mailbox, &rules)? + end))
}

async fn check(args: &args::RuleCheck) -> anyhow::Result<Output> {
    let envelope = ingest::envelope(&args.envelope).map_err(|error| usage(format!("{error:#}")))?;
    let tried = match args.rules.as_deref().map(read).transpose() {
        Ok(tried) => tried,
        Err(told) => return Ok(told),
    };
    let raw = match read_input(&args.file) {
        Ok(raw) => raw,
        Err(error) => return Ok(Output::trouble(&format!("{error:#}"), exit::NO_INPUT)),
    };
    let system = System::open(&args.common).await?;
    let mailbox = ingest::mailbox(&args.envelope, &system.settings.mailboxes).map_err(|e| usage(format!("{e:#}")))?;
    let mut pipeline = system.ingest().await?;
    if let Some(rules) = tried {
        let with = |mailbox: &Mailbox| Mailbox { rules: rules.clone(), ..mailbox.clone() };
        pipeline.mailboxes = Mailboxes::new(pipeline.mailboxes.iter().map(with).collect())?;
    }
    let message = ingest::message(raw, envelope, &args.envelope.authserv_ids, mailbox, system.ambient.now());
    let ruled = pipeline.judge(message.clone()).await;
    let rows = pipeline.rehearse_mail(message).await;
    system.close().await;
    let decided: Vec<Explanation> = rows?.iter().map(|(id, row)| Explanation::of(id.to_string(), row)).collect();
    let of = |id: &str| ruled.iter().find(|(mailbox, _)| mailbox.as_str() == id).map(|(_, ruled)| ruled);
    if args.common.json {
        let one = |decision: &Explanation| {
            let ruled = of(&decision.mailbox);
            json!({ "mailbox": decision.mailbox, "fired": ruled.map(|ruled| &ruled.fired), "set": ruled.map(as_json),
                    "outcome": decision.outcome, "effect": decision.effect, "cause": decision.cause,
                    "reasons": decision.reasons })
        };
        return Ok(Output::ok(pretty(&json!({ "mailboxes": decided.iter().map(one).collect::<Vec<_>>() }))?));
    }
    let mut text = String::new();
    for decision in &decided {
        let _ = writeln!(text, "mailbox   {}", decision.mailbox);
        of(&decision.mailbox).map(in_words).into_iter().for_each(|words| text.push_str(&words));
        let _ = writeln!(text, "decision  {}", show::decision(decision));
    }
    Ok(Output::ok(text))
}

fn as_json(ruled: &Ruled) -> Value {
    json!({
        "queue": ruled.queue, "type": ruled.ticket_type, "priority": ruled.priority, "tags": ruled.tags,
        "acknowledge": ruled.acknowledge, "participants": ruled.participants, "hold": ruled.hold,
        "ignore": ruled.ignore, "reopen": ruled.reopen, "merge_key": ruled.merge.as_ref().map(|merge| &merge.shown),
        "state": ruled.merge.as_ref().map(|merge| state(merge.state)), "listed": listed(ruled.listed),
    })
}

fn in_words(ruled: &Ruled) -> String {
    let fired = if ruled.fired.is_empty() { "none".to_owned() } else { ruled.fired.join(", ") };
    let mut text = format!("rules     {fired}\n");
    let yes_no = |said: Option<bool>| said.map(|yes| if yes { "yes" } else { "no" }.to_owned());
    let merge = ruled.merge.as_ref().map(|merge| format!("{} ({})", show::plain(&merge.shown), state(merge.state)));
    let said = [
        ("queue", ruled.queue.clone()),
        ("type", ruled.ticket_type.clone()),
        ("priority", ruled.priority.map(|priority| priority.as_str().to_owned())),
        ("tags", Some(ruled.tags.join(", ")).filter(|tags| !tags.is_empty())),
        ("acknowledge", yes_no(ruled.acknowledge)),
        ("participants", ruled.participants.map(|who| show::word(&who))),
        ("hold", ruled.hold.then(|| "yes".to_owned())),
        ("ignore", ruled.ignore.then(|| "yes".to_owned())),
        ("reopen", yes_no(ruled.reopen)),
        ("merge key", merge),
        ("author", listed(ruled.listed).map(str::to_owned)),
    ];
    for (what, value) in said.into_iter().filter_map(|(what, value)| Some((what, value?))) {
        let _ = writeln!(text, "  {what:<12}  {value}");
    }
    text
}

const fn state(state: State) -> &'static str {
    match state {
        State::Problem => "problem",
        State::Recovery => "recovery",
        State::Note => "note",
    }
}

const fn listed(listed: Listed) -> Option<&'static str> {
    match listed {
        Listed::Nowhere => None,
        Listed::Allowed => Some("allowed"),
        Listed::Blocked => Some("blocked"),
        Listed::NotAllowed => Some("not allowed"),
    }
}
