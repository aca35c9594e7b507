//! Words of options, read into settings. What does not read is told with the thing and the option.

pub(in crate::commands) mod policies;

use postern::{
    address::AddrSpec,
    door::{Door, Region},
    mailbox::{AddressPattern, Mailbox, MailboxId, ReplyMode},
};

use crate::{
    args::{DoorFields, MailboxFields},
    commands::usage,
};

/// What stands for an empty list, or for none.
const NONE: &str = "-";
/// Octets of a MB, as in the defaults.
const MB: u64 = 1024 * 1024;
/// Units of sizes, largest first.
const UNITS: [(&str, u64); 3] = [("GB", 1024 * MB), ("MB", MB), ("KB", 1024)];

/// Puts what is named on a mailbox.
///
/// # Errors
/// The first word that cannot be meant.
pub(in crate::commands) fn onto_mailbox(mailbox: &mut Mailbox, fields: &MailboxFields) -> anyhow::Result<()> {
    let id = mailbox.id.as_str().to_owned();
    let wrong = |option: &str, why: String| usage(format!("mailbox {id}: --{option} {why}"));
    if !fields.addresses.is_empty() {
        let read = |text: &String| address(text).map_err(|why| wrong("address", why));
        mailbox.addresses = fields.addresses.iter().map(read).collect::<anyhow::Result<_>>()?;
    }
    if let Some(patterns) = listed(&fields.patterns) {
        let read = |text: &String| pattern(text).map_err(|why| wrong("pattern", why));
        mailbox.patterns = patterns.iter().map(read).collect::<anyhow::Result<_>>()?;
    }
    for text in &fields.prefix_for {
        let form = || wrong("prefix-for", format!("{text:?} is not TYPE=PREFIX, as change=CHG"));
        let (kind, prefix) = text.split_once('=').ok_or_else(form)?;
        match prefix {
            "" => drop(mailbox.prefixes.remove(kind)),
            prefix => drop(mailbox.prefixes.insert(kind.to_owned(), prefix.to_owned())),
        }
    }
    put(&mut mailbox.prefix, fields.prefix.as_ref());
    put(&mut mailbox.queue, fields.queue.as_ref());
    put(&mut mailbox.ticket_type, fields.ticket_type.as_ref());
    put(&mut mailbox.scope, fields.scope.as_ref());
    put(&mut mailbox.year_in_number, fields.year.as_ref());
    put(&mut mailbox.enabled, fields.enabled.as_ref());
    put(&mut mailbox.subject_number_unauthenticated, fields.subject_number_unauthenticated.as_ref());
    put(&mut mailbox.attachments.count, fields.attachment_count.as_ref());
    let mode = fields.reply_mode.as_deref().map(|word| reply_mode(word).map_err(|why| wrong("reply-mode", why)));
    put(&mut mailbox.reply_mode, mode.transpose()?.as_ref());
    policies::onto(mailbox, fields)?;
    let window = fields.reopen_window.as_deref().map(|word| days(word).map_err(|why| wrong("reopen-window", why)));
    put(&mut mailbox.reopen_window_days, window.transpose()?.as_ref());
    let each = fields.attachment_each.as_deref().map(|word| octets(word).map_err(|why| wrong("attachment-each", why)));
    put(&mut mailbox.attachments.each, each.transpose()?.as_ref());
    let total = fields.attachment_total.as_deref();
    let total = total.map(|word| octets(word).map_err(|why| wrong("attachment-total", why)));
    put(&mut mailbox.attachments.total, total.transpose()?.as_ref());
    Ok(())
}

/// Puts what is named on a door.
///
/// # Errors
/// The first word that cannot be meant.
pub(in crate::commands) fn onto_door(door: &mut Door, fields: &DoorFields) -> anyhow::Result<()> {
    let id = door.id.as_str().to_owned();
    match fields.mailbox.as_deref() {
        None => {}
        Some(NONE) => door.mailbox = None,
        Some(text) => {
            let form = || usage(format!("door {id}: --mailbox {text:?} is no mailbox id; `-` = by address"));
            door.mailbox = Some(MailboxId::parse(text).ok_or_else(form)?);
        }
    }
    put(&mut door.enabled, fields.enabled.as_ref());
    put(&mut door.spam_fields, fields.spam_fields.as_ref());
    put(&mut door.verify_dkim, fields.verify_dkim.as_ref());
    if let Some(names) = listed(&fields.authserv_ids) {
        door.authserv_ids = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    }
    if let Some(domains) = listed(&fields.domains) {
        door.domains = domains.iter().map(|domain| domain.to_ascii_lowercase()).collect();
    }
    door.region = match fields.mailgun_region.as_deref() {
        None => door.region,
        Some("us") => Region::Us,
        Some("eu") => Region::Eu,
        Some(other) => return Err(usage(format!("door {id}: --mailgun-region {other:?} can be us or eu"))),
    };
    if let Some(topics) = listed(&fields.topics) {
        door.topics = topics.to_vec();
    }
    super::imap::onto_imap(door, &fields.imap)
}

