//! The proof of a Mailgun form: a signed time and a token that lets one body in.

use jiff::{SignedDuration, Timestamp};

use crate::{
    digest::{sha256_hex, sha256_parts},
    inbound::ReplayGuard,
    providers::{
        Context, Rejected,
        form::{Field, Form},
    },
    signature::hmac_sha256_hex,
};

/// How far the timestamp may be from our clock, either side.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// Fields that are not part of the body digest: they differ when the same mail is signed anew.
const SIGNATURE_FIELDS: [&str; 3] = ["timestamp", "token", "signature"];

/// What the proof says of the delivery.
pub(super) struct Proof {
    pub(super) time: Timestamp,
    pub(super) event_id: Option<String>,
    pub(super) guard: Option<ReplayGuard>,
}

impl Proof {
    pub(super) fn of(form: &Form, keys: &[&String], context: &Context<'_>) -> Result<Self, Rejected> {
        let signed = Signed::of(form)?;
        let time = signed.verify(keys, context)?;
        // The token names the event; it is not kept readable, because whoever reads it could still use it.
        let event_id = Some(sha256_hex(signed.token.as_bytes()));
        Ok(Self { time, event_id, guard: Some(signed.guard(form)) })
    }

    /// For a request that was proven otherwise: its token proves nothing, so it is not spent either.
    pub(super) fn vouched(form: &Form, context: &Context<'_>) -> Self {
        let token = form.text("token").filter(|token| !token.is_empty());
        Self { time: context.now, event_id: token.map(|token| sha256_hex(token.as_bytes())), guard: None }
    }
}

pub(super) struct Signed<'a> {
    pub(super) timestamp: &'a str,
    pub(super) token: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Signed<'a> {
    /// The three fields, each there once and text.
    fn of(form: &'a Form) -> Result<Self, Rejected> {
        for name in SIGNATURE_FIELDS {
            if form.has(name) && form.text(name).is_none() {
                return Err(Rejected::Malformed(format!("field {name} must occur once and be text")));
            }
        }
        let field = |name: &'static str| {
            let missing = || Rejected::Unauthorized(format!("field {name} is missing: the request is not signed"));
            form.text(name).filter(|text| !text.is_empty()).ok_or_else(missing)
        };
        Ok(Self { timestamp: field("timestamp")?, token: field("token")?, signature: field("signature")? })
    }

    /// The time of the delivery, once the signature holds.
    pub(super) fn verify(&self, keys: &[&String], context: &Context<'_>) -> Result<Timestamp, Rejected> {
        let parts: [&[u8]; 2] = [self.timestamp.as_bytes(), self.token.as_bytes()];
        if !keys.iter().any(|key| hmac_sha256_hex(key, &parts, self.signature)) {
            return Err(Rejected::Unauthorized(mismatch(keys, context)));
        }
        let seconds = self.timestamp.trim().parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let unreadable = || Rejected::Unauthorized("the timestamp is not a number of seconds".to_owned());
        let time = seconds.ok_or_else(unreadable)?;
        if context.now.duration_since(time).abs() > WINDOW {
            return Err(Rejected::Unauthorized("the timestamp is more than 24 hours from our clock".to_owned()));
        }
        Ok(time)
    }

    fn guard(&self, form: &Form) -> ReplayGuard {
        // A file is another one under another name; how a field is encoded says nothing.
        let told = |field: &Field| match &field.filename {
            Some(name) => sha256_parts(&[name.as_bytes(), field.content_type.as_bytes()]),
            None => String::new(),
        };
        let signed = |field: &&Field| !SIGNATURE_FIELDS.contains(&field.name.as_str());
        let mut fields: Vec<(&str, &[u8], String)> =
            form.iter().filter(signed).map(|field| (field.name.as_str(), field.value.as_ref(), told(field))).collect();
        fields.sort_unstable();
        let parts: Vec<&[u8]> =
            fields.iter().flat_map(|(name, value, told)| [name.as_bytes(), *value, told.as_bytes()]).collect();
        ReplayGuard {
            token_sha256: sha256_parts(&[b"mailgun", self.token.as_bytes()]),
            body_digest: sha256_parts(&parts),
        }
    }
}

/// In words, and never the key: the API key in the place of the signing key is what most often is wrong.
fn mismatch(keys: &[&String], context: &Context<'_>) -> String {
    let list = context.secret("signing_keys");
    if keys.iter().any(|key| looks_like_api_key(key.trim())) {
        return format!(
            "the signature does not match, and {list} holds what looks like an API key: the HTTP webhook signing key \
             is another one (Mailgun: API Security)"
        );
    }
    format!("the signature does not match: is {list} the HTTP webhook signing key, not the API key?")
}

/// `key-<32 hex>` (older) or `<32 hex>-<8 hex>-<8 hex>`, as Mailgun's control panel shows API keys.
fn looks_like_api_key(key: &str) -> bool {
    let hex = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<&str> = key.split('-').collect();
    match parts.as_slice() {
        ["key", ..] => true,
        [long, short, last] => hex(long, 32) && hex(short, 8) && hex(last, 8),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_keys_are_told_from_signing_keys() {
        let hex = "0123456789abcdef0123456789ABCDEF";
        for (key, expected) in [
            (format!("key-{hex}"), true),
            ("key-3ax6xnjp29jd6fds4gc373sgvjxteol0".to_owned(), true),
            (format!("{hex}-01234567-89abcdef"), true),
            (hex.to_owned(), false),
            (format!("{hex}-01234567"), false),
            (format!("{hex}-01234567-89abcdeg"), false),
            (String::new(), false),
        ] {
            assert_eq!(looks_like_api_key(&key), expected, "{key}");
        }
    }
}
