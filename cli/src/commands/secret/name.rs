//! Names of lists of credentials: `<door>.<list>`, and which lists a provider has.

use anyhow::bail;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use postern::{
    door::{Auth, Door, DoorId, Doors, Provider},
    secrets::ESCALATED,
};
use serde_json::{Value, json};

use super::fingerprint;
use crate::{commands::usage, setup::in_order};

/// Octets of a credential at most; Secrets Manager takes 64 KB for all of them.
const VALUE_OCTETS_MAX: usize = 1024;
/// Octets of a key file or a token.
const KEY_FILE_OCTETS_MAX: usize = 8 * 1024;
/// Characters below which a secret of one's own choice is warned about (docs/PROVIDERS.md).
const OWN_CHARS_MIN: usize = 24;
/// How a P-256 SubjectPublicKeyInfo begins (RFC 5480): the algorithm, the curve, an uncompressed point.
const P256_SPKI: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
/// Octets of such a key: the two coordinates follow.
const P256_SPKI_OCTETS: usize = P256_SPKI.len() + 64;

/// A list of a door's credentials (`postern::secrets::DoorSecrets`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) struct List {
    /// As it stands in the secret.
    pub(in crate::commands) name: &'static str,
    /// What it is for.
    pub(in crate::commands) means: &'static str,
    /// The door takes mail that one of it proves; else it is for asking the provider.
    pub(in crate::commands) opens: bool,
}

const fn list(name: &'static str, means: &'static str, opens: bool) -> List {
    List { name, means, opens }
}

const SIGNING_KEYS: List = list("signing_keys", "HTTP webhook signing key, not the API key", true);
const API_KEYS: List = list("api_keys", "API key, to fetch stored mail and look for missed events", false);
const CREDENTIALS: List = list("credentials", "USER:PASSWORD of the webhook URL", true);
const SERVER_TOKENS: List = list("server_tokens", "server API token, to have failed mail delivered again", false);
const POSTMARK_TOKENS: List = list("inbound_secrets", "token of Escalated's routes for Postmark", false);
const VERIFICATION_KEYS: List = list("verification_keys", "public key of the signed webhook, Base64", true);
const HMAC_KEYS: List = list("hmac_keys", "key that signs each request", true);
const BEARER_KEYS: List = list("bearer_keys", "key of Authorization: Bearer", true);
const PASSWORDS: List = list("passwords", "password of the user", true);
const CLIENT_SECRETS: List = list("client_secrets", "client secret of the application at Google or Microsoft", true);
const REFRESH_TOKENS: List = list("refresh_tokens", "refresh token of Google", true);
const SERVICE_ACCOUNTS: List = list("service_accounts", "key file of a Google service account", true);
const ACCESS_TOKENS: List = list("access_tokens", "access token that somebody else keeps fresh", true);
const SHARED_SECRETS: List = list("inbound_secrets", "X-Escalated-Inbound-Secret of Escalated's routes", false);

/// The lists of a provider, the usual one first.
pub(in crate::commands) const fn lists(provider: Provider) -> &'static [List] {
    match provider {
        Provider::Mailgun => &[SIGNING_KEYS, API_KEYS],
        Provider::Postmark => &[CREDENTIALS, SERVER_TOKENS, POSTMARK_TOKENS],
        Provider::Sendgrid => &[VERIFICATION_KEYS, CREDENTIALS],
        Provider::Raw => &[BEARER_KEYS, HMAC_KEYS],
        Provider::Ses => &[],
        Provider::Imap => &[PASSWORDS, CLIENT_SECRETS, REFRESH_TOKENS, SERVICE_ACCOUNTS, ACCESS_TOKENS],
    }
}

/// The lists that a door reads: of a polled one those by which its user logs in.
fn lists_of(door: &Door) -> &'static [List] {
    match door.imap.as_ref().map(|imap| &imap.auth) {
        Some(Auth::Password) => &[PASSWORDS],
        Some(Auth::Token) => &[ACCESS_TOKENS],
        Some(Auth::Google { .. }) => &[REFRESH_TOKENS, CLIENT_SECRETS],
        Some(Auth::GoogleService) => &[SERVICE_ACCOUNTS],
        Some(Auth::Microsoft { .. }) => &[CLIENT_SECRETS],
        None => lists(door.provider),
    }
}

/// A list in a section of the operator's secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Name {
    /// Id of the door, or `escalated`.
    section: String,
    /// Which of its lists.
    pub(in crate::commands) list: List,
    /// Who is at the door; none where all doors share the list.
    provider: Option<Provider>,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.section, self.list.name)
    }
}

impl Name {
    /// The lists of a door.
    pub(in crate::commands) fn of_door(door: &Door) -> Vec<Self> {
        let one =
            |list: &List| Self { section: door.id.as_str().to_owned(), list: *list, provider: Some(door.provider) };
        lists_of(door).iter().map(one).collect()
    }

    /// True for a list of that door.
    pub(in crate::commands) fn is_of(&self, door: &Door) -> bool {
        self.section == door.id.as_str()
    }

