//! Access tokens: Google by refresh token or service account, Microsoft 365 by client credentials. Kept until shortly
//! before they expire; asked for again where a server refuses one that was kept.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::{ImapError, Login};
use crate::{
    digest::sha256_parts,
    door::{Auth, Door, Imap, Sasl},
    outbound::{Outbound, OutboundError},
    secrets::{DoorSecrets, first_of},
};

/// Google's token endpoint (Google Identity, "Using OAuth 2.0 for Web Server Applications").
const GOOGLE: &str = "https://oauth2.googleapis.com/token";
/// What Gmail asks for over IMAP (Gmail, "IMAP, POP, and SMTP").
const GOOGLE_SCOPE: &str = "https://mail.google.com/";
/// What Exchange Online asks for (Microsoft Learn, "Authenticate an IMAP, POP or SMTP connection using OAuth").
const MICROSOFT_SCOPE: &str = "https://outlook.office365.com/.default";
/// Before a token expires it is not used any more: a poll may last that long.
const EARLY: SignedDuration = SignedDuration::from_mins(5);
/// Validity where the endpoint names none, and of what a service account signs; Google's longest is an hour.
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Octets of an answer.
const ANSWER_OCTETS_MAX: usize = 64 * 1024;

/// What to log in with.
#[derive(Clone, Debug)]
pub struct Proof {
    /// It.
    pub login: Login,
    /// It was asked for just now, or stands in the secret: where it is refused, nothing newer is to be had.
    pub fresh: bool,
    key: String,
}

/// Tokens by what they were had with. Clones share them.
#[derive(Clone, Debug)]
pub struct Tokens {
    outbound: Outbound,
    kept: Arc<Mutex<HashMap<String, Kept>>>,
}

#[derive(Clone)]
struct Kept {
    token: String,
    until: Timestamp,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept(***)")
    }
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
    #[serde(default)]
    expires_in: Option<i64>,
}

#[derive(Deserialize)]
struct ServiceAccount {
    client_email: String,
    private_key: String,
}

/// The form to post, and where.
struct Question {
    url: String,
    form: String,
}

impl Tokens {
    /// None yet.
    #[must_use]
    pub fn new(outbound: Outbound) -> Self {
        Self { outbound, kept: Arc::default() }
    }

    /// What a door logs in with.
    ///
    /// # Errors
    /// A secret is missing; the endpoint refuses ([`ImapError::Credentials`] only where it says that the client or its
    /// grant is wrong) or cannot be asked now.
    pub async fn proof(
        &self,
        door: &Door,
        imap: &Imap,
        secrets: &DoorSecrets,
        now: Timestamp,
    ) -> Result<Proof, ImapError> {
        let first = |list: &[String], name: &str| {
            first_of(list).map(str::to_owned).ok_or_else(|| ImapError::NoSecret(format!("{}.{name}", door.id)))
        };
        let given = |login: Login| Proof { login, fresh: true, key: String::new() };
        let (grant, question) = match &imap.auth {
            Auth::Password => return Ok(given(Login::Password(first(&secrets.passwords, "passwords")?))),
            Auth::Token => return Ok(given(with_token(imap.sasl, first(&secrets.access_tokens, "access_tokens")?))),
            Auth::Google { client } => {
                let (refresh, secret) = (
                    first(&secrets.refresh_tokens, "refresh_tokens")?,
                    first(&secrets.client_secrets, "client_secrets")?,
                );
                let grant = sha256_parts(&[client.as_bytes(), refresh.as_bytes(), secret.as_bytes()]);
                (grant, google(imap, client, &secret, &refresh))
            }
            Auth::GoogleService => {
                let account = first(&secrets.service_accounts, "service_accounts")?;
                (sha256_parts(&[account.as_bytes()]), service(imap, &account, now)?)
            }
            Auth::Microsoft { client, tenant } => {
                let secret = first(&secrets.client_secrets, "client_secrets")?;
                let grant = sha256_parts(&[client.as_bytes(), tenant.as_bytes(), secret.as_bytes()]);
                (grant, microsoft(imap, client, tenant, &secret))
            }
        };
        let key = sha256_parts(&[question.url.as_bytes(), imap.user.as_bytes(), grant.as_bytes()]);
        let kept = self.kept.lock().await.get(&key).filter(|kept| kept.until > now).cloned();
        if let Some(kept) = kept {
            return Ok(Proof { login: with_token(imap.sasl, kept.token), fresh: false, key });
        }
        let given = self.ask(question).await?;
        let lasts = given.expires_in.map_or(HOUR, |seconds| SignedDuration::from_secs(seconds.clamp(0, 86_400)));
        let until = now.checked_add(lasts - EARLY).unwrap_or(now);
        let token = given.access_token;
        self.kept.lock().await.insert(key.clone(), Kept { token: token.clone(), until });
        Ok(Proof { login: with_token(imap.sasl, token), fresh: true, key })
    }

    /// Forgets a token that a server refused.
    pub async fn forget(&self, proof: &Proof) {
        self.kept.lock().await.remove(&proof.key);
    }

