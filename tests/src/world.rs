//! A fresh system for each test: real engines, real pipeline, a fixed clock; and mail told in a few words.

mod end_state;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use postern::{
    address::AddrSpec,
    ambient::Ambient,
    blobs::Blobs,
    dkim::Dkim,
    door::Doors,
    envelope::{Envelope, ReversePath},
    inbound::{InboundMessage, Ingress, Origin, ReplayGuard, Verdict, Verdicts},
    ingest::Ingest,
    mailbox::{Caps, Mailbox, MailboxId, Mailboxes},
    outcome::{Answer, IngestError},
    settings::{Settings, SettingsSource},
    store::Store,
    token::Keyring,
};
use postern_cli::engines::{BUCKET, Engines, TABLE};

pub(crate) use self::end_state::EndState;
use crate::harness::wire::Wire;

/// When every test happens.
pub(crate) const NOW: &str = "2026-11-02T09:00:00Z";
/// Address of the one mailbox of [`World::new`].
pub(crate) const SUPPORT: &str = "support@us.example";

/// Where every cause and reason is listed.
const DOCUMENTED: &str = include_str!("../../docs/THREADING.md");

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(crate) fn mailbox(id: &str, address: &str, prefix: &str) -> Mailbox {
    Mailbox::new(MailboxId::parse(id).unwrap(), AddrSpec::parse(address).unwrap(), prefix)
}

/// The one mailbox of [`World::new`], of which nobody can have too much: for tests that send the same again and again.
pub(crate) fn boundless() -> Mailbox {
    let most = 1_000_000;
    let caps = Caps { author_tickets: most, author_entries: most, ticket_entries: most, alike: most };
    Mailbox { caps, ..mailbox("support", SUPPORT, "INC") }
}

pub(crate) fn keyring() -> Keyring {
    Keyring::new(vec![(1, vec![7; 32]), (0, vec![3; 32])]).unwrap()
}

/// One system.
pub(crate) struct World {
    pub(crate) engines: Engines,
    pub(crate) mailboxes: Mailboxes,
    /// Over a wire of its own, without gate and faults.
    pub(crate) ingest: Ingest,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(vec![mailbox("support", SUPPORT, "INC")]).await
    }

    pub(crate) async fn with(mailboxes: Vec<Mailbox>) -> Self {
        let engines = Engines::start(None).await.unwrap();
        let mailboxes = Mailboxes::new(mailboxes).unwrap();
        let ingest = pipeline(&engines, &mailboxes, &Wire::new(), now());
        Self { engines, mailboxes, ingest }
    }

    /// The mailboxes, read already.
    pub(crate) fn settings(&self) -> SettingsSource {
        let settings = Settings { mailboxes: self.mailboxes.clone(), ..Settings::default() };
        SettingsSource::fixed(settings, self.ingest.ambient.clone())
    }

    /// Reads the settings over a wire that is watched, as a function does when it starts.
    pub(crate) async fn read_settings(&self, wire: &Wire) {
        let pipeline = self.over(wire);
        let settings = SettingsSource::new(Settings::default(), pipeline.store.clone(), pipeline.ambient.clone());
        settings.current().await.unwrap();
    }

    /// The pipeline as one invocation has it, over a wire that is watched.
    pub(crate) fn over(&self, wire: &Wire) -> Ingest {
        pipeline(&self.engines, &self.mailboxes, wire, now())
    }

    /// The same over a wire that is watched, at another time.
    pub(crate) fn over_at(&self, wire: &Wire, time: Timestamp) -> Ingest {
        pipeline(&self.engines, &self.mailboxes, wire, time)
    }

    /// The same at another time.
    pub(crate) fn at(&self, time: Timestamp) -> Ingest {
        pipeline(&self.engines, &self.mailboxes, &Wire::new(), time)
    }

    /// Delivers and expects one answer.
    pub(crate) async fn deliver(&self, copy: &Copy) -> Answer {
        let answer = one(self.ingest.run(copy.inbound()).await);
        for reason in &answer.reasons {
            let slug = if reason.starts_with("rule:") { "rule:NAME" } else { reason };
            let listed = DOCUMENTED.contains(&format!("`{slug}`"));
            assert!(listed, "reason {reason} is not in the tables of docs/THREADING.md");
        }
        answer
    }

    /// All items of the table whose pk begins with `kind`, by key.
    pub(crate) async fn items(&self, kind: &str) -> BTreeMap<(String, String), Item> {
        let (dynamodb, _) = self.engines.clients(None);
        let pages = dynamodb.scan().table_name(TABLE).consistent_read(true).into_paginator().items().send();
        let items: Vec<Item> = pages.collect::<Result<_, _>>().await.unwrap();
        let keyed = items.into_iter().map(|item| ((text(&item, "pk"), text(&item, "sk")), item));
        keyed.filter(|((pk, sk), _)| pk.starts_with(kind) || sk.starts_with(kind)).collect()
    }

    pub(crate) async fn put_item(&self, item: Item) {
        let (dynamodb, _) = self.engines.clients(None);
        dynamodb.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    }
}

