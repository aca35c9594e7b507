//! Recipients and reasons in a notice that is prose.
//!
//! Every system lays its notice out in its own way, but all of them put the address where a reader looks: alone on a
//! line, before a colon, after a word such as `Recipient:`, or in the sentence that says what happened. Each mention of
//! an address is ranked by that place; those of the best rank are the recipients. Addresses of the sender, of
//! postmasters and of those to be asked for help are none.

mod places;

use std::collections::HashSet;

use self::places::{Rank, Ranked};
use super::{
    Notice, RECIPIENTS_MAX, RecipientReport, addresses, diagnostic, notice::Section, original::Original, status,
};
use crate::{
    headers::Headers,
    parse::fold::{fold, folded_subject, holds_any, prefix},
};

/// Mentions of one recipient looked at for the reason.
const MENTIONS_OF_ONE_MAX: usize = 5;
/// Octets of text that one recipient's reason is sought in.
const REASON_MAX: usize = 1_024;
/// Recipients taken over from the original's header where the notice names none.
const FROM_ORIGINAL_MAX: usize = 5;

/// Reads the recipients, each with what is said of him.
pub(super) fn read(section: &Section, bounce: &Headers, original: &Original, notice: &Notice) -> Vec<RecipientReport> {
    let ours = Ours::of(bounce);
    let mentions = places::ranked(section, |address| ours.includes(address));
    let mut recipients: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    let mut take = |address: &str| {
        if seen.insert(address.to_lowercase()) {
            recipients.push(address.to_owned());
        }
    };
    for value in bounce.all("x-failed-recipients") {
        addresses::find(value).iter().for_each(|mention| take(&mention.address));
    }
    if !notice.failed_recipients {
        let best = mentions.iter().map(|mention| mention.rank).min();
        mentions.iter().filter(|mention| Some(mention.rank) == best).for_each(|mention| take(&mention.address));
    }
    // An address that nothing is said of is a worse guess than whom the original was addressed to.
    if mentions.iter().all(|mention| mention.rank == Rank::Mentioned) && !notice.failed_recipients {
        let guessed = guessed(section, bounce, original, &ours);
        if !guessed.is_empty() {
            recipients = guessed;
        }
    }
    let action = action(section, bounce, notice);
    let general = told_in_general(section);
    let one = recipients.len() == 1;
    recipients.truncate(RECIPIENTS_MAX);
    recipients.into_iter().map(|recipient| tell(recipient, &mentions, section, action, (&general, one))).collect()
}

/// Whether the system has given up: of a notice that says both, the subject decides.
fn action(section: &Section, bounce: &Headers, notice: &Notice) -> Option<&'static str> {
    #[rustfmt::skip]
    const DELAYED: &[&str] = &[
        "warning message only", "this is a warning only", "is just a warning", "not yet been delivered",
        "has been delayed", "will be retried", "will continue to", "attempts will continue", "will continue trying",
        "will keep trying", "advisory-only", "still being retried", "is delayed", "continue to be made",
        "verzogert sich", "weiterhin versuch", "est retardee", "a ete retardee", "se ha retrasado", "in ritardo",
        "is vertraagd", "配信が遅れ", "遅延して", "задерживается", "延迟", "지연",
    ];
    let subject = folded_subject(&bounce.subject);
    let delayed = holds_any(&section.folded, DELAYED)
        || holds_any(&subject, &["delayed", "(delay)", "still being retried", "warning: could not send", "verzogert"]);
    if delayed {
        return Some("delayed");
    }
    let said = notice.wording || notice.failed_recipients || notice.subject;
    said.then_some("failed")
}

/// One recipient's report: the reason beside his mentions, else the notice's as a whole.
fn tell(
    recipient: String,
    mentions: &[Ranked],
    section: &Section,
    action: Option<&str>,
    general: (&str, bool),
) -> RecipientReport {
    let own = mentions.iter().filter(|mention| mention.address.eq_ignore_ascii_case(&recipient));
    let (general, one) = general;
    let mut best = (0, String::new());
    for mention in own.take(MENTIONS_OF_ONE_MAX) {
        let reason = reason(mention, mentions, section);
        let weight = status::weight(&reason);
        if weight > best.0 || best.1.is_empty() {
            best = (weight, reason);
        }
    }
    let (weight, mut text) = best;
    // What is said of all is said of him where nothing better is said of him.
    if weight == 0 || (one && weight < status::weight(general)) {
        text = if text.is_empty() { general.to_owned() } else { format!("{text}\n{general}") };
    }
    let judged = status::judge(action, None, &text);
    RecipientReport {
        recipient,
        action: action.map(str::to_owned),
        status: judged.status,
        hard: judged.hard,
        diagnostic: diagnostic(&text),
    }
}

