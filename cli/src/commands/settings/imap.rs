//! From words to the settings of a mailbox elsewhere.

use postern::door::{After, Auth, Door, Imap, Sasl, Security};

use crate::{args::ImapFields, commands::usage};

/// "None" where an option has a value to take away.
const NONE: &str = "-";

/// Changes what is named of a door's mailbox elsewhere.
///
/// # Errors
/// A word that cannot be meant; a file that does not read.
pub(super) fn onto_imap(door: &mut Door, fields: &ImapFields) -> anyhow::Result<()> {
    if !is_named(fields) {
        return Ok(());
    }
    let id = door.id.as_str().to_owned();
    let cannot = |option: &str, word: &str, can: &str| usage(format!("door {id}: --{option} {word:?} can be {can}"));
    let mut imap = door.imap.clone().unwrap_or_default();
    for (field, value) in [(&mut imap.host, &fields.host), (&mut imap.user, &fields.user)] {
        if let Some(value) = value {
            value.trim().clone_into(field);
        }
    }
    imap.port = fields.port.or(imap.port);
    imap.first_days = fields.first_days.unwrap_or(imap.first_days);
    match fields.security.as_deref() {
        None => {}
        Some("tls") => imap.security = Security::Tls,
        Some("starttls") => imap.security = Security::Starttls,
        Some("plain") => imap.security = Security::Plain,
        Some(other) => return Err(cannot("security", other, "tls, starttls or plain")),
    }
    match fields.sasl.as_deref() {
        None => {}
        Some("xoauth2") => imap.sasl = Sasl::Xoauth2,
        Some("oauthbearer") => imap.sasl = Sasl::Oauthbearer,
        Some(other) => return Err(cannot("sasl", other, "xoauth2 or oauthbearer")),
    }
    match fields.after.as_deref().map(|word| word.split_once('=').unwrap_or((word, ""))) {
        None => {}
        Some(("nothing", "")) => imap.after = After::Nothing,
        Some(("seen", "")) => imap.after = After::Seen,
        Some(("delete", "")) => imap.after = After::Delete,
        Some(("move", folder)) => imap.after = After::Move { folder: folder.to_owned() },
        Some(_) => {
            let word = fields.after.as_deref().unwrap_or_default();
            return Err(cannot("after", word, "nothing, seen, delete or move=FOLDER"));
        }
    }
    if !fields.folders.is_empty() {
        imap.folders.clone_from(&fields.folders);
    }
    match fields.token_endpoint.as_deref() {
        None => {}
        Some(NONE) => imap.token_endpoint = None,
        Some(url) => imap.token_endpoint = Some(url.to_owned()),
    }
    match &fields.authority {
        None => {}
        Some(path) if path.as_os_str() == NONE => imap.authority = None,
        Some(path) => {
            let unread = |error| usage(format!("door {id}: --authority {}: {error}", path.display()));
            imap.authority = Some(std::fs::read_to_string(path).map_err(unread)?);
        }
    }
    imap.auth = auth(&imap, fields).map_err(|why| usage(format!("door {id}: {why}")))?;
    door.imap = Some(imap);
    Ok(())
}

fn is_named(fields: &ImapFields) -> bool {
    let ImapFields {
        host,
        port,
        security,
        user,
        auth,
        client,
        tenant,
        sasl,
        token_endpoint,
        folders,
        after,
        first_days,
        authority,
    } = fields;
    let words = [host, security, user, auth, client, tenant, sasl, token_endpoint, after];
    words.iter().any(|word| word.is_some())
        || port.is_some()
        || first_days.is_some()
        || authority.is_some()
        || !folders.is_empty()
}

/// How the user proves to be the user: the kind, and what of it is no secret.
fn auth(before: &Imap, fields: &ImapFields) -> Result<Auth, String> {
    let (was, client, tenant) = match &before.auth {
        Auth::Password => ("password", "", ""),
        Auth::Token => ("token", "", ""),
        Auth::GoogleService => ("google-service", "", ""),
        Auth::Google { client } => ("google", client.as_str(), ""),
        Auth::Microsoft { client, tenant } => ("microsoft", client.as_str(), tenant.as_str()),
    };
    let client = fields.client.clone().unwrap_or_else(|| client.to_owned());
    let tenant = fields.tenant.clone().unwrap_or_else(|| tenant.to_owned());
    let kind = fields.auth.as_deref().unwrap_or(was);
    let unused = |option: Option<&String>| option.is_some();
    match kind {
        "password" | "token" | "google-service" if unused(fields.client.as_ref()) => {
            Err(format!("--client is of no use with --auth {kind}"))
        }
        "password" | "token" | "google" | "google-service" if unused(fields.tenant.as_ref()) => {
            Err(format!("--tenant is of no use with --auth {kind}"))
        }
        "password" => Ok(Auth::Password),
        "token" => Ok(Auth::Token),
        "google-service" => Ok(Auth::GoogleService),
        "google" => Ok(Auth::Google { client }),
        "microsoft" => Ok(Auth::Microsoft { client, tenant }),
        other => Err(format!("--auth {other:?} can be password, token, google, google-service or microsoft")),
    }
}

/// All settings, named as the options that set them.
pub(in crate::commands) fn rows(imap: &Imap) -> Vec<(&'static str, String)> {
    let security = match imap.security {
        Security::Tls => "tls",
        Security::Starttls => "starttls",
        Security::Plain => "plain",
    };
    let (auth, client, tenant) = match &imap.auth {
        Auth::Password => ("password", None, None),
        Auth::Token => ("token", None, None),
        Auth::GoogleService => ("google-service", None, None),
        Auth::Google { client } => ("google", Some(client), None),
        Auth::Microsoft { client, tenant } => ("microsoft", Some(client), Some(tenant)),
    };
    let after = match &imap.after {
        After::Nothing => "nothing".to_owned(),
        After::Seen => "seen".to_owned(),
        After::Delete => "delete".to_owned(),
        After::Move { folder } => format!("move={folder}"),
    };
    let mut rows = vec![
        ("host", imap.host.clone()),
        ("imap-port", imap.port().to_string()),
        ("security", security.to_owned()),
        ("user", imap.user.clone()),
        ("auth", auth.to_owned()),
    ];
    rows.extend(client.map(|client| ("client", client.clone())));
    rows.extend(tenant.map(|tenant| ("tenant", tenant.clone())));
    if imap.auth != Auth::Password {
        let sasl = if imap.sasl == Sasl::Xoauth2 { "xoauth2" } else { "oauthbearer" };
        rows.push(("sasl", sasl.to_owned()));
    }
    rows.extend(imap.token_endpoint.iter().map(|url| ("token-endpoint", url.clone())));
    rows.extend(imap.folders.iter().map(|folder| ("folder", folder.clone())));
    rows.extend([("after", after), ("first-days", imap.first_days.to_string())]);
    rows.extend(imap.authority.iter().map(|_| ("authority", "one's own".to_owned())));
    rows
}
