//! How things look on a terminal.

mod explained;

use postern::{
    address::AddrSpec,
    outcome::Answer,
    parse::Role,
    people::Everything,
    records::LedgerRow,
    store::{
        LedgerId,
        query::{LedgerLine, TicketLine},
    },
    ticket::{Act, Entry, Ticket, Visibility, cut_at},
};

pub(crate) use self::explained::decision;
pub use self::explained::{differences, explanation};
use crate::commands::Attention;

/// Columns that a subject may take.
const SUBJECT_COLUMNS: usize = 48;
/// Characters of a ledger id that listings show; enough for `hold release`.
const ID_CHARS: usize = 12;

/// Text safe on a terminal: mail cannot move the cursor or turn the direction of writing.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .collect()
}

fn short(text: &str, columns: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= columns {
        return text;
    }
    text.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}

fn subject(text: &str) -> String {
    if text.is_empty() { "(no subject)".to_owned() } else { short(text, SUBJECT_COLUMNS) }
}

pub(crate) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn minute(at: jiff::Timestamp) -> String {
    let text = at.to_string();
    cut_at(&text, 16).replace('T', " ")
}

/// One answer a line.
///
/// # Errors
/// The answer does not serialise.
pub fn answer(answer: &Answer, name: &str, json: bool) -> anyhow::Result<String> {
    if json {
        return Ok(format!("{}\n", serde_json::to_string(answer)?));
    }
    let ticket = answer.ticket_number.as_deref().unwrap_or("-");
    Ok(format!("{ticket:<15} {:<20} {name}  ({})\n", answer.outcome, answer.reasons.join(", ")))
}

/// The table of tickets.
#[must_use]
pub fn tickets(lines: &[TicketLine]) -> String {
    if lines.is_empty() {
        return "no tickets\n".to_owned();
    }
    let mut text = format!(
        "{:<15} {:<9} {:<17} {:>4}  {:<28} SUBJECT\n",
        "NUMBER", "STATUS", "UPDATED (UTC)", "MAIL", "REQUESTER"
    );
    for line in lines {
        let requester = line.requester.as_ref().map_or("(unknown)", |r| r.address.as_str());
        text.push_str(&format!(
            "{:<15} {:<9} {:<17} {:>4}  {:<28} {}\n",
            line.number,
            line.status.as_str(),
            minute(line.updated_at),
            line.entry_count,
            short(requester, 28),
            subject(&line.subject),
        ));
    }
    text
}

/// One ticket as a conversation.
#[must_use]
pub fn conversation(ticket: &Ticket, entries: &[Entry]) -> String {
    let person = |p: &postern::ticket::Participant| match &p.name {
        Some(name) => format!("{} <{}>", plain(name), p.address),
        None => p.address.to_string(),
    };
    let mut text = format!("{}  {}\n", ticket.number, subject(&ticket.subject));
    let requester = ticket.requester.as_ref().map_or_else(|| "(unknown)".to_owned(), person);
    text.push_str(&format!("status {}   queue {}   requester {requester}\n", ticket.status.as_str(), ticket.queue));
    if ticket.priority != "normal" || !ticket.tags.is_empty() {
        let tags = if ticket.tags.is_empty() { String::new() } else { format!("   tags {}", ticket.tags.join(", ")) };
        text.push_str(&format!("priority {}{tags}\n", ticket.priority));
    }
    let others =
        ticket.participants.iter().filter(|p| Some(&p.address) != ticket.requester.as_ref().map(|r| &r.address));
    let (approved, pending): (Vec<_>, Vec<_>) = others.partition(|p| p.approved);
    for (what, people) in [("also", approved), ("not approved", pending)] {
        if !people.is_empty() {
            text.push_str(&format!("{what} {}\n", people.into_iter().map(person).collect::<Vec<_>>().join(", ")));
        }
    }
    let links: Vec<String> =
        [("follows", ticket.follows), ("followed by", ticket.followed_by), ("merged into", ticket.merged_into)]
            .into_iter()
            .filter_map(|(name, id)| id.map(|id| format!("{name} ticket {id}")))
            .chain((!ticket.related_to.is_empty()).then(|| format!("related to {:?}", ticket.related_to)))
            .collect();
    if !links.is_empty() {
        text.push_str(&format!("{}\n", links.join(", ")));
    }
    for item in entries {
        text.push_str(&entry(ticket, item, &person));
    }
    text
}

fn entry(ticket: &Ticket, entry: &Entry, person: &dyn Fn(&postern::ticket::Participant) -> String) -> String {
    let author = entry.author.as_ref().map_or_else(|| "(unknown author)".to_owned(), person);
    let hash = entry.entry.rsplit('#').next().unwrap_or_default();
    // As `approve` and `split` take it.
    let name = format!("{}/{}", ticket.ticket_id, cut_at(hash, ID_CHARS));
    let mark = match entry.visibility {
        Visibility::Public => format!("  {name}"),
        Visibility::Internal => format!("  [note]  {name}"),
        Visibility::Unverified => format!("  [unverified: postern approve {name}]"),
    };
    let kind = word(&entry.kind);
    let kind = if kind == "human" { String::new() } else { format!("  ({kind})") };
    let mut text = format!("\n── {}  {author}{kind}{mark}\n", minute(entry.at));
    for line in entry.text.lines() {
        text.push_str(&format!("   {}\n", plain(line)));
    }
    if entry.text_cut {
        text.push_str(&format!("   … (cut; the whole text is in {})\n", entry.raw_key));
    }
    for event in &entry.calendar {
        text.push_str(&format!("   @ {}\n", plain(event)));
    }
    for a in &entry.attachments {
        let name = a.filename.as_deref().map_or_else(|| "(no name)".to_owned(), plain);
        let held = a.refused.as_ref().map(|why| format!("  held back: {why}")).unwrap_or_default();
        let inline = match a.role {
            Role::Logo => ", logo",
            Role::Tracking => ", tracking pixel",
            Role::File | Role::Inline if a.inline => ", inline",
            Role::File | Role::Inline => "",
        };
        let contains: Vec<String> = a.contains.iter().map(|name| plain(name)).collect();
        let contains = if contains.is_empty() { String::new() } else { format!("  holds {}", contains.join(", ")) };
        let flags: String = a.flags.iter().map(|flag| format!("  [{}]", plain(flag))).collect();
        let kind = plain(&a.content_type);
        text.push_str(&format!("   + {name} ({kind}, {} octets{inline}){held}{flags}{contains}\n", a.size));
    }
    if entry.attachments_more > 0 {
        text.push_str(&format!("   + {} more attachments in the raw\n", entry.attachments_more));
    }
    text
}

