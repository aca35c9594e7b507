//! What can be wrong with a data directory.

use std::path::Path;

use super::{Finding, credentials, secret::Vault, waiting};
use crate::{
    args::{Aws, Common},
    commands::attention,
    local,
    system::System,
};

/// All checks of a data directory.
pub(super) async fn findings(data: &Path) -> Vec<Finding> {
    let place = format!(" --data {}", data.display());
    let common = Common { data: data.to_owned(), json: false, aws: Aws::default() };
    let system = match System::open(&common).await {
        Ok(system) => system,
        Err(error) => {
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
    findings.extend(credentials(&Vault::of_data(data), &place).await);
    findings.extend(waiting(attention(&system).await, &place));
    system.close().await;
    findings
}
