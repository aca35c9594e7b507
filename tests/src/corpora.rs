//! Real mail of other people, where a folder of it is at hand: `POSTERN_CORPORA=/path/to/corpora`. The project does
//! without; a run without the folder says so.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use postern::{inbound::InboundMessage, mailbox::StrangerPolicy};
use serde_json::Value;

use crate::world::{SUPPORT, World, mail, mailbox};

/// The folder, or a line that says why nothing is measured.
#[expect(clippy::disallowed_methods, reason = "where the folder is, is the developer's word")]
fn folder(name: &str) -> Option<PathBuf> {
    let Some(corpora) = std::env::var_os("POSTERN_CORPORA") else {
        println!("POSTERN_CORPORA is not set: {name} is not measured");
        return None;
    };
    Some(Path::new(&corpora).join(name))
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
    let mut support = mailbox("support", SUPPORT, "INC");
    support.strangers = StrangerPolicy::Append;
    support.reopen_window_days = None;
    let world = World::with(vec![support]).await;
    let expectations = std::fs::read_to_string(folder.join("expectations.jsonl")).unwrap();
    let mut grouped = Vec::new();
    for (n, line) in expectations.lines().enumerate() {
        let row: Value = serde_json::from_str(line).unwrap();
        let raw = std::fs::read(folder.join(row["file"].as_str().unwrap())).unwrap();
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
    let wanted = pairs(grouped.iter().map(|(truth, _)| truth));
    let got = pairs(grouped.iter().map(|(_, ticket)| ticket));
    let both = pairs(grouped.iter());
    let (precision, recall) = (both / got, both / wanted);
    println!("threading: {} mails, pair precision {precision:.4}, recall {recall:.4}", grouped.len());
    assert!(precision >= 0.99 && recall >= 0.91, "precision {precision:.4}, recall {recall:.4}");
}