fn put<T: Clone>(field: &mut T, value: Option<&T>) {
    if let Some(value) = value {
        value.clone_into(field);
    }
}

/// A repeated option: `None` where it is left out, empty for `-`.
fn listed(words: &[String]) -> Option<&[String]> {
    match words {
        [] => None,
        [one] if one == NONE => Some(&[]),
        words => Some(words),
    }
}

fn address(text: &str) -> Result<AddrSpec, String> {
    if AddressPattern::parse(text).is_some() {
        return Err(format!("{text:?} is a pattern: use --pattern"));
    }
    let read = AddrSpec::parse(text).filter(|address| {
        let local = |c: char| c.is_alphanumeric() || "!#$%&'+-/=?^_`{|}~.".contains(c);
        address.local_part().chars().all(local) && is_domain(address.domain())
    });
    read.ok_or_else(|| format!("{text:?} is no e-mail address, as help@example.com"))
}

fn pattern(text: &str) -> Result<AddressPattern, String> {
    let read = AddressPattern::parse(text).filter(|pattern| match pattern {
        AddressPattern::Tagged(base) => !base.local_part().contains('*') && is_domain(base.domain()),
        AddressPattern::Domain(domain) => is_domain(domain),
    });
    read.ok_or_else(|| {
        format!(
            "{text:?} can be *@example.com (every address of a domain that no other mailbox has) or help+*@example.com \
             (an address with any tag)"
        )
    })
}

/// Labels of letters, digits and hyphens, as AddrSpec writes them.
fn is_domain(text: &str) -> bool {
    let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    text.split('.').all(label)
}

fn reply_mode(word: &str) -> Result<ReplyMode, String> {
    match word {
        "plus" => Ok(ReplyMode::Plus),
        "subdomain" => Ok(ReplyMode::Subdomain),
        "off" => Ok(ReplyMode::Off),
        other => Err(format!("{other:?} can be plus, subdomain or off")),
    }
}

/// The word of a reply mode.
pub(in crate::commands) const fn reply_mode_word(mode: ReplyMode) -> &'static str {
    match mode {
        ReplyMode::Plus => "plus",
        ReplyMode::Subdomain => "subdomain",
        ReplyMode::Off => "off",
    }
}

fn days(word: &str) -> Result<Option<u16>, String> {
    if word == "always" {
        return Ok(None);
    }
    word.parse().map(Some).map_err(|_| format!("{word:?} is no number of days, and not `always`"))
}

/// Reads `25MB`, `25 MB`, `64KB` or octets. Units are powers of 1024, as in the defaults.
fn octets(word: &str) -> Result<u64, String> {
    let upper = word.trim().to_ascii_uppercase();
    let unit = |(name, octets): (&str, u64)| Some((upper.strip_suffix(name)?.trim_end().to_owned(), octets));
    let (number, octets) = UNITS.into_iter().find_map(unit).unwrap_or_else(|| (upper.clone(), 1));
    let read = number.parse::<u64>().ok().and_then(|number| number.checked_mul(octets));
    read.ok_or_else(|| format!("{word:?} is no size: octets, or as 25MB (KB, MB, GB)"))
}

/// A size as it is typed: with a unit where it is a whole number of them.
pub(in crate::commands) fn size(octets: u64) -> String {
    let whole = UNITS.into_iter().find(|(_, unit)| octets > 0 && octets.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{octets} octets"), |(name, unit)| format!("{} {name}", octets / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_shown() {
        for (word, expected, shown) in [
            ("25MB", Some(25 * MB), "25 MB"),
            ("25 mb", Some(25 * MB), "25 MB"),
            ("1024", Some(1024), "1 KB"),
            ("1000", Some(1000), "1000 octets"),
            ("2GB", Some(2048 * MB), "2 GB"),
            ("0", Some(0), "0 octets"),
            ("MB", None, ""),
            ("-1", None, ""),
            ("1.5MB", None, ""),
            ("99999999999GB", None, ""),
        ] {
            let read = octets(word).ok();
            assert_eq!((read, read.map(size).unwrap_or_default()), (expected, shown.to_owned()), "{word}");
        }
    }

    #[test]
    fn addresses_and_patterns_are_told_apart() {
        for (word, told) in [
            ("*@example.com", "use --pattern"),
            ("help+*@example.com", "use --pattern"),
            ("help", "no e-mail address"),
            ("a@b@example.com", "no e-mail address"),
            ("a,b@example.com", "no e-mail address"),
            ("help@exa_mple", "no e-mail address"),
        ] {
            assert!(address(word).unwrap_err().contains(told), "{word}");
        }
        assert_eq!(address("Help+Desk@Example.com").unwrap().as_str(), "help+desk@example.com");
        for word in ["help@example.com", "h*@example.com", "*@*.example.com", "*", "**+*@example.com"] {
            assert!(pattern(word).unwrap_err().contains("*@example.com"), "{word}");
        }
        assert_eq!(pattern("*@Example.com").unwrap().to_string(), "*@example.com");
    }
}
