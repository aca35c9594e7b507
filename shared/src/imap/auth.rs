//! What is sent to log in, and what a refusal means. Pure.
//!
//! A door is paused after three refusals, so only what proves the credentials wrong may count as one.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    ImapError,
    parse::{Condition, Status},
};

/// How somebody proves to be the user.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// LOGIN (RFC 3501 section 6.2.3), or AUTHENTICATE PLAIN (RFC 4616) where the password is not ASCII.
    Password(String),
    /// XOAUTH2 as Google and Microsoft have it.
    Xoauth2(String),
    /// OAUTHBEARER, RFC 7628.
    Oauthbearer(String),
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(***)")
    }
}

impl Login {
    /// The SASL mechanism; `None` = the command LOGIN.
    pub(super) fn mechanism(&self) -> Option<&'static str> {
        match self {
            Self::Password(password) if password.is_ascii() => None,
            Self::Password(_) => Some("PLAIN"),
            Self::Xoauth2(_) => Some("XOAUTH2"),
            Self::Oauthbearer(_) => Some("OAUTHBEARER"),
        }
    }

    /// What answers the first challenge, Base64.
    pub(super) fn first(&self, user: &str, host: &str, port: u16) -> String {
        let said = match self {
            Self::Password(password) => format!("\0{user}\0{password}"),
            Self::Xoauth2(token) => format!("user={user}\x01auth=Bearer {token}\x01\x01"),
            // RFC 5801 section 4: `,` and `=` of a name are escaped.
            Self::Oauthbearer(token) => {
                let name = user.replace('=', "=3D").replace(',', "=2C");
                format!("n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01")
            }
        };
        BASE64_STANDARD.encode(said)
    }

    /// What answers the challenge that says why not: nothing (XOAUTH2), a lone ^A (RFC 7628 section 3.2.3). Only then
    /// does the server end the command.
    pub(super) fn after_error(&self) -> &'static str {
        match self {
            Self::Oauthbearer(_) => "AQ==",
            Self::Password(_) | Self::Xoauth2(_) => "",
        }
    }
}

/// Words of a server that ask to come later, whatever else they say.
const LATER: [&str; 12] = [
    "too many",
    "throttl",
    "temporar",
    "unavailable",
    "rate",
    "limit",
    "server error",
    "later",
    "busy",
    "maximum",
    "internal",
    "timeout",
];
/// Words of a server that prove nothing but wrong credentials. Gmail, Dovecot, Courier, Cyrus, Exchange, Yahoo.
const WRONG: [&str; 8] = [
    "invalid credentials",
    "authentication failed",
    "authenticate failed",
    "login failed",
    "invalid login",
    "incorrect",
    "invalid user",
    "application-specific password required",
];

/// What it means that a login ended with NO or BAD. `challenge` = what stood in a challenge that said why not.
pub(super) fn refusal(status: &Status, challenge: Option<&str>) -> ImapError {
    let credentials =
        || ImapError::Credentials(if status.code.is_empty() { "NO".to_owned() } else { status.code.clone() });
    let later = || ImapError::LoginLater(if status.code.is_empty() { "NO".to_owned() } else { status.code.clone() });
    if status.condition == Condition::Bad {
        return ImapError::Refused { command: "the login", code: status.code.clone() };
    }
    let text = status.text.to_ascii_lowercase();
    if LATER.iter().any(|word| text.contains(word)) {
        return later();
    }
    match status.code.as_str() {
        // RFC 5530 section 3.
        "AUTHENTICATIONFAILED" | "EXPIRED" => return credentials(),
        "UNAVAILABLE" | "INUSE" | "LIMIT" | "SERVERBUG" | "CONTACTADMIN" | "AUTHORIZATIONFAILED" | "ALERT" => {
            return later();
        }
        _ => {}
    }
    match challenge.and_then(status_of) {
        Some(400 | 401 | 403) => return credentials(),
        Some(_) => return later(),
        None => {}
    }
    if WRONG.iter().any(|word| text.contains(word)) { credentials() } else { later() }
}

/// The status in a challenge that says why not: `{"status":"401",...}` (XOAUTH2), `{"status":"invalid_token"}` (RFC 7628
/// section 3.2.2), Base64.
fn status_of(challenge: &str) -> Option<u16> {
    let json: serde_json::Value = serde_json::from_slice(&BASE64_STANDARD.decode(challenge).ok()?).ok()?;
    let status = json.get("status")?;
    match status.as_str() {
        Some("invalid_token") => Some(401),
        Some(text) => text.parse().ok(),
        None => status.as_u64().and_then(|status| u16::try_from(status).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> String {
        String::from_utf8(BASE64_STANDARD.decode(text).unwrap()).unwrap()
    }

    #[test]
    fn what_is_sent() {
        let xoauth2 = Login::Xoauth2("tok".into());
        assert_eq!(decoded(&xoauth2.first("a@b.example", "h", 993)), "user=a@b.example\x01auth=Bearer tok\x01\x01");
        assert_eq!((xoauth2.mechanism(), xoauth2.after_error()), (Some("XOAUTH2"), ""));
        let bearer = Login::Oauthbearer("tok".into());
        let said = "n,a=a=2Cb=3D@c,\x01host=h\x01port=143\x01auth=Bearer tok\x01\x01";
        assert_eq!(decoded(&bearer.first("a,b=@c", "h", 143)), said);
        assert_eq!(bearer.after_error(), "AQ==");
        assert_eq!(Login::Password("abc".into()).mechanism(), None);
        let umlaut = Login::Password("grün".into());
        assert_eq!((umlaut.mechanism(), decoded(&umlaut.first("u", "h", 1)).as_str()), (Some("PLAIN"), "\0u\0grün"));
        assert_eq!(format!("{bearer:?}"), "Login(***)");
    }

    #[test]
    fn only_wrong_credentials_count() {
        let challenge =
            |status: &str| BASE64_STANDARD.encode(format!("{{\"status\":{status},\"schemes\":\"bearer\"}}"));
        for (code, text, challenged, counts) in [
            ("AUTHENTICATIONFAILED", "Authentication failed.", None, true),
            ("AUTHENTICATIONFAILED", "Invalid credentials (Failure)", None, true),
            ("", "LOGIN failed.", None, true),
            ("", "AUTHENTICATE failed.", Some("\"400\""), true),
            ("", "SASL authentication failed", Some("\"invalid_token\""), true),
            ("", "no", Some("401"), true),
            ("", "AUTHENTICATE failed.", Some("\"503\""), false),
            ("UNAVAILABLE", "Temporary authentication failure.", None, false),
            ("", "[THROTTLED] login failed, too many attempts", None, false),
            ("AUTHENTICATIONFAILED", "LOGIN Server error - Please try again later", None, false),
            ("LIMIT", "Too many simultaneous connections. (Failure)", None, false),
            ("", "Authentication failed: Maximum number of connections exceeded", None, false),
            ("", "User is authenticated but not connected.", None, false),
            ("", "", None, false),
            ("ALERT", "Please log in via your web browser", None, false),
        ] {
            let status =
                Status { condition: Condition::No, code: code.into(), argument: String::new(), text: text.into() };
            let challenged = challenged.map(challenge);
            let refused = refusal(&status, challenged.as_deref());
            assert_eq!(matches!(refused, ImapError::Credentials(_)), counts, "{code} {text}: {refused}");
        }
        let bad = Status {
            condition: Condition::Bad,
            code: String::new(),
            argument: String::new(),
            text: "LOGIN failed".into(),
        };
        assert!(refusal(&bad, None).is_an_answer(), "BAD is no word on credentials");
    }
}
