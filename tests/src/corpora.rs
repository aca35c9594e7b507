//! Real mail of other people, where a folder of it is at hand: `POSTERN_CORPORA=/path/to/corpora`. The project does
//! without; a run without the folder says so.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use postern::{inbound::InboundMessage, mailbox::StrangerPolicy};
use serde_json::Value;

use crate::world::{World, boundless, mail};

/// The folder, or a line that says why nothing is measured.
#[expect(clippy::disallowed_methods, reason = "where the folder is, is the developer's word")]
fn folder(name: &str) -> Option<PathBuf> {
    let Some(corpora) = std::env::var_os("POSTERN_CORPORA") else {
        println!("POSTERN_CORPORA is not set: {name} is not measured");
        return None;
    };
    Some(Path::new(&corpora).join(name))
}

/// Mails joined by the ids that they name, whoever has them first; addresses of people are none.
#[derive(Default)]
struct Conversations {
    first: HashMap<String, usize>,
    parent: Vec<usize>,
}

impl Conversations {
    fn root(&self, mut of: usize) -> usize {
        while self.parent[of] != of {
            of = self.parent[of];
        }
        of
    }

    fn add(&mut self, raw: &[u8]) {
        let headers = postern::headers::scan(raw);
        let people = headers.from.iter().chain(&headers.to).chain(&headers.cc).chain(&headers.reply_to);
        let people: Vec<String> = people.filter_map(|p| p.addr_spec().map(|address| address.to_string())).collect();
        let this = self.parent.len();
        self.parent.push(this);
        let ids = headers.message_id.iter().chain(&headers.in_reply_to).chain(&headers.references);
        for id in ids.filter(|id| !people.contains(&id.as_str().to_ascii_lowercase())) {
            let first = *self.first.entry(id.as_str().to_owned()).or_insert(this);
            let (one, other) = (self.root(first), self.root(this));
            self.parent[other] = one;
        }
    }

    fn groups(&self) -> Vec<usize> {
        (0..self.parent.len()).map(|mail| self.root(mail)).collect()
    }
}

/// Pairs within each group.
fn pairs<K: std::hash::Hash + Eq>(groups: impl Iterator<Item = K>) -> f64 {
    let mut sizes: HashMap<K, f64> = HashMap::new();
    groups.for_each(|key| *sizes.entry(key).or_default() += 1.0);
    sizes.values().map(|n| n * (n - 1.0) / 2.0).sum()
}

/// Mail of lists in Date order, everybody may append: how well tickets are conversations, in pairs of mails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threading_groups_mail_of_lists_into_conversations() {
    let Some(folder) = folder("threading") else { return };
    let mut support = boundless();
    support.strangers = StrangerPolicy::Append;
    support.reopen_window_days = None;
    let world = World::with(vec![support]).await;
    let expectations = std::fs::read_to_string(folder.join("expectations.jsonl")).unwrap();
    let (mut grouped, mut by_ids) = (Vec::new(), Conversations::default());
    for (n, line) in expectations.lines().enumerate() {
        let row: Value = serde_json::from_str(line).unwrap();
        let raw = std::fs::read(folder.join(row["file"].as_str().unwrap())).unwrap();
        by_ids.add(&raw);
        let seconds = row["date_ts"].to_string();
        let at = Timestamp::from_second(seconds.split('.').next().unwrap().parse().unwrap()).unwrap();
        let mut inbound: InboundMessage = mail("x", "x").copy(&n.to_string()).inbound();
        inbound.raw = raw.into();
        inbound.envelope = postern::envelope::Envelope::default();
        inbound.ingress.transport_time = at;
        let answer = world.ingest.run(inbound).await.unwrap().remove(0);
        // What opens no ticket stands alone.
        let ticket = answer.ticket_id.unwrap_or(1_000_000 + n as u64);
        grouped.push((row["thread_refs"].as_str().unwrap().to_owned(), ticket));
    }
    // The set takes the addresses of people in In-Reply-To ("message of Jane <jane@host>") for ids, and so joins all that was
    // ever answered to Jane. What only such an address joins is nobody's conversation.
    let ids = by_ids.groups();
    let wanted = pairs(grouped.iter().zip(&ids).map(|((truth, _), ids)| (truth, ids)));
    let of_the_set = pairs(grouped.iter().map(|(truth, _)| truth));
    let got = pairs(grouped.iter().map(|(_, ticket)| ticket));
    let both = pairs(grouped.iter());
    let (precision, recall) = (both / got, both / wanted);
    let told = format!("{:.4} of all pairs of the set", both / of_the_set);
    println!("threading: {} mails, pair precision {precision:.4}, recall {recall:.4} ({told})", grouped.len());
    assert!(precision >= 0.99 && recall >= 0.91, "precision {precision:.4}, recall {recall:.4}");
}
