//! Whose mail was forwarded: author, subject and date of the original, from its header block only.
//!
//! Never from addresses that stand in prose: who is named in a text has not written it. Of forwards within forwards the
//! outermost counts, because that is what this author passes on.

use serde::Serialize;

use super::{
    is_blank,
    labels::Label,
    phrases::{is_forward_marker, is_original_marker, label, label_value},
};
use crate::{
    address::NamedAddress,
    headers::{self, Headers},
    message_id::MessageId,
};

/// Lines of a header block, folds and blank lines included.
const BLOCK_LINES_MAX: usize = 24;
/// Lines between a marker and the header block below it.
const GAP_LINES_MAX: usize = 3;

/// The original of a forward.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ForwardedFrom {
    /// Who wrote the original, as its header says.
    pub from: Option<NamedAddress>,
    /// Its subject.
    pub subject: Option<String>,
    /// Its date as written; of an attached mail RFC 3339.
    pub date: Option<String>,
    /// Its id, where the whole mail is attached.
    pub message_id: Option<MessageId>,
    /// `inline` or `attached`.
    pub how: &'static str,
}

/// Reads the original of a forward. `attached` = octets of the first attached message; it counts where the subject says
/// forward, or the mail says nothing of its own.
pub(crate) fn forwarded_from(text: &str, headers: &Headers, attached: Option<&[u8]>) -> Option<ForwardedFrom> {
    let forwarded = headers.is_forward();
    let inline = inline(text, forwarded);
    inline.or_else(|| attached.filter(|_| forwarded || text.trim().is_empty()).map(of_message))
}

fn of_message(octets: &[u8]) -> ForwardedFrom {
    let original = headers::scan(octets);
    ForwardedFrom {
        from: original.from.first().cloned(),
        subject: Some(original.subject).filter(|subject| !subject.is_empty()),
        date: original.date_rfc3339,
        message_id: original.message_id,
        how: "attached",
    }
}

/// The first header block below a forward marker; where the subject says forward, the first block at all.
fn inline(text: &str, forwarded: bool) -> Option<ForwardedFrom> {
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let bare = unmarked(line);
        if is_forward_marker(bare) || forwarded && is_original_marker(bare) {
            let below = lines.get(at + 1..).unwrap_or_default();
            let gap = below.iter().take(GAP_LINES_MAX).take_while(|line| label(unmarked(line)).is_none()).count();
            if let Some(found) = block(below.get(gap..).unwrap_or_default()) {
                return Some(found);
            }
        } else if forwarded && label(bare).is_some() && super::history::is_header_block(lines.get(at..)?) {
            return block(lines.get(at..)?);
        }
    }
    None
}

/// Apple and Thunderbird quote what they forward.
fn unmarked(line: &str) -> &str {
    line.trim_start().trim_start_matches('>').trim_start()
}

/// The fields of a header block. `None` where it names no author.
fn block(lines: &[&str]) -> Option<ForwardedFrom> {
    let mut fields: Vec<(Label, String)> = Vec::new();
    let mut blanks = 0;
    for line in lines.iter().take(BLOCK_LINES_MAX).map(|line| unmarked(line)) {
        if is_blank(line) {
            blanks += 1;
            // One blank line between fields is HTML made text; two end the block, and so does one after the subject.
            if blanks > 1 || fields.iter().any(|(found, _)| *found == Label::Subject) && fields.len() > 2 {
                break;
            }
            continue;
        }
        let field = label_value(line);
        if field.is_some_and(|(found, _)| fields.iter().any(|(known, _)| *known == found)) {
            break;
        }
        match (field, fields.last_mut()) {
            (Some((found, value)), _) => fields.push((found, value.to_owned())),
            // A folded field goes on in the next line.
            (None, Some((_, open))) if blanks == 0 && line.len() < 400 => {
                open.push(' ');
                open.push_str(line.trim());
            }
            (None, _) => break,
        }
        blanks = 0;
    }
    let take =
        |wanted: Label| fields.iter().find(|(found, _)| *found == wanted).map(|(_, value)| value.trim().to_owned());
    let from = take(Label::From).and_then(|value| author(&value))?;
    let filled = |value: Option<String>| value.filter(|value| !value.is_empty());
    Some(ForwardedFrom {
        from: Some(from),
        subject: filled(take(Label::Subject)),
        date: filled(take(Label::Sent)),
        message_id: None,
        how: "inline",
    })
}

