//! A stub: the mail that stands for one which is too large to come here. Made of what Postmark tells of it; the same
//! details make the same octets.

use std::fmt::Write;

use super::postmark::{Attachment, Details, LAMBDA_OCTETS_MAX, Person};
use crate::{
    providers::{
        postmark::mailbox,
        rebuild::{Parsed, rebuild},
    },
    ticket::cut_at,
};

/// Octets of the text that are taken over.
const TEXT_OCTETS_MAX: usize = 256 * 1024;
/// Attachments that are listed.
const ATTACHMENTS_MAX: usize = 50;
/// Octets of one field: References of long threads stay whole for the last hundred ids.
const FIELD_OCTETS_MAX: usize = 16 * 1024;
/// Fields that Postmark lifts out of the header, and the one that it puts before it.
const OWN_FIELDS: [&str; 6] = ["from", "to", "cc", "subject", "date", "return-path"];

impl Details {
    /// An RFC 5322 message with the header and the text of the mail, and lines of ours that say what is missing.
    #[must_use]
    pub fn stub(&self) -> bytes::Bytes {
        let people = |list: &[Person]| list.iter().filter_map(person).collect::<Vec<_>>().join(", ");
        let lifted = [
            ("From", person(&self.from_full).unwrap_or_else(|| self.from.clone())),
            ("To", people(&self.to_full)),
            ("Cc", people(&self.cc_full)),
            ("Subject", self.subject.clone()),
            ("Date", date(&self.date)),
        ];
        let lifted = lifted.into_iter().map(|(name, value)| (name.to_owned(), value));
        let own = |name: &str| OWN_FIELDS.iter().any(|own| own.eq_ignore_ascii_case(name.trim()));
        let others = self.headers.iter().filter(|field| !own(&field.name));
        let others = others.map(|field| (field.name.clone(), field.value.clone()));
        let cut = |value: String| cut_at(&value, FIELD_OCTETS_MAX).as_bytes().to_vec();
        let headers = lifted.chain(others).filter(|(_, value)| !value.trim().is_empty());
        let headers = headers.map(|(name, value)| (name, cut(value))).collect();
        rebuild(&Parsed { headers, texts: vec![self.shown()], ..Parsed::default() })
    }

    /// Our lines first: what stands below a quotation is cut off a reply.
    fn shown(&self) -> String {
        let mut text = format!(
            "Postmark could not deliver this mail here. Its parts are about {} octets of a request, twice that where Postmark \
             sends the raw mail too, and a request may have {LAMBDA_OCTETS_MAX}. Its attachments are with Postmark: \
             Servers > Inbound > Activity, message {}.\n",
            self.request_octets(),
            self.message_id
        );
        for Attachment { name, content_type, content_length } in self.attachments.iter().take(ATTACHMENTS_MAX) {
            let _ = writeln!(text, "- {} ({}, {content_length} octets)", one_line(name), one_line(content_type));
        }
        let more = self.attachments.len().saturating_sub(ATTACHMENTS_MAX);
        if more > 0 {
            let _ = writeln!(text, "- and {more} more");
        }
        text.push('\n');
        text.push_str(cut_at(&self.text_body, TEXT_OCTETS_MAX));
        text
    }
}

/// `None` where there is no address.
fn person(person: &Person) -> Option<String> {
    let email = person.email.trim();
    (!email.is_empty()).then(|| mailbox(&person.name, email))
}

/// Postmark writes the sender's Date as it stood, and its own as RFC 3339.
fn date(text: &str) -> String {
    match text.trim().parse::<jiff::Timestamp>() {
        Ok(at) => at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// Nothing that ends a line, or anything else that is not to be seen.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{super::postmark::Field, *};
    use crate::{headers, parse};

    fn details() -> Details {
        let named = |name: &str, value: &str| Field { name: name.into(), value: value.into() };
        Details {
            message_id: "b0a1".into(),
            from_full: Person { email: "jane@people.example".into(), name: "Jane \"J\" Doe\r\nBcc: x@y".into() },
            to_full: vec![Person { email: "support@us.example".into(), name: String::new() }],
            subject: "Grüße\r\nX-Injected: yes\r\n\r\nbody".into(),
            date: "2026-11-02T09:00:00.0000000-05:00".into(),
            text_body: "Hello,\nsee the film.".into(),
            headers: vec![
                named("Message-ID", "<a@ids.example>"),
                named("References", &"<r@ids.example> ".repeat(200)),
                named("Content-Type", "multipart/mixed; boundary=b"),
                named("X-Bad\r\nX-Injected", "yes"),
                named("X-Also", "one\r\nX-Injected: yes"),
                named("Subject", "another"),
            ],
            attachments: vec![Attachment {
                name: "film\r\n.mp4".into(),
                content_type: "video/mp4".into(),
                content_length: 30_000_000,
            }],
            ..Details::default()
        }
    }

    #[test]
    fn a_stub_reads_as_the_mail_it_stands_for() {
        let (raw, again) = (details().stub(), details().stub());
        assert_eq!(raw, again, "the same details, the same octets");
        let header = headers::scan(&raw);
        assert_eq!(header.message_id.as_ref().map(crate::message_id::MessageId::as_str), Some("a@ids.example"));
        assert_eq!(header.from[0].address.as_deref(), Some("jane@people.example"));
        assert!(header.subject.starts_with("Grüße"), "{}", header.subject);
        assert_eq!(header.date.map(|at| at.to_string()).as_deref(), Some("2026-11-02T14:00:00Z"));
        assert_eq!(header.all("subject").count(), 1);
        let text = parse::parse(&raw, &header).text;
        for part in ["could not deliver", "film  .mp4", "30000000 octets", "see the film", "b0a1"] {
            assert!(text.contains(part), "{text} lacks {part}");
        }
    }

    #[test]
    fn no_value_makes_a_field_of_its_own() {
        let raw = String::from_utf8(details().stub().to_vec()).unwrap();
        for line in raw.split("\r\n") {
            assert!(line.len() <= 998, "{}", line.len());
            assert!(!line.starts_with("X-Injected") && !line.starts_with("Bcc"), "{line}");
        }
        assert!(!raw.replace("\r\n", "").contains(['\r', '\n']), "a bare line end");
        assert_eq!(headers::scan(raw.as_bytes()).all("x-injected").count(), 0);
        assert_eq!(headers::scan(raw.as_bytes()).all("content-type").count(), 1);
    }
}