/// What people did to a ticket, apart from its status.
#[must_use]
pub fn acts(acts: &[Act]) -> String {
    let line =
        |act: &Act| format!("{}  {} {} by {}\n", minute(act.at), word(&act.deed), plain(&act.about), plain(&act.actor));
    let lines: String = acts.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

/// What is remembered of somebody.
#[must_use]
pub fn requester(address: &AddrSpec, of: &Everything) -> String {
    let mut text = format!("{address}\n");
    for (scope, row) in &of.remembered {
        let name = row.name.as_deref().map(plain).unwrap_or_default();
        let known = if row.known { "known contact" } else { "guest" };
        let seen = row.last_seen.map(|at| format!(", last seen {}", minute(at))).unwrap_or_default();
        text.push_str(&format!("  in {scope}: {name} ({known}), {} tickets{seen}\n", row.tickets));
        for (what, mark) in
            [("blocked by", &row.blocked), ("undeliverable:", &row.undeliverable), ("erased by", &row.erased)]
        {
            if let Some(mark) = mark {
                text.push_str(&format!("    {what} {} at {}\n", plain(&mark.by), minute(mark.at)));
            }
        }
    }
    let numbers: Vec<&str> = of.tickets.iter().map(|ticket| ticket.number.as_str()).collect();
    text.push_str(&format!("  tickets {}\n", if numbers.is_empty() { "-".to_owned() } else { numbers.join(", ") }));
    text + &format!("  {} entries, {} mails\n", of.entries.len(), of.mails.len())
}

/// The table of mail; `days` = 0 for all days.
#[must_use]
pub fn ledger(lines: &[LedgerLine], days: u16) -> String {
    if lines.is_empty() {
        return format!("no mail within {days} days\n");
    }
    let mut text = format!(
        "{:<12}  {:<17} {:<9} {:<9} {:<15} {:<28} {:<30} WHY\n",
        "ID", "RECEIVED (UTC)", "DOOR", "OUTCOME", "TICKET", "FROM", "SUBJECT"
    );
    for line in lines {
        let cause = line.row.cause.map(postern::records::Cause::slug);
        let why: Vec<&str> =
            cause.iter().map(String::as_str).chain(line.row.reasons.iter().map(String::as_str)).collect();
        text.push_str(&format!(
            "{:<12}  {:<17} {:<9} {:<9} {:<15} {:<28} {:<30} {}\n",
            cut_at(&line.id, ID_CHARS),
            minute(line.row.received_at),
            line.row.door,
            line.row.outcome.as_str(),
            line.row.ticket_number.as_deref().unwrap_or("-"),
            short(line.row.author.as_deref().unwrap_or("(unknown)"), 28),
            short(&line.row.subject, 30),
            why.join(", "),
        ));
    }
    text
}

/// One mail with everything that is known of how it was decided.
#[must_use]
pub fn mail_in_full(id: &LedgerId, row: &LedgerRow) -> String {
    let list = |items: &[String]| if items.is_empty() { "-".to_owned() } else { items.join(", ") };
    let cause = row.cause.map_or_else(|| "-".to_owned(), postern::records::Cause::slug);
    let effect = row.effect.map_or_else(|| "-".to_owned(), |effect| word(&effect));
    let mut text = format!(
        "id        {id}\nreceived  {} by {} ({} octets)\nfrom      {}\nsubject   {}\noutcome   {}   effect {effect}   cause {cause}\n\
         ticket    {}\nreasons   {}\nraw       {}\ntrace     {}\n",
        row.received_at,
        row.ingress.door,
        row.raw_octets,
        plain(row.author.as_deref().unwrap_or("(unknown)")),
        subject(&row.subject),
        row.outcome.as_str(),
        row.ticket_number.as_deref().unwrap_or("-"),
        list(&row.reasons),
        row.raw_key,
        row.trace_id(),
    );
    for line in &row.evidence {
        text.push_str(&format!("evidence  {line}\n"));
    }
    if let Some(actor) = &row.actor {
        text.push_str(&format!("by        {actor} at {}\n", row.ended_at));
    }
    text
}

/// The last line of every listing, where there is anything to look at.
#[must_use]
pub fn attention(waiting: Attention) -> String {
    let parts: Vec<String> = [
        (waiting.held, "held (postern hold list)"),
        (waiting.failed, "failed (postern mail)"),
        (waiting.queued, "queued"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    if parts.is_empty() { String::new() } else { format!("\nmail that needs attention: {}\n", parts.join(", ")) }
}