    /// All lists of its door.
    pub(super) fn siblings(&self) -> Vec<Self> {
        let of = |list: &List| Self { list: *list, ..self.clone() };
        self.provider.map(|provider| lists(provider).iter().map(of).collect()).unwrap_or_default()
    }

    fn shared() -> Self {
        Self { section: ESCALATED.to_owned(), list: SHARED_SECRETS, provider: None }
    }

    /// All names there are with these doors.
    pub(in crate::commands) fn all(doors: &Doors) -> Vec<Self> {
        in_order(doors).into_iter().flat_map(Self::of_door).chain([Self::shared()]).collect()
    }

    /// Reads a name that needs no look at the table: of a provider's own door. `None` where it may be a door of theirs.
    ///
    /// # Errors
    /// No door could have that name.
    pub(super) fn built_in(text: &str) -> anyhow::Result<Option<Self>> {
        let own = Self::all(&Doors::default());
        if let Some(name) = own.iter().find(|name| name.to_string() == text) {
            return Ok(Some(name.clone()));
        }
        let (section, list) = text.split_once('.').unwrap_or((text, ""));
        let of_provider = section == ESCALATED || Provider::parse(section).is_some();
        let of_imap = lists(Provider::Imap).iter();
        let mut lists = own.iter().map(|name| name.list.name).chain(of_imap.map(|list| list.name));
        let known = lists.any(|name| name == list) && DoorId::parse(section).is_some();
        if of_provider || !known {
            return Err(usage(unknown(text, &own)));
        }
        Ok(None)
    }

    /// Reads a name of one of these doors.
    ///
    /// # Errors
    /// None of them has it.
    pub(super) fn among(text: &str, doors: &Doors) -> anyhow::Result<Self> {
        let all = Self::all(doors);
        let found = all.iter().find(|name| name.to_string() == text).cloned();
        found.ok_or_else(|| usage(format!("{}; `postern door add` sets up another door", unknown(text, &all))))
    }

    /// The live credentials, newest first.
    pub(super) fn live(&self, secret: &Value) -> anyhow::Result<Vec<String>> {
        let list = match secret.get(&self.section).and_then(|section| section.get(self.list.name)) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(list) => serde_json::from_value::<Vec<String>>(list.clone()),
        };
        // What serde says of a wrong form may quote the value.
        let Ok(list) = list else { bail!("{self} is not a list of texts in the operator's secret") };
        Ok(list.into_iter().filter(|value| !value.trim().is_empty()).collect())
    }

    /// Fingerprints of the live credentials, newest first.
    pub(in crate::commands) fn fingerprints(&self, secret: &Value) -> anyhow::Result<Vec<String>> {
        Ok(self.live(secret)?.iter().map(|value| fingerprint(value)).collect())
    }

    /// The secret with this list as given.
    pub(super) fn with(&self, secret: &Value, live: &[String]) -> anyhow::Result<Value> {
        let mut secret = secret.clone();
        let Some(object) = secret.as_object_mut() else { bail!("the operator's secret is no JSON object") };
        let part = object.entry(self.section.clone()).or_insert_with(|| json!({}));
        let Some(part) = part.as_object_mut() else { bail!("{} is no object in the operator's secret", self.section) };
        part.insert(self.list.name.to_owned(), json!(live));
        Ok(secret)
    }

    /// What can be told wrong about a value without knowing the provider's side.
    pub(super) fn check(&self, value: &str) -> anyhow::Result<()> {
        if self.list == SERVICE_ACCOUNTS {
            let json: Value = serde_json::from_str(value).unwrap_or_default();
            let whole = ["client_email", "private_key"].iter().all(|name| json.get(name).is_some_and(Value::is_string));
            if !whole || value.len() > KEY_FILE_OCTETS_MAX {
                bail!(usage(format!("{self} is a key file of Google: JSON with client_email and private_key")));
            }
            return Ok(());
        }
        if self.list == PASSWORDS {
            // Google shows app passwords in groups of four; a space is a character of a password elsewhere.
            if value.trim().is_empty() || value.chars().any(char::is_control) || value.len() > VALUE_OCTETS_MAX {
                bail!(usage(format!("a password is one line of at most {VALUE_OCTETS_MAX} octets")));
            }
            return Ok(());
        }
        let tokens = [ACCESS_TOKENS, REFRESH_TOKENS].contains(&self.list);
        let most = if tokens { KEY_FILE_OCTETS_MAX } else { VALUE_OCTETS_MAX };
        let blank = value.is_empty() || value.chars().any(|c| c.is_whitespace() || c.is_control());
        if blank || value.len() > most {
            bail!(usage(format!("a credential is one word of at most {most} characters")));
        }
        let login = value.split_once(':').is_some_and(|(user, password)| !user.is_empty() && !password.is_empty());
        if self.list == CREDENTIALS && !login {
            bail!(usage(format!("{self} has the form USER:PASSWORD, as in https://USER:PASSWORD@… at the provider")));
        }
        if self.list == VERIFICATION_KEYS && !is_p256_spki(value) {
            bail!(usage(format!(
                "{self} is the public key that SendGrid shows for a signed webhook: Base64 of a P-256 SubjectPublicKeyInfo, \
                 which begins with MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"
            )));
        }
        Ok(())
    }

    /// What looks wrong with a value and may be right.
    pub(super) fn warning(&self, value: &str) -> Option<String> {
        let short = |text: &str| text.chars().count() < OWN_CHARS_MIN;
        if self.list == SIGNING_KEYS && is_api_key(value) {
            return Some(
                "this has the form of an API key of Mailgun; what belongs here is the HTTP webhook signing key (Sending > \
                 Webhooks)"
                    .to_owned(),
            );
        }
        if self.list == CREDENTIALS && value.split_once(':').is_some_and(|(_, password)| short(password)) {
            return Some(format!(
                "the password is all that keeps others out; take at least {OWN_CHARS_MIN} random characters"
            ));
        }
        let own = [HMAC_KEYS, BEARER_KEYS, SHARED_SECRETS, POSTMARK_TOKENS].contains(&self.list);
        (own && short(value))
            .then(|| format!("it is all that keeps others out; take at least {OWN_CHARS_MIN} random characters"))
    }

    /// Who is refused without any of it, as people write it.
    pub(super) fn whose(&self) -> &'static str {
        self.provider.map_or("Escalated's routes", label)
    }

    /// What is missing while none is live; `others` = another list opens the same door.
    pub(super) fn missing(&self, others: bool) -> &'static str {
        match (self.list.opens, others) {
            (true, false) => "the door refuses everything",
            (true, true) => "not used",
            (false, _) => "not set",
        }
    }

    /// True where one of these names opens the same door and has a live credential.
    pub(super) fn has_another(&self, all: &[Self], secret: &Value) -> bool {
        let opens = |name: &&Self| name.section == self.section && name.list.opens && *name != self;
        all.iter().filter(opens).any(|name| name.live(secret).is_ok_and(|live| !live.is_empty()))
    }
}