pub(crate) type Item = std::collections::HashMap<String, AttributeValue>;

/// An attribute as text; empty where it is missing.
pub(crate) fn text(item: &Item, name: &str) -> String {
    match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        Some(AttributeValue::N(number)) => number.clone(),
        _ => String::new(),
    }
}

pub(crate) fn one(answers: Result<Vec<Answer>, IngestError>) -> Answer {
    let mut answers = answers.unwrap();
    assert_eq!(answers.len(), 1, "one mailbox, one answer");
    answers.remove(0)
}

fn pipeline(engines: &Engines, mailboxes: &Mailboxes, wire: &Wire, time: Timestamp) -> Ingest {
    let (dynamodb, s3) = wire.clients(engines);
    static SEED: AtomicU64 = AtomicU64::new(0);
    let ambient = Ambient::fixed(time, SEED.fetch_add(1, Ordering::Relaxed));
    Ingest {
        store: Store::new(dynamodb, TABLE, ambient.clone()),
        blobs: Blobs::new(s3, BUCKET),
        keyring: keyring(),
        mailboxes: mailboxes.clone(),
        doors: Doors::default(),
        dkim: Dkim::system(),
        ambient,
        retry: None,
        fetcher: None,
    }
}

/// A mail in a few words. Addresses are `<name>@people.example` unless they hold an `@`.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// Stands in the text, so that an entry can be told to be this mail's.
    pub(crate) name: String,
    /// Message-ID without brackets; empty = none.
    pub(crate) id: String,
    pub(crate) author: String,
    pub(crate) to: Vec<String>,
    pub(crate) in_reply_to: Vec<String>,
    pub(crate) references: Vec<String>,
    /// Minutes after [`NOW`]; `None` = no Date.
    pub(crate) date: Option<i64>,
    pub(crate) subject: String,
    /// Further header lines.
    pub(crate) extra: Vec<String>,
}

pub(crate) fn mail(name: &str, author: &str) -> Mail {
    Mail {
        name: name.to_owned(),
        id: format!("{name}@ids.example"),
        author: author.to_owned(),
        to: Vec::new(),
        in_reply_to: Vec::new(),
        references: Vec::new(),
        date: Some(1),
        subject: "subject".to_owned(),
        extra: Vec::new(),
    }
}

/// A mail with one file of text.
pub(crate) fn with_file(name: &str, author: &str) -> Mail {
    let mut mail = mail(name, author).field("MIME-Version: 1.0").field("Content-Type: multipart/mixed; boundary=b");
    mail.name = format!(
        "{name}\r\n--b\r\n\r\nmail {name}\r\n--b\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\none\r\n--b--"
    );
    mail
}

pub(crate) fn address(name: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}@people.example") }
}

