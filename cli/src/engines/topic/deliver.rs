//! Tells an URL what was published: in order, at least once, as long as it takes.
//!
//! How far it was told stands in `<data>/events-told.json`, so a restart goes on there. A receiver that is down, or answers
//! 5xx, 408 or 429, is tried again with growing pauses; any other answer but 2xx refuses the event for good, as with SNS.
//! Another URL begins with what is published from then on.

use std::fs;
use std::io::{self, BufRead, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{Event, Topic};
use crate::engines::directory::Directory;

/// To connect, be read and answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Between tries: doubled each time, from and up to.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

#[derive(Serialize, Deserialize)]
struct Told {
    url: String,
    /// Octets of the log.
    upto: u64,
}

/// Runs until `stop`; an event under way is told to its end.
pub(in crate::engines) async fn run(
    topic: Arc<Topic>,
    url: String,
    mut stop: oneshot::Receiver<()>,
    directory: Arc<Directory>,
) {
    let place = directory.path().join("events-told.json");
    let mut upto = told(&place, &url).unwrap_or_else(|| fs::metadata(&topic.path).map_or(0, |log| log.len()));
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).max_redirects(0).build().into();
    let mut tries: u32 = 0;
    loop {
        let published = topic.published.notified();
        let pause = match next(&topic.path, upto) {
            Ok(None) => {
                keep(&place, &url, upto);
                tokio::select! { () = published => continue, _ = &mut stop => break }
            }
            Ok(Some((event, end))) => match tell(&agent, &url, event).await {
                Answer::Done => {
                    (upto, tries) = (end, 0);
                    keep(&place, &url, upto);
                    if stop.try_recv() != Err(oneshot::error::TryRecvError::Empty) {
                        break;
                    }
                    continue;
                }
                Answer::Again(why) => {
                    if tries == 0 {
                        tracing::warn!(why, "the URL of ticket events does not take them; trying on");
                    }
                    PAUSE.saturating_mul(2_u32.saturating_pow(tries)).min(PAUSE_MAX)
                }
            },
            Err(error) => {
                tracing::error!(%error, "the log of ticket events cannot be read");
                PAUSE_MAX
            }
        };
        tries = tries.saturating_add(1);
        tokio::select! { () = topic.ambient.sleep(pause) => {}, _ = &mut stop => break }
    }
    drop(directory);
}

fn told(place: &Path, url: &str) -> Option<u64> {
    let told: Told = serde_json::from_slice(&fs::read(place).ok()?).ok()?;
    (told.url == url).then_some(told.upto)
}

/// Not kept: the events since are told twice after a restart, which is allowed.
fn keep(place: &Path, url: &str, upto: u64) {
    let unfinished: PathBuf = place.with_extension("new");
    let write = || -> io::Result<()> {
        fs::write(&unfinished, serde_json::to_vec(&Told { url: url.to_owned(), upto })?)?;
        fs::rename(&unfinished, place)
    };
    if let Err(error) = write() {
        tracing::warn!(%error, "how far the URL of ticket events was told is not noted");
    }
}

/// The event that begins at an octet of the log, and where it ends.
fn next(log: &Path, from: u64) -> io::Result<Option<(Event, u64)>> {
    let mut log = fs::File::open(log)?;
    log.seek(SeekFrom::Start(from))?;
    let mut line = Vec::new();
    io::BufReader::new(log).read_until(b'\n', &mut line)?;
    if line.last() != Some(&b'\n') {
        return Ok(None);
    }
    let length = u64::try_from(line.len()).map_err(io::Error::other)?;
    Ok(Some((serde_json::from_slice(&line)?, from + length)))
}

enum Answer {
    Done,
    Again(String),
}

async fn tell(agent: &ureq::Agent, url: &str, event: Event) -> Answer {
    let (agent, url) = (agent.clone(), url.to_owned());
    let told = tokio::task::spawn_blocking(move || {
        let answer = agent.post(&url).header("content-type", "application/json").send(event.message);
        match answer {
            Ok(_) => Answer::Done,
            Err(ureq::Error::StatusCode(status)) if !matches!(status, 408 | 429 | 500..) => {
                tracing::warn!(event = event.id, status, "the URL of ticket events refused one for good");
                Answer::Done
            }
            Err(error) => Answer::Again(error.to_string()),
        }
    });
    told.await.unwrap_or_else(|error| Answer::Again(error.to_string()))
}