/// What stands around a mention: before it in its line, after it up to a blank line or the next recipient.
fn reason(mention: &Ranked, mentions: &[Ranked], section: &Section) -> String {
    let next = mentions.iter().filter(|other| other.line > mention.line);
    let next = next.filter(|other| other.rank == Rank::Listed && !other.address.eq_ignore_ascii_case(&mention.address));
    let stop = next.map(|other| other.line).min().unwrap_or(usize::MAX);
    let line = section.lines.get(mention.line).map(String::as_str).unwrap_or_default();
    let before = line.get(..mention.start).unwrap_or_default().trim();
    let after = line.get(mention.end..).unwrap_or_default().trim_start_matches([':', ';', ',', '.', ' ', '\t']);
    let mut text = if before.chars().filter(|c| c.is_alphanumeric()).count() > 1 {
        format!("{before} {after}")
    } else {
        after.to_owned()
    };
    let rest = section.lines.iter().enumerate().skip(mention.line + 1).take_while(|(index, _)| *index < stop);
    for (_, line) in rest {
        let line = line.trim();
        // A blank line ends the reason once there is one.
        if line.is_empty() && (text.chars().filter(|c| c.is_alphanumeric()).count() > 3 || text.len() > REASON_MAX) {
            break;
        }
        text.push(' ');
        text.push_str(line);
        if text.len() > REASON_MAX {
            break;
        }
    }
    prefix(text.trim(), REASON_MAX).to_owned()
}

/// The paragraph of the notice that tells why, else its beginning.
fn told_in_general(section: &Section) -> String {
    let mut paragraphs = section.lines.split(|line| line.trim().is_empty()).filter(|lines| !lines.is_empty());
    let joined = |lines: &[String]| prefix(&lines.join(" "), REASON_MAX).to_owned();
    let coded = |lines: &&[String]| {
        lines.iter().any(|line| status::reply_code(line).is_some() || status::Status::find(line).is_some())
    };
    if let Some(lines) = paragraphs.clone().take(200).find(coded) {
        return joined(lines);
    }
    if let Some(lines) = paragraphs.clone().take(200).find(|lines| status::is_diagnostic(&joined(lines))) {
        return joined(lines);
    }
    paragraphs.next().map(joined).unwrap_or_default()
}

/// Addresses that are never the recipient sought.
struct Ours {
    addresses: HashSet<String>,
}

impl Ours {
    fn of(bounce: &Headers) -> Self {
        let named = bounce.to.iter().chain(&bounce.from).chain(&bounce.cc).chain(&bounce.reply_to);
        let named = named.filter_map(|one| one.address.as_deref()).map(str::to_lowercase);
        let delivered = bounce.delivered_to.iter().map(|one| one.as_str().to_owned());
        Self { addresses: named.chain(delivered).collect() }
    }

    fn includes(&self, address: &str) -> bool {
        let lower = address.to_lowercase();
        let local = lower.split('@').next().unwrap_or_default();
        let serves = ["postmaster", "mailer-daemon", "abuse", "hostmaster", "mail-daemon"]
            .iter()
            .any(|one| local.starts_with(one));
        serves || self.addresses.contains(&lower)
    }
}

/// Where the notice names nobody by his whole address: a bare name under a colon (AOL), the address in our own return
/// path (VERP), whom the original was addressed to.
fn guessed(section: &Section, bounce: &Headers, original: &Original, ours: &Ours) -> Vec<String> {
    let verp = bounce.to.iter().filter_map(|one| one.address.as_deref()).find_map(|address| {
        let (_, tag) = address.rsplit_once('@')?.0.split_once('+')?;
        let (local, domain) = tag.rsplit_once('=')?;
        (!local.is_empty() && domain.contains('.')).then(|| format!("{local}@{domain}"))
    });
    if let Some(address) = verp {
        return vec![address];
    }
    let wanted = original.to.iter().filter(|address| !ours.includes(address));
    let wanted: Vec<String> = wanted.cloned().collect();
    if !wanted.is_empty() && wanted.len() <= FROM_ORIGINAL_MAX {
        return wanted;
    }
    let addressed = addressed(section, ours);
    if !addressed.is_empty() {
        return addressed;
    }
    let domain = bounce.from.first().and_then(|one| one.address.as_deref()).and_then(|from| from.rsplit_once('@'));
    let Some((_, domain)) = domain else { return Vec::new() };
    let mut introduced = false;
    let mut names = Vec::new();
    for line in section.lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
        let bare = line.trim_matches(['<', '>', '*', ' ']);
        let is_name =
            !bare.is_empty() && bare.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if introduced && is_name && names.len() < FROM_ORIGINAL_MAX {
            names.push(format!("{bare}@{domain}"));
        } else {
            introduced = line.ends_with(':');
        }
    }
    names
}

/// Whom the mail that is spoken of was addressed to, where the notice itself names its fields (Yahoo, some gateways).
fn addressed(section: &Section, ours: &Ours) -> Vec<String> {
    const TO: [&str; 13] = [
        "to",
        "an",
        "para",
        "aan",
        "til",
        "till",
        "komu",
        "кому",
        "宛先",
        "收件人",
        "收件者",
        "받는 사람",
        "destinataire",
    ];
    let fields = section.lines.iter().filter_map(|line| line.split_once([':', '：']));
    let named = fields.filter(|(name, _)| TO.contains(&fold(name.trim()).as_str()));
    let mentions = named.flat_map(|(_, value)| addresses::find(value)).map(|mention| mention.address);
    mentions.filter(|address| !ours.includes(address)).take(FROM_ORIGINAL_MAX).collect()
}

#[cfg(test)]
mod tests;