impl Mail {
    pub(crate) fn to(mut self, names: &[&str]) -> Self {
        self.to = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    pub(crate) fn reply_to(mut self, names: &[&str]) -> Self {
        self.in_reply_to = names.iter().map(|name| format!("{name}@ids.example")).collect();
        self
    }

    pub(crate) fn references(mut self, names: &[&str]) -> Self {
        self.references = names.iter().map(|name| format!("{name}@ids.example")).collect();
        self
    }

    pub(crate) fn id(mut self, name: &str) -> Self {
        self.id = format!("{name}@ids.example");
        self
    }

    pub(crate) fn subject(mut self, subject: &str) -> Self {
        self.subject = subject.to_owned();
        self
    }

    pub(crate) fn date(mut self, minutes: i64) -> Self {
        self.date = Some(minutes);
        self
    }

    pub(crate) fn field(mut self, line: &str) -> Self {
        self.extra.push(line.to_owned());
        self
    }

    /// A copy as it arrives: `label` stands in a Received line, so that copies differ in their octets.
    pub(crate) fn copy(&self, label: &str) -> Copy {
        Copy {
            mail: self.clone(),
            label: label.to_owned(),
            door: "mailgun".to_owned(),
            dmarc: Some(Verdict::Pass),
            spam: None,
            guard: None,
            rebuilt: false,
            minutes: self.date.unwrap_or(1),
            forward: vec![SUPPORT.to_owned()],
        }
    }

    pub(crate) fn octets(&self, label: &str) -> Vec<u8> {
        let ids = |ids: &[String]| ids.iter().map(|id| format!("<{id}>")).collect::<Vec<_>>().join(" ");
        let mut text = format!("Received: from x by y id {label}; Mon, 02 Nov 2026 09:00:00 +0000\r\n");
        let mut line = |name: &str, value: &str| {
            if !value.is_empty() {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
        };
        line("From", &if self.author.is_empty() { String::new() } else { address(&self.author) });
        let to: Vec<String> = std::iter::once(SUPPORT.to_owned()).chain(self.to.iter().map(|n| address(n))).collect();
        line("To", &to.join(", "));
        line("Subject", &self.subject);
        let date = self.date.map(|minutes| now() + SignedDuration::from_mins(minutes));
        line("Date", &date.map(|at| at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()).unwrap_or_default());
        line("Message-ID", &if self.id.is_empty() { String::new() } else { format!("<{}>", self.id) });
        line("In-Reply-To", &ids(&self.in_reply_to));
        line("References", &ids(&self.references));
        for extra in &self.extra {
            text.push_str(&format!("{extra}\r\n"));
        }
        text.push_str(&format!("\r\nmail {}\r\n", self.name));
        text.into_bytes()
    }
}

/// One copy of a mail at a door.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) mail: Mail,
    pub(crate) label: String,
    pub(crate) door: String,
    pub(crate) dmarc: Option<Verdict>,
    pub(crate) spam: Option<Verdict>,
    pub(crate) guard: Option<ReplayGuard>,
    /// Made from a payload, which is kept beside it.
    pub(crate) rebuilt: bool,
    /// Transport time, minutes after [`NOW`].
    pub(crate) minutes: i64,
    pub(crate) forward: Vec<String>,
}

impl Copy {
    pub(crate) fn door(mut self, door: &str) -> Self {
        self.door = door.to_owned();
        self
    }

    pub(crate) fn auth(mut self, verdict: Option<Verdict>) -> Self {
        self.dmarc = verdict;
        self
    }

    pub(crate) fn spam(mut self) -> Self {
        self.spam = Some(Verdict::Fail);
        self
    }

    pub(crate) fn token(mut self, token: &str, digest: &str) -> Self {
        self.guard = Some(ReplayGuard { token_sha256: token.to_owned(), body_digest: digest.to_owned() });
        self
    }

    pub(crate) fn rebuilt(mut self) -> Self {
        self.rebuilt = true;
        self
    }

    pub(crate) fn forward(mut self, addresses: &[&str]) -> Self {
        self.forward = addresses.iter().map(|a| (*a).to_owned()).collect();
        self
    }

    /// Handed over for so many addresses that the record of it does not fit beside the octets.
    pub(crate) fn for_a_crowd(mut self) -> Self {
        let crowd = (0..100).map(|n| address(&format!("nobody-of-a-crowd-{n}")));
        self.forward.extend(crowd);
        self
    }

    pub(crate) fn inbound(&self) -> InboundMessage {
        let reverse_path = match AddrSpec::parse(&address(&self.mail.author)) {
            Some(author) if !self.mail.author.is_empty() => ReversePath::Address(author),
            _ => ReversePath::Unknown,
        };
        InboundMessage {
            raw: self.mail.octets(&self.label).into(),
            origin: if self.rebuilt { Origin::Rebuilt } else { Origin::Received },
            envelope: Envelope {
                reverse_path,
                forward_paths: self.forward.iter().filter_map(|a| AddrSpec::parse(a)).collect(),
                from_header: false,
            },
            ingress: Ingress {
                door: self.door.clone(),
                provider: self.door.clone(),
                event_id: Some(self.label.clone()),
                transport_time: now() + SignedDuration::from_mins(self.minutes),
            },
            verdicts: Verdicts { dmarc: self.dmarc, spam: self.spam, ..Verdicts::default() },
            mailbox: None,
            replay_guard: self.guard.clone(),
            payload: self.rebuilt.then(|| format!("payload of {}", self.label).into()),
            fetch: None,
        }
    }
}
