//! What came out of a test's mails, and what must hold in every end state.

use std::collections::BTreeMap;

use super::{Item, World, text};

/// What came out, without ticket numbers: which mails share a ticket (`?` = unverified), and how each copy ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EndState {
    pub(crate) partition: String,
    pub(crate) ledger: Vec<String>,
}

impl World {
    /// The end state, after checking what must hold in every one: no mail has two entries, every copy has ended,
    /// nobody speaks publicly who may not.
    pub(crate) async fn end_state(&self) -> EndState {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut names = Vec::new();
        let tickets = self.items("TICKET#").await;
        for ((pk, sk), item) in &tickets {
            if !sk.starts_with("ENTRY#") {
                continue;
            }
            let name = text(item, "text").split_whitespace().nth(1).unwrap_or("-").to_owned();
            let visibility = text(item, "visibility");
            if visibility == "public" {
                assert_speaks(&tickets[&(pk.clone(), "TICKET".to_owned())], item);
            }
            let scope = text(&tickets[&(pk.clone(), "TICKET".to_owned())], "scope");
            names.push(format!("{scope} {name}"));
            let mark = if visibility == "public" { "" } else { "?" };
            groups.entry(pk.clone()).or_default().push(format!("{name}{mark}"));
        }
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all, "a mail has two entries: {groups:?}");
        let mut ledger = Vec::new();
        for ((_, mailbox), item) in self.items("MAIL#").await {
            let outcome = text(&item, "outcome");
            assert_ne!(outcome, "queued", "a copy has not ended");
            let label =
                item.get("ingress").and_then(|v| v.as_m().ok()).map(|m| text(m, "event_id")).unwrap_or_default();
            ledger.push(format!("{label}/{mailbox} {} {outcome}", text(&item, "effect")));
        }
        ledger.sort();
        let mut partition: Vec<String> = groups
            .into_values()
            .map(|mut names| {
                names.sort();
                names.join(" ")
            })
            .collect();
        partition.sort();
        EndState { partition: partition.join(" | "), ledger }
    }
}

fn assert_speaks(ticket: &Item, entry: &Item) {
    let address = |item: &Item| item.get("address").and_then(|v| v.as_s().ok()).cloned();
    let author = entry.get("author").and_then(|v| v.as_m().ok()).and_then(address);
    let Some(author) = author else { return };
    let people = ticket.get("participants").and_then(|v| v.as_l().ok()).unwrap();
    let known = people.iter().filter_map(|p| p.as_m().ok().and_then(address)).any(|a| a == author);
    assert!(known, "a stranger's entry is public");
}