/// The provider as people write it.
pub(in crate::commands) const fn label(provider: Provider) -> &'static str {
    match provider {
        Provider::Mailgun => "Mailgun",
        Provider::Postmark => "Postmark",
        Provider::Sendgrid => "SendGrid",
        Provider::Ses => "Amazon SNS",
        Provider::Raw => "Raw relay",
        Provider::Imap => "IMAP",
    }
}

fn unknown(text: &str, all: &[Name]) -> String {
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    format!("{text:?} is no secret that Postern reads; there are {}", names.join(", "))
}

/// Mailgun's API keys: `key-` and 32 hex digits, or three groups of hex digits (32, 8 and 8). Signing keys have neither
/// form since they are shown apart; an old account may have the first one for both, hence a warning only.
fn is_api_key(value: &str) -> bool {
    let hex = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
    let groups: Vec<&str> = value.split('-').collect();
    match groups.as_slice() {
        ["key", rest] => hex(rest, 32),
        [one, two, three] => hex(one, 32) && hex(two, 8) && hex(three, 8),
        _ => false,
    }
}

fn is_p256_spki(value: &str) -> bool {
    let octets = BASE64_STANDARD.decode(value);
    octets.is_ok_and(|octets| octets.len() == P256_SPKI_OCTETS && octets.starts_with(&P256_SPKI))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_of_the_secret_has_a_name() {
        let mut names: Vec<String> = Name::all(&Doors::default()).iter().map(ToString::to_string).collect();
        names.sort();
        assert_eq!(
            names,
            [
                "escalated.inbound_secrets",
                "mailgun.api_keys",
                "mailgun.signing_keys",
                "postmark.credentials",
                "postmark.inbound_secrets",
                "postmark.server_tokens",
                "raw.bearer_keys",
                "raw.hmac_keys",
                "sendgrid.credentials",
                "sendgrid.verification_keys",
            ]
        );
        // What is set is what the functions read: no list stays empty.
        let list = |name: &Name| format!("{:?}", name.list.name);
        for name in Name::all(&Doors::default()) {
            let text = format!("{{{:?}:{{{}:[\"Medlarwood\"]}}}}", name.section, list(&name));
            let read: postern::secrets::OperatorSecrets = serde_json::from_str(&text).unwrap();
            let read = read.section(&name.section);
            let all = [
                read.signing_keys,
                read.api_keys,
                read.credentials,
                read.server_tokens,
                read.verification_keys,
                read.hmac_keys,
                read.bearer_keys,
                read.inbound_secrets,
            ];
            assert_eq!(all.concat(), ["Medlarwood"], "{name}");
        }
    }

    #[test]
    fn keys_that_look_like_others() {
        let hex = "0123456789abcdef0123456789abcdef";
        for (value, expected) in [
            (format!("key-{hex}"), true),
            (format!("{hex}-01234567-89abcdef"), true),
            (hex.to_owned(), false),
            ("key-now".to_owned(), false),
        ] {
            assert_eq!(is_api_key(&value), expected, "{value}");
        }
    }
}
