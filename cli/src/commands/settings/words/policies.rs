//! Words of policies: what a mailbox lets mail do.

use postern::mailbox::{
    AuthenticationPolicy, Caps, CcPolicy, CourtesyPolicy, LifecyclePolicy, Mailbox, ReplyToPolicy, StrangerPolicy, Who,
};

use super::listed;
use crate::{args::MailboxFields, commands::usage};

/// A policy and its word.
type Words<T, const N: usize> = [(&'static str, T); N];

/// What a stranger's mail does.
const STRANGERS: Words<StrangerPolicy, 4> = [
    ("unverified", StrangerPolicy::Unverified),
    ("append", StrangerPolicy::Append),
    ("new", StrangerPolicy::New),
    ("hold", StrangerPolicy::Hold),
];
/// What failed authentication does.
const AUTHENTICATION: Words<AuthenticationPolicy, 3> = [
    ("record", AuthenticationPolicy::Record),
    ("flag", AuthenticationPolicy::Flag),
    ("hold", AuthenticationPolicy::Hold),
];
/// What becomes of those in To and Cc.
const CC: Words<CcPolicy, 3> =
    [("approved", CcPolicy::Approved), ("pending", CcPolicy::Pending), ("ignored", CcPolicy::Ignored)];
/// When Reply-To names the requester.
const REPLY_TO: Words<ReplyToPolicy, 2> = [("forms", ReplyToPolicy::Forms), ("always", ReplyToPolicy::Always)];

/// What a reply does that only says thanks.
const COURTESY: Words<CourtesyPolicy, 2> = [("reopens", CourtesyPolicy::Reopens), ("stays", CourtesyPolicy::Stays)];
/// Words for no number at all.
const UNLIMITED: &str = "unlimited";
const NEVER: &str = "never";

/// Puts the policies that are named on a mailbox.
///
/// # Errors
/// The first word that cannot be meant.
pub(super) fn onto(mailbox: &mut Mailbox, fields: &MailboxFields) -> anyhow::Result<()> {
    let id = mailbox.id.as_str().to_owned();
    set(&mut mailbox.strangers, &STRANGERS, ("strangers", fields.strangers.as_deref()), &id)?;
    set(&mut mailbox.authentication, &AUTHENTICATION, ("authentication", fields.authentication.as_deref()), &id)?;
    set(&mut mailbox.cc, &CC, ("cc", fields.cc.as_deref()), &id)?;
    set(&mut mailbox.reply_to, &REPLY_TO, ("reply-to", fields.reply_to.as_deref()), &id)?;
    let lifecycle = &mut mailbox.lifecycle;
    set(&mut lifecycle.courtesy, &COURTESY, ("courtesy", fields.courtesy.as_deref()), &id)?;
    let often = ("reopens-per-day", fields.reopens_per_day.as_deref());
    number(&mut lifecycle.reopens_per_day, often, (UNLIMITED, 0), &id)?;
    number(&mut lifecycle.auto_close_days, ("auto-close", fields.auto_close.as_deref()), (NEVER, 1), &id)?;
    people(&mut mailbox.agents, ("agent", &fields.agents), &id)?;
    people(&mut mailbox.form_senders, ("form-sender", &fields.form_senders), &id)?;
    people(&mut mailbox.uncapped, ("uncapped", &fields.uncapped), &id)?;
    for (field, days) in
        [(&mut mailbox.retention.held, fields.keep_held), (&mut mailbox.retention.ledger, fields.keep_ledger)]
    {
        *field = days.map_or(*field, |days| Some(days).filter(|days| *days > 0));
    }
    let caps = &mut mailbox.caps;
    for (field, option) in [
        (&mut caps.author_tickets, fields.cap_author_tickets),
        (&mut caps.author_entries, fields.cap_author_entries),
        (&mut caps.ticket_entries, fields.cap_ticket_entries),
        (&mut caps.alike, fields.cap_alike),
    ] {
        *field = option.unwrap_or(*field);
    }
    Ok(())
}

fn set<T: Copy, const N: usize>(
    field: &mut T,
    words: &Words<T, N>,
    (option, word): (&str, Option<&str>),
    id: &str,
) -> anyhow::Result<()> {
    let Some(word) = word else { return Ok(()) };
    let Some((_, policy)) = words.iter().find(|(known, _)| *known == word) else {
        let all = words.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
        return Err(usage(format!("mailbox {id}: --{option} {word:?} can be {all}")));
    };
    *field = *policy;
    Ok(())
}

/// A number of at least `least`, or the word for none.
fn number(
    field: &mut Option<u16>,
    (option, word): (&str, Option<&str>),
    (none, least): (&str, u16),
    id: &str,
) -> anyhow::Result<()> {
    let Some(word) = word else { return Ok(()) };
    *field = match word.parse().ok().filter(|number| *number >= least) {
        Some(number) => Some(number),
        None if word == none => None,
        None => {
            let form = format!("can be a number from {least} to {}, or `{none}`", u16::MAX);
            return Err(usage(format!("mailbox {id}: --{option} {word:?} {form}")));
        }
    };
    Ok(())
}

fn people(field: &mut Vec<Who>, (option, words): (&str, &[String]), id: &str) -> anyhow::Result<()> {
    let Some(words) = listed(words) else { return Ok(()) };
    let read = |text: &String| {
        let wrong = || format!("mailbox {id}: --{option} {text:?} can be jane@example.com or *@example.com");
        Who::parse(text).ok_or_else(|| usage(wrong()))
    };
    *field = words.iter().map(read).collect::<anyhow::Result<_>>()?;
    Ok(())
}

/// The policies as they are shown, named as the options that set them.
pub(in crate::commands) fn shown(mailbox: &Mailbox) -> [(&'static str, String); 13] {
    let joined = |list: &[Who]| match list {
        [] => "-".to_owned(),
        list => list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let LifecyclePolicy { reopens_per_day, courtesy, auto_close_days } = mailbox.lifecycle;
    [
        ("strangers", word(&STRANGERS, &mailbox.strangers)),
        ("authentication", word(&AUTHENTICATION, &mailbox.authentication)),
        ("agent", joined(&mailbox.agents)),
        ("cc", word(&CC, &mailbox.cc)),
        ("reply-to", word(&REPLY_TO, &mailbox.reply_to)),
        ("form-sender", joined(&mailbox.form_senders)),
        ("reopens-per-day", reopens_per_day.map_or_else(|| UNLIMITED.to_owned(), |count| count.to_string())),
        ("courtesy", word(&COURTESY, &courtesy)),
        ("auto-close", auto_close_days.map_or_else(|| NEVER.to_owned(), |days| format!("{days} days"))),
        ("keep-held", kept(mailbox.retention.held)),
        ("keep-ledger", kept(mailbox.retention.ledger)),
        ("caps", caps(&mailbox.caps)),
        ("uncapped", joined(&mailbox.uncapped)),
    ]
}

fn kept(days: Option<u16>) -> String {
    days.map_or_else(|| "as the stack says".to_owned(), |days| format!("{days} days"))
}

fn caps(caps: &Caps) -> String {
    let Caps { author_tickets, author_entries, ticket_entries, alike } = caps;
    format!(
        "an hour: {author_tickets} tickets and {author_entries} entries of an author, {ticket_entries} entries on a \
         ticket, {alike} texts alike"
    )
}

fn word<T: PartialEq, const N: usize>(words: &Words<T, N>, policy: &T) -> String {
    words.iter().find(|(_, known)| known == policy).map(|(word, _)| (*word).to_owned()).unwrap_or_default()
}
