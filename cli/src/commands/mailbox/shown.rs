//! Mailboxes as they are shown.

use postern::mailbox::{AttachmentLimits, Mailbox};
use serde_json::{Value, json};

use crate::{
    commands::settings::words::{policies, reply_mode_word, size},
    setup::Source,
};

/// The mailbox as it is stored, with where it comes from.
pub(super) fn json(mailbox: &Mailbox, source: Source) -> Value {
    let mut value = json!(mailbox);
    if let Some(object) = value.as_object_mut() {
        object.insert("source".to_owned(), json!(source));
    }
    value
}

/// One line each.
pub(super) fn table(all: &[(&Mailbox, Source)]) -> String {
    let mut text = format!("{:<16} {:<12} {:<9} {:<9} {:<16} ADDRESSES\n", "ID", "FROM", "STATE", "PREFIX", "QUEUE");
    for (mailbox, source) in all {
        let state = if mailbox.enabled { "enabled" } else { "disabled" };
        let (id, prefix, queue) = (mailbox.id.as_str(), &mailbox.prefix, &mailbox.queue);
        let source = source.word();
        text.push_str(&format!("{id:<16} {source:<12} {state:<9} {prefix:<9} {queue:<16} {}\n", claims(mailbox)));
    }
    if all.is_empty() {
        text.push_str("none: `postern mailbox add ID --address ADDRESS`\n");
    }
    text
}

/// Addresses and patterns.
fn claims(mailbox: &Mailbox) -> String {
    let addresses = mailbox.addresses.iter().map(ToString::to_string);
    addresses.chain(mailbox.patterns.iter().map(ToString::to_string)).collect::<Vec<_>>().join(", ")
}

/// All its settings, named as the options that set them.
pub(super) fn in_full(mailbox: &Mailbox, source: Source) -> String {
    let joined = |list: Vec<String>| if list.is_empty() { "-".to_owned() } else { list.join(", ") };
    let AttachmentLimits { each, total, count } = mailbox.attachments;
    let prefixes = mailbox.prefixes.iter().map(|(kind, prefix)| format!("{kind}={prefix}")).collect();
    let window = mailbox.reopen_window_days.map_or_else(|| "always".to_owned(), |days| format!("{days} days"));
    let rows = [
        ("from", source.word().to_owned()),
        ("enabled", mailbox.enabled.to_string()),
        ("address", joined(mailbox.addresses.iter().map(ToString::to_string).collect())),
        ("pattern", joined(mailbox.patterns.iter().map(ToString::to_string).collect())),
        ("prefix", mailbox.prefix.clone()),
        ("prefix-for", joined(prefixes)),
        ("year", mailbox.year_in_number.to_string()),
        ("queue", mailbox.queue.clone()),
        ("type", mailbox.ticket_type.clone()),
        ("scope", mailbox.scope.clone()),
        ("reply-mode", reply_mode_word(mailbox.reply_mode).to_owned()),
        ("subject-number", unauthenticated(mailbox)),
        ("reopen-window", window),
        ("attachments", format!("{} each, {} together, {count} of a mail", size(each), size(total))),
    ];
    let rows = rows.into_iter().chain(policies::shown(mailbox));
    let lines: String = rows.map(|(name, value)| format!("  {name:<15} {value}\n")).collect();
    format!("mailbox {}\n{lines}", mailbox.id.as_str())
}

fn unauthenticated(mailbox: &Mailbox) -> String {
    let counts = "counts for participants whose authentication is unknown";
    if mailbox.subject_number_unauthenticated { counts.to_owned() } else { format!("never {counts}") }
}