    async fn ask(&self, question: Question) -> Result<Given, ImapError> {
        let told = self.outbound.post_form(&question.url, question.form, ANSWER_OCTETS_MAX).await;
        let told = told.map_err(|error| match error {
            OutboundError::Url => ImapError::Settings("the token endpoint is no URL that may be asked".to_owned()),
            other => ImapError::LoginLater(format!("token endpoint: {other}")),
        })?;
        match told.status {
            200 => serde_json::from_slice(&told.body)
                .map_err(|_| ImapError::LoginLater("token endpoint: no access token in its answer".to_owned())),
            status => Err(refused(status, &told.body)),
        }
    }
}

/// RFC 6749 section 5.2. What names neither client nor grant as the fault passes, or is not the credentials'.
fn refused(status: u16, body: &[u8]) -> ImapError {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let error = json.get("error").and_then(serde_json::Value::as_str).unwrap_or_default();
    let wrong = ["invalid_grant", "invalid_client", "unauthorized_client"];
    match wrong.into_iter().find(|word| *word == error) {
        Some(word) if (400..404).contains(&status) => ImapError::Credentials(format!("token endpoint: {word}")),
        _ => ImapError::LoginLater(format!("token endpoint: {status}")),
    }
}

fn with_token(sasl: Sasl, token: String) -> Login {
    match sasl {
        Sasl::Xoauth2 => Login::Xoauth2(token),
        Sasl::Oauthbearer => Login::Oauthbearer(token),
    }
}

fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn google(imap: &Imap, client: &str, secret: &str, refresh: &str) -> Question {
    let pairs =
        [("grant_type", "refresh_token"), ("client_id", client), ("client_secret", secret), ("refresh_token", refresh)];
    Question { url: imap.token_endpoint.clone().unwrap_or_else(|| GOOGLE.to_owned()), form: form(&pairs) }
}

fn microsoft(imap: &Imap, client: &str, tenant: &str, secret: &str) -> Question {
    let usual = || format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
    let pairs = [
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_secret", secret),
        ("scope", MICROSOFT_SCOPE),
    ];
    Question { url: imap.token_endpoint.clone().unwrap_or_else(usual), form: form(&pairs) }
}

/// A JWT of the service account in the user's name (RFC 7523; Google Identity, "Using OAuth 2.0 for Server to Server
/// Applications"). The endpoint is ours or the operator's, never what the key file says.
fn service(imap: &Imap, account: &str, now: Timestamp) -> Result<Question, ImapError> {
    let unread = |why: &str| ImapError::Settings(format!("the service account's key file {why}"));
    let account: ServiceAccount =
        serde_json::from_str(account).map_err(|_| unread("is no JSON with client_email and private_key"))?;
    let url = imap.token_endpoint.clone().unwrap_or_else(|| GOOGLE.to_owned());
    let claims = json!({
        "iss": account.client_email,
        "sub": imap.user,
        "scope": GOOGLE_SCOPE,
        "aud": url,
        "iat": now.as_second(),
        "exp": now.as_second() + HOUR.as_secs(),
    });
    let der = pkcs8(&account.private_key).ok_or_else(|| unread("has no private key in PKCS#8"))?;
    let key = RsaKeyPair::from_pkcs8(&der).map_err(|_| unread("has a private key that cannot be used"))?;
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    let signed = format!("{header}.{}", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut signature = vec![0; key.public().modulus_len()];
    let done = key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature);
    done.map_err(|_| unread("has a private key that cannot sign"))?;
    let assertion = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
    let pairs = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.as_str())];
    Ok(Question { form: form(&pairs), url })
}

/// The octets of a PEM private key (RFC 7468 section 10).
fn pkcs8(pem: &str) -> Option<Vec<u8>> {
    use base64::prelude::BASE64_STANDARD;
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (inner, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    let packed: String = inner.split_ascii_whitespace().collect();
    BASE64_STANDARD.decode(packed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_client_and_its_grant_are_credentials() {
        for (status, body, counts) in [
            (400, r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#, true),
            (401, r#"{"error":"invalid_client"}"#, true),
            (400, r#"{"error":"temporarily_unavailable"}"#, false),
            (400, r#"{"error":"invalid_request"}"#, false),
            (429, r#"{"error":"invalid_grant"}"#, false),
            (503, r#"{"error":"invalid_grant"}"#, false),
            (400, "<html>", false),
            (500, "", false),
        ] {
            let credentials = matches!(refused(status, body.as_bytes()), ImapError::Credentials(_));
            assert_eq!(credentials, counts, "{status} {body}");
        }
    }

    #[test]
    fn what_is_asked() {
        let imap = Imap { user: "s@b.example".into(), ..Imap::default() };
        let asked = microsoft(&imap, "app id", "tenant-1", "s&cret");
        assert_eq!(asked.url, "https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token");
        let expected = "grant_type=client_credentials&client_id=app+id&client_secret=s%26cret&\
                        scope=https%3A%2F%2Foutlook.office365.com%2F.default";
        assert_eq!(asked.form, expected);
        let asked = google(&imap, "c", "s", "r");
        assert_eq!(asked.url, GOOGLE);
        assert!(asked.form.contains("refresh_token=r") && asked.form.contains("grant_type=refresh_token"));
        for broken in ["", "{}", r#"{"client_email":"a","private_key":"b"}"#] {
            assert!(matches!(service(&imap, broken, Timestamp::UNIX_EPOCH), Err(ImapError::Settings(_))), "{broken}");
        }
    }
}
