//! `explain`: why a mail went where it went, or would go now.

use std::path::Path;

use postern::{explain::Explanation, ingest::Rehearsed};
use serde_json::json;

use super::{Output, exit, find_mail, ingest, pretty, read_input, usage};
use crate::{args, show, system::System};

/// Tells how a mail was decided, or how a file would be. Writes nothing.
///
/// # Errors
/// Wrong usage, no such mail or file, or the data directory or stack cannot be opened or read.
pub async fn explain(args: &args::Explain) -> anyhow::Result<Output> {
    let path = Path::new(&args.mail);
    if args.mail == "-" || path.is_file() {
        return of_file(args, path).await;
    }
    let named = &args.envelope;
    if !named.to.is_empty() || named.from.is_some() || named.mailbox.is_some() {
        return Err(usage(format!("--to, --from and --mailbox say how a file comes; {:?} is no file", args.mail)));
    }
    let system = System::open(&args.common).await?;
    let (id, row) = find_mail(&system, &args.mail).await?;
    let stored = Explanation::of(id.to_string(), &row);
    if !args.again {
        system.close().await;
        return told(args, &[stored], None);
    }
    let rehearsed = system.ingest().await?.rehearse(&id).await;
    system.close().await;
    match rehearsed? {
        Rehearsed::Done(rows) => {
            let again = rows.iter().map(|(id, row)| Explanation::of(id.to_string(), row)).next();
            told(args, &[stored], again.as_ref())
        }
        Rehearsed::Refused(why) => Ok(Output::refused(&why)),
    }
}

async fn of_file(args: &args::Explain, path: &Path) -> anyhow::Result<Output> {
    if args.again {
        return Err(usage("--again decides a mail of the ledger anew; a file is decided anew anyway"));
    }
    let envelope = ingest::envelope(&args.envelope).map_err(|error| usage(format!("{error:#}")))?;
    let raw = match read_input(path) {
        Ok(raw) => raw,
        Err(error) => return Ok(Output::trouble(&format!("{error:#}"), exit::NO_INPUT)),
    };
    let system = System::open(&args.common).await?;
    let mailbox = ingest::mailbox(&args.envelope, &system.settings.mailboxes).map_err(|e| usage(format!("{e:#}")))?;
    let pipeline = system.ingest().await?;
    let message = ingest::message(raw, envelope, &args.envelope.authserv_ids, mailbox, system.ambient.now());
    let rows = pipeline.rehearse_mail(message).await;
    system.close().await;
    let told_of: Vec<Explanation> = rows?.iter().map(|(id, row)| Explanation::of(id.to_string(), row)).collect();
    told(args, &told_of, None)
}

fn told(args: &args::Explain, mails: &[Explanation], again: Option<&Explanation>) -> anyhow::Result<Output> {
    let differences = again.zip(mails.first()).map(|(again, stored)| stored.differences(again));
    if args.common.json {
        return Ok(Output::ok(pretty(&json!({ "mail": mails, "again": again, "differences": differences }))?));
    }
    let mut text = mails.iter().map(show::explanation).collect::<Vec<_>>().join("\n");
    if let Some((again, differences)) = again.zip(differences.as_ref()) {
        text.push_str(&show::differences(again, differences));
    }
    Ok(Output::ok(text))
}
