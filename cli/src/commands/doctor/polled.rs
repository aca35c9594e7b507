//! How fresh the mailboxes elsewhere are.

use postern::{ambient::Ambient, settings::Settings, store::Store};

use super::Finding;

const CHECK: &str = "poll";
/// Seconds without a good poll after which somebody should look: polls come every minute.
const STALE_AFTER: u64 = 10 * 60;

/// Where the stack polls nothing: one line a door that waits for it.
pub(super) fn nobody(settings: &Settings, place: &str) -> Vec<Finding> {
    let waiting = settings.doors.iter().filter(|door| door.polled().is_some());
    let mut findings: Vec<Finding> = waiting
        .map(|door| {
            let id = &door.id;
            let found =
                format!("door {id} is not polled: this stack polls no mailbox, its parameter EnableImap is false");
            let todo = format!("deploy it again with EnableImap=true, or postern door set {id} --enabled false{place}");
            Finding::fail(CHECK, found, todo)
        })
        .collect();
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "no mailbox is polled (EnableImap is false), and no door asks for it"));
    }
    findings
}

/// One line a polled folder, and one where the door is paused.
pub(super) async fn findings(store: &Store, settings: &Settings, ambient: &Ambient, place: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for door in settings.doors.iter().filter(|door| door.polled().is_some()) {
        let id = &door.id;
        match store.polled_door(id).await {
            Ok(state) if state.paused_at.is_some() => {
                let found =
                    format!("door {id} is paused: {} refused its credentials {} times", state.host, state.refused);
                let todo =
                    format!("set the right ones, postern door test {id}{place}, then postern door resume {id}{place}");
                findings.push(Finding::fail(CHECK, found, todo));
                continue;
            }
            Ok(_) => {}
            Err(error) => findings.push(Finding::unknown(CHECK, &error)),
        }
        let folders = match store.freshness(door).await {
            Ok(folders) => folders,
            Err(error) => {
                findings.push(Finding::unknown(CHECK, &error));
                continue;
            }
        };
        for fresh in folders {
            let what = format!("{id}, {}", fresh.folder);
            let trouble = fresh.trouble.as_deref().map(|word| format!(" ({word})")).unwrap_or_default();
            let todo = format!("postern door test {id}{place} says what does not work");
            findings.push(match fresh.age(ambient.now()) {
                Some(age) if age <= STALE_AFTER => Finding::ok(CHECK, format!("{what}: polled {age} s ago")),
                Some(age) => {
                    Finding::fail(CHECK, format!("{what}: the last good poll was {} min ago{trouble}", age / 60), todo)
                }
                None => Finding::warn(CHECK, format!("{what}: never polled to its end{trouble}"), todo),
            });
            if !fresh.parked.is_empty() {
                let found = format!("{what}: {} messages are left aside over there", fresh.parked.len());
                let todo = format!("postern mail{place} says why; postern poll --once --door {id} --parked{place}");
                findings.push(Finding::warn(CHECK, found, todo));
            }
        }
    }
    findings
}
