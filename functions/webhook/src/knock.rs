//! Who knocks at which door: a route looked up in the settings, and the proof of compatibility routes.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use postern::{
    door::{Door, Provider},
    mailbox::MailboxId,
    providers::{self, Accepted, Context, Rejected, Request},
    secrets::{ESCALATED, OperatorSecrets},
    settings::Settings,
    signature::one_of,
};

use crate::{
    App,
    route::{Route, Style},
};

/// Header of Escalated's shared secret.
const SHARED_SECRET: &str = "x-escalated-inbound-secret";
/// Header of Escalated's token for Postmark; it may stand in the query too.
const POSTMARK_TOKEN: &str = "x-postmark-inbound-token";

/// A request at a door that is there.
pub(crate) struct Knock<'a> {
    pub(crate) door: &'a Door,
    pub(crate) request: Request,
    pub(crate) style: Style,
    token: Option<String>,
}

/// Why nobody opens.
pub(crate) struct NoEntry {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) why: String,
}

/// Finds the door and the mailbox of a route; what is not there, or shut, is answered in words.
pub(crate) fn of<'a>(
    route: &Route,
    headers: &HeaderMap,
    body: &Bytes,
    settings: &'a Settings,
) -> Result<Knock<'a>, NoEntry> {
    let missing = |code, why: String| NoEntry { status: StatusCode::NOT_FOUND, code, why };
    let shut = |why: String| NoEntry { status: StatusCode::SERVICE_UNAVAILABLE, code: "switched-off", why };
    let word = route.door.clone().or_else(|| settings.adapter.map(|adapter| adapter.name().to_owned()));
    let Some(word) = word.filter(|word| !word.is_empty()) else {
        return Err(missing("unknown-adapter", "name the provider by ?adapter= or X-Escalated-Adapter".to_owned()));
    };
    let named = route.mailbox.as_deref();
    // A configuration's id of OpsWeave is a door's id here, if there is one of that provider.
    let configured = named.filter(|_| route.style == Style::OpsWeave).and_then(|id| settings.doors.by_id(id));
    let configured = configured.filter(|door| Provider::parse(&word) == Some(door.provider));
    // Nobody may hear 200 at a door that only polls.
    let knocked = |door: &&Door| door.provider != Provider::Imap;
    let Some(door) = configured.or_else(|| settings.doors.by_id(&word)).filter(knocked) else {
        let known: Vec<&str> = settings.doors.iter().filter(knocked).map(|door| door.id.as_str()).collect();
        return Err(missing("unknown-door", format!("unknown door or provider; there are {}", known.join(", "))));
    };
    if settings.closed {
        return Err(shut("inbound mail is switched off (POSTERN_ENABLED); it is taken once that is lifted".to_owned()));
    }
    if !door.enabled {
        let id = &door.id;
        return Err(shut(format!("door {id} is switched off; `postern door set {id} --enabled true` opens it")));
    }
    let mailbox = match named.filter(|_| configured.is_none()) {
        None => door.mailbox.clone(),
        Some(text) => Some(known_mailbox(text, settings).map_err(|why| unknown_mailbox(door, why))?),
    };
    let request = Request { headers: headers.clone(), body: body.clone(), mailbox, vouched: false };
    Ok(Knock { door, request, style: route.style, token: route.token.clone() })
}

/// SendGrid and SNS never try again after a 4xx, so a mailbox that was taken away must not look like one to them.
fn unknown_mailbox(door: &Door, why: String) -> NoEntry {
    let gives_up = matches!(door.provider, Provider::Sendgrid | Provider::Ses);
    let status = if gives_up { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NOT_FOUND };
    NoEntry { status, code: "unknown-mailbox", why }
}

/// True where settings that are a minute old are not good enough: somebody is refused by them, or a topic looked up.
pub(crate) fn needs_a_fresh_look(knock: &Result<Knock<'_>, NoEntry>) -> bool {
    knock.as_ref().map_or(true, |knock| knock.door.provider == Provider::Ses)
}

fn known_mailbox(text: &str, settings: &Settings) -> Result<MailboxId, String> {
    let id = MailboxId::parse(text).ok_or("a mailbox id has 1 to 64 letters a-z, digits and hyphens")?;
    match settings.mailboxes.by_id(&id) {
        Some(mailbox) => Ok(mailbox.id.clone()),
        None => {
            Err(format!("mailbox {:?} is not configured; `postern mailbox list` shows those there are", id.as_str()))
        }
    }
}

impl App {
    /// Proves a request with these secrets.
    pub(crate) async fn try_with(
        &self,
        knock: &mut Knock<'_>,
        operator: &OperatorSecrets,
    ) -> Result<Accepted, Rejected> {
        knock.request.vouched = vouched(knock, operator)?;
        let secrets = operator.door(knock.door);
        let context = Context {
            door: knock.door,
            secrets: &secrets,
            certificates: &self.certificates,
            bucket: self.ingest.blobs.bucket(),
            now: self.ingest.ambient.now(),
        };
        providers::accept(&knock.request, &context).await
    }
}

/// True where the shared secret of a compatibility route is right. Where it is there and wrong, nothing else counts.
fn vouched(knock: &Knock<'_>, operator: &OperatorSecrets) -> Result<bool, Rejected> {
    if knock.style != Style::Escalated {
        return Ok(false);
    }
    let token = || knock.request.header(POSTMARK_TOKEN).or(knock.token.as_deref());
    let of_postmark = Some(knock.door.provider).filter(|provider| *provider == Provider::Postmark);
    let (section, presented) = match (knock.request.header(SHARED_SECRET), of_postmark.and_then(|_| token())) {
        (Some(secret), _) => (ESCALATED, secret),
        (None, Some(token)) => (knock.door.id.as_str(), token),
        (None, None) => return Ok(false),
    };
    let live = operator.section(section).inbound_secrets;
    if postern::secrets::live(&live).is_empty() {
        return Err(Rejected::NotConfigured(format!("{section}.inbound_secrets")));
    }
    if one_of(presented.as_bytes(), &live) {
        return Ok(true);
    }
    Err(Rejected::Unauthorized(format!("the shared secret does not match {section}.inbound_secrets")))
}
