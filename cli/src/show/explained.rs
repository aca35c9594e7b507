//! A decision with its evidence, for people.

use std::fmt::Write as _;

use postern::{
    explain::{Difference, Explanation},
    inbound::Verdict,
    records::{Cause, Effect},
    thread::{Clue, Naming, Weight},
};

use super::{plain, subject, word};

/// Where every cause and reason has its meaning.
const THREADING: &str = include_str!("../../../docs/THREADING.md");

/// One mail, evidence first, decision last.
#[must_use]
pub fn explanation(of: &Explanation) -> String {
    let mut text = format!(
        "mail      {}\nmailbox   {}   received {} by {}\nfrom      {}   authentication {}\nverdicts  {}\nsubject   {}\n\nevidence\n",
        of.id,
        of.mailbox,
        of.received_at,
        of.door,
        plain(of.author.as_deref().unwrap_or("(unknown)")),
        of.authentication.unwrap_or("not asked for"),
        verdicts(of),
        subject(&of.subject),
    );
    let width = of.clues.iter().map(|clue| place(clue).chars().count()).max().unwrap_or_default();
    for one in &of.clues {
        clue(&mut text, one, width);
    }
    for line in &of.evidence {
        let _ = writeln!(text, "  {line}");
    }
    if of.clues_more > 0 {
        let _ = writeln!(text, "  and {} more that there was no room for", of.clues_more);
    }
    if of.clues.is_empty() && of.evidence.is_empty() {
        text.push_str("  none\n");
    }
    let _ = writeln!(text, "\ndecision  {}", decision(of));
    let cause = of.cause.map(Cause::slug);
    let told = cause.iter().map(|slug| (slug, "## Causes"));
    let told = told.chain(of.reasons.iter().map(|slug| (slug, "## Reasons")));
    let width = told.clone().map(|(slug, _)| slug.len()).max().unwrap_or_default();
    for (slug, section) in told {
        let meaning = meaning(slug, section).unwrap_or_default();
        let _ = writeln!(text, "  {}", format!("{:<width$}  {meaning}", plain(slug)).trim_end());
    }
    text
}

/// What would be decided otherwise today.
#[must_use]
pub fn differences(again: &Explanation, differences: &[Difference]) -> String {
    if differences.is_empty() {
        return "\ntoday     the same\n".to_owned();
    }
    let mut text = format!("\ntoday     {}\n", decision(again));
    for Difference { what, before, now } in differences {
        let _ = writeln!(text, "  {what:<10}  {} -> {}", plain(before), plain(now));
    }
    text
}

/// How a mail ended, or would end.
pub(crate) fn decision(of: &Explanation) -> String {
    let ticket = match (&of.ticket_number, of.effect) {
        (Some(number), _) => format!(", ticket {number}"),
        (None, Some(Effect::Created)) => ", a new ticket".to_owned(),
        (None, _) => String::new(),
    };
    let effect = of.effect.map(|effect| format!(", effect {}", word(&effect))).unwrap_or_default();
    format!("{}{effect}{ticket}", of.outcome.as_str())
}

fn verdicts(of: &Explanation) -> String {
    let told = |verdict: Option<Verdict>| verdict.map_or_else(|| "-".to_owned(), |verdict| word(&verdict));
    let v = &of.verdicts;
    let all = [("spf", v.spf), ("dkim", v.dkim), ("dmarc", v.dmarc), ("spam", v.spam), ("virus", v.virus)];
    let mut text =
        all.into_iter().map(|(name, verdict)| format!("{name} {}", told(verdict))).collect::<Vec<_>>().join(", ");
    let of =
        |what: &str, names: &[String]| names.iter().map(|name| format!(", {what} {}", plain(name))).collect::<String>();
    text.push_str(&of("signed by", &v.dkim_domains));
    text.push_str(&of("spf of", v.spf_domain.as_slice()));
    text.push_str(&of("arc", v.arc.map(|arc| word(&arc)).as_slice()));
    text.push_str(&of("asserted by", v.asserted_by.as_slice()));
    text
}

fn place(clue: &Clue) -> String {
    format!("{} {}", word(&clue.place), clue.position)
}

fn clue(text: &mut String, clue: &Clue, width: usize) {
    let signature = clue.signature.map(|s| format!("  [signature {}]", word(&s))).unwrap_or_default();
    let _ = writeln!(text, "  {:<width$}  {}{signature}", place(clue), plain(&clue.text));
    for name in &clue.names {
        let _ = writeln!(text, "  {:<width$}    {}", "", named(name));
    }
    if clue.names.is_empty() && clue.signature.is_none() {
        let _ = writeln!(text, "  {:<width$}    names nothing that is known", "");
    }
}

fn named(name: &Naming) -> String {
    let leads = name.leads_to.map(|ticket| format!(", which leads to {ticket}")).unwrap_or_default();
    let standing = name.standing.map(|s| format!(", author is {}", word(&s))).unwrap_or_default();
    let weight = match name.weight {
        Weight::Decided => "decided",
        Weight::Second => "not needed: another decided",
        Weight::Weaker => "not needed: stronger evidence decided",
        Weight::NoSuchTicket => "no such ticket here",
        Weight::MergeChain => "dropped: too many merges",
        Weight::ClaimOfOthers => "dropped: a claim of somebody whom the mail does not name",
        Weight::NotItsNumber => "dropped: not that ticket's number",
        Weight::NumberRefused => "dropped: a number needs a proven participant",
    };
    format!("{:?} {} -> ticket {}{leads}{standing}: {weight}", name.level, name.source, name.ticket)
}

/// The meaning of a slug, from the table under that heading.
fn meaning(slug: &str, section: &str) -> Option<&'static str> {
    let quoted = if slug.starts_with("rule:") { "`rule:NAME`".to_owned() } else { format!("`{slug}`") };
    let rows = THREADING.split_once(section)?.1.lines().skip(1).take_while(|line| !line.starts_with("## "));
    let mut rows = rows.filter_map(|line| {
        let mut cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|');
        Some((cells.next()?, cells.next_back()?.trim()))
    });
    rows.find(|(slugs, _)| slugs.contains(&quoted)).map(|(_, meaning)| meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_and_common_reason_has_its_meaning() {
        for (slug, section, word) in [
            ("loop", "## Causes", "wrong place"),
            ("spam", "## Causes", "provider"),
            ("stored-id", "## Reasons", "E3"),
            ("rule:vip", "## Reasons", "rule of that name"),
            ("was-held-spam", "## Reasons", "what had held it"),
            ("auth-unknown", "## Reasons", "nobody says"),
        ] {
            assert!(meaning(slug, section).unwrap().contains(word), "{slug}");
        }
        assert_eq!(meaning("no-such-reason", "## Reasons"), None);
    }
}
