//! What can be wrong with a data directory.

use std::path::Path;

use postern::settings::SettingsError;

use super::{Finding, configured, polled, waiting};
use crate::{
    args::Common,
    commands::{attention, secret::Vault, settings},
    local,
    setup::View,
    system::System,
};

/// All checks of a data directory.
pub(super) async fn findings(data: &Path) -> Vec<Finding> {
    let place = format!(" --data {}", data.display());
    let system = match System::open(&Common::of(data)).await {
        Ok(system) => system,
        Err(error) => {
            if let Some(error) = error.downcast_ref::<SettingsError>() {
                let todo = format!("postern mailbox list{place} and postern door list{place} show them; change one");
                return vec![Finding::fail("mailbox", settings::untogether(error), todo)];
            }
            let todo = "`postern dev` makes a new one where there is none";
            return vec![Finding::fail("data", format!("{error:#}"), todo)];
        }
    };
    let mut findings = vec![Finding::ok("data", format!("{}: table, bucket and both secrets open", data.display()))];
    findings.push(match local::running_door(data).await {
        Ok(Some(url)) => Finding::ok("dev", format!("the doors are open at {url}")),
        Ok(None) => Finding::ok("dev", "no `postern dev` runs: only `postern ingest` brings mail in"),
        Err(error) => Finding::unknown("dev", &format!("{error:#}")),
    });
    match system.store.settings().await {
        Ok(stored) => {
            let view = View::of(&system.defaults, stored);
            findings.extend(configured::findings(&view, &place));
            findings.extend(configured::credentials(&Vault::of_data(data), &view, false, &place).await);
        }
        Err(error) => findings.push(Finding::unknown("mailbox", &error)),
    }
    findings.extend(polled::findings(&system.store, &system.settings, &system.ambient, &place).await);
    findings.extend(waiting(attention(&system).await, &place));
    system.close().await;
    findings
}
