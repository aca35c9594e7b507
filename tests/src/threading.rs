//! The two tables of DESIGN section 5 as stories: evidence names the ticket, standing decides the effect.

mod attacks;
mod closing;
mod evidence;
mod floods;
mod holding;
mod lifecycle;
mod merging;
mod people;
mod reopening;
mod splitting;
mod table;

use postern::{inbound::InboundMessage, outcome::Answer, ticket::Visibility};

use crate::world::{Copy, World, mail};

/// A world in which cust has opened ticket 1, with bob in Cc.
async fn with_ticket() -> World {
    let world = World::new().await;
    let opened = world.deliver(&mail("o", "cust").to(&["bob"]).copy("0")).await;
    assert_eq!((opened.outcome, opened.ticket_id), ("created_new", Some(1)));
    world
}

/// Visibility of the entry that an answer speaks of.
async fn visibility(world: &World, answer: &Answer) -> Visibility {
    let entries = world.ingest.store.entries(answer.ticket_id.unwrap()).await.unwrap();
    let sk = answer.reply_id.clone().or_else(|| entries.first().map(|entry| entry.entry.clone()));
    entries.into_iter().find(|entry| Some(&entry.entry) == sk.as_ref()).unwrap().visibility
}

fn has(answer: &Answer, reason: &str) -> bool {
    answer.reasons.iter().any(|r| r == reason)
}

async fn outcome(world: &World, copy: &Copy) -> (&'static str, Option<u64>) {
    let answer = world.deliver(copy).await;
    (answer.outcome, answer.ticket_id)
}

/// The mail with another text.
fn saying(copy: &Copy, text: &str) -> InboundMessage {
    let inbound = copy.inbound();
    let octets = String::from_utf8(inbound.raw.to_vec()).unwrap();
    let (header, _) = octets.split_once("\r\n\r\n").unwrap();
    InboundMessage { raw: format!("{header}\r\n\r\n{text}\r\n").into(), ..inbound }
}
