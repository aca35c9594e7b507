//! The key under which mails share a ticket (`docs/THREADING.md`, merge keys).

use super::{
    data::{MergeBy, MergeSource},
    monitoring::{self, State},
};
use crate::{
    address::AddrSpec, digest::sha256_parts, headers::Headers, message_id::MessageId, parse::fold::fold, ticket::cut_at,
};

/// Octets of a key that are shown.
const SHOWN_OCTETS_MAX: usize = 160;

/// The key of one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Stands for the key in the message index.
    pub id: MessageId,
    /// System or place and the key, cut at 160 octets: for `explain`.
    pub shown: String,
    /// What the mail says of what the key names.
    pub state: State,
}

/// A way to a key, made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way {
    by: MergeSource,
    name: String,
    after: Option<String>,
    before: Option<String>,
}

/// The domain that a key belongs to, with the scope of the mailbox: nobody of another domain can take it, or speak to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    pub(super) scope: &'a str,
    pub(super) author: &'a AddrSpec,
}

impl Way {
    pub(super) fn of(by: &MergeBy) -> Self {
        Self {
            by: by.by,
            name: by.name.as_deref().unwrap_or_default().to_ascii_lowercase(),
            after: by.after.as_deref().map(mark),
            before: by.before.as_deref().map(mark),
        }
    }

    /// The key of a mail; the state is that of a problem unless the mail's own form says otherwise. Without a body: what
    /// the header alone tells.
    pub(super) fn key(&self, headers: &Headers, body: Option<&str>, owner: Owner<'_>) -> Option<Merge> {
        let (kind, key, state) = match self.by {
            MergeSource::Monitoring => {
                let alert = monitoring::recognise(&headers.subject, body)?;
                (alert.system.to_owned(), alert.key, alert.state)
            }
            MergeSource::Subject => ("subject".to_owned(), self.between(&headers.subject)?, State::Problem),
            MergeSource::Header => {
                let value = crate::headers::words::decode(headers.first(&self.name)?);
                (format!("header {}", self.name), self.between(&value)?, State::Problem)
            }
        };
        let parts = [owner.scope, owner.author.domain(), &kind, &key].map(str::as_bytes);
        let shown = format!("{kind}: {key}");
        let id = MessageId::from_key(&sha256_parts(&parts));
        Some(Merge { id, shown: cut_at(&shown, SHOWN_OCTETS_MAX).to_owned(), state })
    }

    /// What stands between the marks, folded, so that upper and lower case make no difference.
    fn between(&self, text: &str) -> Option<String> {
        let folded = fold(text);
        let mut rest = folded.as_str();
        if let Some(after) = &self.after {
            rest = rest.split_once(after.as_str())?.1;
        }
        if let Some(before) = &self.before {
            rest = rest.split_once(before.as_str()).map_or(rest, |(key, _)| key);
        }
        let key = rest.trim();
        (!key.is_empty()).then(|| key.to_owned())
    }
}

/// A mark folded as texts are, with the blanks at its ends.
fn mark(text: &str) -> String {
    let folded = fold(&format!("|{text}|"));
    folded.strip_prefix('|').and_then(|rest| rest.strip_suffix('|')).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(by: &str, header: &str, author: &str) -> Option<Merge> {
        let by: MergeBy = serde_json::from_str(by).unwrap();
        let headers = crate::headers::scan(format!("{header}\r\n\r\n").as_bytes());
        let author = AddrSpec::parse(author).unwrap();
        Way::of(&by).key(&headers, None, Owner { scope: "support", author: &author })
    }

    #[test]
    fn keys_by_subject_and_header() {
        let subject = r#"{ "by": "subject", "after": "Alert #", "before": " " }"#;
        let header = r#"{ "by": "header", "name": "X-Alert-Id" }"#;
        for (by, mail, shown) in [
            (subject, "Subject: ALERT #77 disk full", Some("subject: 77")),
            (subject, "Subject: alert #77 is over", Some("subject: 77")),
            (subject, "Subject: alert #77", Some("subject: 77")),
            (subject, "Subject: something else", None),
            (subject, "Subject: alert # 77", None),
            (header, "x-alert-id: =?utf-8?q?Disk_Full?=", Some("header x-alert-id: disk full")),
            (header, "X-Alert-Id:  ", None),
            (header, "Subject: none", None),
            (
                r#"{ "by": "monitoring" }"#,
                "Subject: [PROBLEM] HTTP on web01 is CRITICAL!",
                Some("icinga: HTTP on web01"),
            ),
            (r#"{ "by": "monitoring" }"#, "Subject: hello", None),
        ] {
            assert_eq!(key(by, mail, "a@mon.example").map(|k| k.shown).as_deref(), shown, "{mail}");
        }
    }

    #[test]
    fn a_key_is_its_domains_own() {
        let header = r#"{ "by": "header", "name": "X-Alert-Id" }"#;
        let id = |author: &str| key(header, "X-Alert-Id: 7", author).unwrap().id;
        assert_eq!(id("a@mon.example"), id("b@mon.example"));
        assert_ne!(id("a@mon.example"), id("a@evil.example"));
        assert!(id("a@mon.example").as_str().starts_with("key:"));
    }
}