/// `Jane Doe <jane@x>`, `Jane Doe [mailto:jane@x]`, `Jane Doe <jane@x<mailto:jane@x>>`, or a name alone.
fn author(value: &str) -> Option<NamedAddress> {
    let value = value.replace("[mailto:", "<").replace(['*', ']'], "");
    // A link's target after its text.
    let value = value.split("<mailto:").next().unwrap_or(&value).trim().to_owned();
    let value = if value.contains('<') && !value.contains('>') { format!("{value}>") } else { value };
    headers::addresses::list(&value).addresses.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(subject: &str, text: &str) -> Option<ForwardedFrom> {
        forwarded_from(text, &headers::scan(format!("Subject: {subject}\n\n").as_bytes()), None)
    }

    #[test]
    fn forwards_as_clients_write_them() {
        let jane = (Some("Jane Doe"), Some("jane@x.example"), Some("Printer"));
        for (subject, text) in [
            (
                "Fwd: Printer",
                "FYI\n\n---------- Forwarded message ---------\nFrom: Jane Doe <jane@x.example>\nDate: Mon, 2 Mar 2026 at 09:15\nSubject: Printer\nTo: <me@y.example>\n\nIt is broken, ask li@x.example",
            ),
            (
                "Fwd: Printer",
                "Begin forwarded message:\n\n> From: Jane Doe <jane@x.example>\n> Subject: Printer\n> Date: 2 March 2026\n> To: me@y.example\n>\n> It is broken",
            ),
            (
                "FW: Printer",
                "FYI\n\nFrom: Jane Doe [mailto:jane@x.example]\nSent: Monday, March 2, 2026 9:15 AM\nTo: Me\nSubject: Printer\n\nbroken",
            ),
            (
                "WG: Printer",
                "Von: Jane Doe <jane@x.example>\nGesendet: Montag, 2. März 2026 09:15\nAn: Ich\nBetreff: Printer\n\nkaputt",
            ),
            (
                "TR: Printer",
                "De : Jane Doe <jane@x.example>\nEnvoyé : lundi 2 mars 2026 09:15\nÀ : Moi\nObjet : Printer\n\ncassé",
            ),
            (
                "Fwd: Printer",
                "-------- Forwarded Message --------\nSubject: \tPrinter\nDate: \tMon, 2 Mar 2026 09:15:00 +0100\nFrom: \tJane Doe <jane@x.example>\nTo: \tme@y.example\n\nbroken",
            ),
            (
                "Fwd: Printer",
                "*From:* Jane Doe <jane@x.example<mailto:jane@x.example>>\n*Sent:* Monday\n*To:* Me\n*Subject:* Printer\n\nbroken",
            ),
            (
                "I: Printer",
                "Da: Jane Doe <jane@x.example>\nInviato: lunedì 2 marzo 2026\nA: Me\nOggetto: Printer\n\nrotto",
            ),
            ("RV: Printer", "De: Jane Doe <jane@x.example>\nEnviado el: lunes\nPara: Yo\nAsunto: Printer\n\nroto"),
            (
                "Printer",
                "---------- Forwarded message ---------\nFrom: Jane Doe <jane@x.example>\nDate: Mon\nSubject: Printer\n\nbroken",
            ),
            (
                "转发：Printer",
                "------------------ 原始邮件 ------------------\n发件人: Jane Doe <jane@x.example>\n发送时间: 2026年3月2日\n收件人: me\n主题: Printer\n\n坏了",
            ),
        ] {
            let found = read(subject, text).unwrap_or_else(|| panic!("{text}"));
            let from = found.from.unwrap();
            assert_eq!((from.name.as_deref(), from.address.as_deref(), found.subject.as_deref()), jane, "{text}");
            assert!(found.date.is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_no_forward_names_nobody() {
        for (subject, text) in [
            // History of a reply.
            (
                "Re: Printer",
                "Thanks\n\nFrom: Jane Doe <jane@x.example>\nSent: Monday\nTo: Me\nSubject: Printer\n\nbroken",
            ),
            ("Printer", "I forwarded it to jane@x.example, who said: ask li@x.example"),
            ("Fwd: Printer", "Please write to jane@x.example\n\nFrom here on it is broken"),
            ("Fwd: Printer", ""),
        ] {
            assert_eq!(read(subject, text), None, "{text}");
        }
    }

    #[test]
    fn the_outermost_and_the_attached() {
        let outer = "---------- Forwarded message ---------\nFrom: Jane Doe <jane@x.example>\nSubject: Fwd: a\n\n";
        let inner = "---------- Forwarded message ---------\nFrom: Li <li@x.example>\nSubject: a\n\ntext";
        assert_eq!(
            read("Fwd: Fwd: a", &format!("{outer}{inner}")).unwrap().from.unwrap().address.as_deref(),
            Some("jane@x.example")
        );
        let attached = b"From: Jane <jane@x.example>\nSubject: Printer\nMessage-ID: <a@x.example>\nDate: Mon, 2 Mar 2026 09:15:00 +0100\n\nbroken";
        let forward = headers::scan(b"Subject: Fwd: Printer\n\n");
        let found = forwarded_from("see attached", &forward, Some(attached)).unwrap();
        assert_eq!((found.how, found.date.as_deref()), ("attached", Some("2026-03-02T09:15:00+01:00")));
        assert_eq!(found.message_id.unwrap().as_str(), "a@x.example");
        assert_eq!(forwarded_from("see attached", &headers::scan(b"Subject: Printer\n\n"), Some(attached)), None);
    }
}
