//! A stub: the mail that stands for one which is too large to come here. Made of what Postmark tells of it; the same
//! details make the same octets.

use std::fmt::Write;

use base64::{Engine, prelude::BASE64_STANDARD};

use super::postmark::{Attachment, Details, LAMBDA_OCTETS_MAX, Person};
use crate::ticket::cut_at;

/// Octets of the text that are taken over.
const TEXT_OCTETS_MAX: usize = 256 * 1024;
/// Attachments that are listed.
const ATTACHMENTS_MAX: usize = 50;
/// Octets of one field: References of long threads stay whole for the last hundred ids.
const FIELD_OCTETS_MAX: usize = 16 * 1024;
/// A line is folded at the next blank after so many octets; RFC 5322 section 2.1.1 ends at 998.
const LINE_OCTETS: usize = 900;
/// Octets of one line of Base64 (RFC 2045 section 6.8).
const BASE64_LINE: usize = 76;
/// Fields that are made anew, or that say how the original was put together.
const OWN_FIELDS: [&str; 7] = ["from", "to", "cc", "subject", "date", "mime-version", "return-path"];

impl Details {
    /// An RFC 5322 message with the header and the text of the mail, and lines of ours that say what is missing.
    #[must_use]
    pub fn stub(&self) -> Vec<u8> {
        let mut text = String::new();
        let people = |list: &[Person]| list.iter().filter_map(person).collect::<Vec<_>>().join(", ");
        let from = person(&self.from_full).unwrap_or_else(|| self.from.clone());
        field(&mut text, "From", &from);
        field(&mut text, "To", &people(&self.to_full));
        field(&mut text, "Cc", &people(&self.cc_full));
        field(&mut text, "Subject", &self.subject);
        field(&mut text, "Date", &date(&self.date));
        for other in &self.headers {
            let name = other.name.trim();
            let ours = OWN_FIELDS.iter().any(|own| own.eq_ignore_ascii_case(name));
            let of_form = name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("content-"));
            if is_field_name(name) && !ours && !of_form {
                field(&mut text, name, &other.value);
            }
        }
        field(&mut text, "MIME-Version", "1.0");
        field(&mut text, "Content-Type", "text/plain; charset=utf-8");
        field(&mut text, "Content-Transfer-Encoding", "base64");
        text.push_str("\r\n");
        let encoded = BASE64_STANDARD.encode(self.shown());
        for line in encoded.as_bytes().chunks(BASE64_LINE) {
            // Base64 is ASCII.
            text.push_str(std::str::from_utf8(line).unwrap_or_default());
            text.push_str("\r\n");
        }
        text.into_bytes()
    }

    /// Our lines first: what stands below a quotation is cut off a reply.
    fn shown(&self) -> String {
        let mut text = format!(
            "This mail was too large to be delivered here (about {} of at most {} octets); its attachments are with \
             Postmark:\r\nServers > Inbound > Activity, message {}.\r\n",
            self.request_octets(),
            LAMBDA_OCTETS_MAX,
            self.message_id
        );
        for Attachment { name, content_type, content_length } in self.attachments.iter().take(ATTACHMENTS_MAX) {
            let _ = write!(text, "- {} ({}, {content_length} octets)\r\n", one_line(name), one_line(content_type));
        }
        let more = self.attachments.len().saturating_sub(ATTACHMENTS_MAX);
        if more > 0 {
            let _ = write!(text, "- and {more} more\r\n");
        }
        text.push_str("\r\n");
        text.push_str(cut_at(&self.text_body, TEXT_OCTETS_MAX));
        text
    }
}

/// `"Name" <address>`, as one line; `None` where there is no address.
fn person(person: &Person) -> Option<String> {
    let address = one_line(&person.email).replace(['<', '>', ','], "");
    let name = one_line(&person.name).replace(['"', '\\'], "");
    match (address.is_empty(), name.is_empty()) {
        (true, _) => None,
        (false, true) => Some(address),
        (false, false) => Some(format!("\"{name}\" <{address}>")),
    }
}

/// Postmark writes the sender's Date as it stood, and its own as RFC 3339.
fn date(text: &str) -> String {
    match text.trim().parse::<jiff::Timestamp>() {
        Ok(at) => at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// RFC 5322 section 2.2: printable ASCII without the colon.
fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 76 && name.bytes().all(|b| b.is_ascii_graphic() && b != b':')
}

/// Nothing that ends a line, or anything else that is not to be seen.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.trim().to_owned()
}

/// Writes a field that has a value; a long one folded at its blanks.
fn field(text: &mut String, name: &str, value: &str) {
    let value = one_line(cut_at(value, FIELD_OCTETS_MAX));
    if value.is_empty() {
        return;
    }
    text.push_str(name);
    text.push(':');
    let mut line = name.len() + 1;
    for word in value.split(' ').filter(|word| !word.is_empty()) {
        let fold = if line > LINE_OCTETS { "\r\n " } else { " " };
        text.push_str(fold);
        text.push_str(word);
        line = if fold.len() > 1 { 0 } else { line } + 1 + word.len();
    }
    text.push_str("\r\n");
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
        assert_eq!(header.message_id.as_ref().map(|id| id.as_str()), Some("a@ids.example"));
        assert_eq!(header.from[0].address.as_deref(), Some("jane@people.example"));
        assert!(header.subject.starts_with("Grüße"), "{}", header.subject);
        assert_eq!(header.date.map(|at| at.to_string()).as_deref(), Some("2026-11-02T14:00:00Z"));
        assert_eq!(header.all("subject").count(), 1);
        let text = parse::parse(&raw, &header).text;
        for part in ["too large", "film  .mp4", "30000000 octets", "see the film", "b0a1"] {
            assert!(text.contains(part), "{text} lacks {part}");
        }
    }

    #[test]
    fn no_value_makes_a_field_of_its_own() {
        let raw = String::from_utf8(details().stub()).unwrap();
        for line in raw.split("\r\n") {
            assert!(line.len() <= 998, "{}", line.len());
            assert!(!line.starts_with("X-Injected") && !line.starts_with("Bcc"), "{line}");
        }
        assert!(!raw.replace("\r\n", "").contains(['\r', '\n']), "a bare line end");
        assert_eq!(headers::scan(raw.as_bytes()).all("x-injected").count(), 0);
        assert_eq!(headers::scan(raw.as_bytes()).all("content-type").count(), 1);
    }
}
