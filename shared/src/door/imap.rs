//! A mailbox elsewhere, as a door that is polled: where it is, who logs in and how, what happens to mail that was taken.
//! No secret stands here.

use serde::{Deserialize, Serialize};

/// Days back that the first poll of a folder looks.
const FIRST_DAYS: u16 = 3;
/// Folders of one door at most: one poll goes through all of them within a minute or so.
const FOLDERS_MAX: usize = 20;
/// Octets of a name: of a host (RFC 1035 section 2.3.4), a user, a folder.
const NAME_OCTETS_MAX: usize = 255;
/// Octets of an authority's certificates.
const AUTHORITY_OCTETS_MAX: usize = 32 * 1024;

/// How the connection is kept from being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// TLS from the first octet (RFC 8314 section 3.2), port 993.
    #[default]
    Tls,
    /// STARTTLS before anything else (RFC 3501 section 6.2.1), port 143. Without it no login.
    Starttls,
    /// None: only to this machine itself.
    Plain,
}

/// SASL mechanism of access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sasl {
    /// As Google and Microsoft have it.
    #[default]
    Xoauth2,
    /// RFC 7628.
    Oauthbearer,
}

/// How the user proves to be the user. What is secret stands in the operator's secret under the door's id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Auth {
    /// `passwords`: the password, or an app password.
    #[default]
    Password,
    /// `access_tokens`: a token that somebody else keeps fresh.
    Token,
    /// `refresh_tokens` and `client_secrets` of a Google client.
    Google {
        /// Client id.
        client: String,
    },
    /// `service_accounts`: the key file of a Google service account with domain-wide delegation, for the user.
    GoogleService,
    /// `client_secrets` of a Microsoft Entra application with IMAP.AccessAsApp (client credentials).
    Microsoft {
        /// Application (client) id.
        client: String,
        /// Directory (tenant) id.
        tenant: String,
    },
}

/// What happens to a mail over there once it is safe here and decided or queued.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "then")]
pub enum After {
    /// Nothing: not even a flag is touched.
    #[default]
    Nothing,
    /// It is marked as read.
    Seen,
    /// It goes to another folder.
    Move {
        /// Which.
        folder: String,
    },
    /// It is deleted.
    Delete,
}

/// A mailbox elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imap {
    /// Host name, as its certificate has it.
    pub host: String,
    /// Port; by `security` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// TLS.
    #[serde(default)]
    pub security: Security,
    /// Who logs in. With Google and Microsoft the address of the mailbox, a shared one's too.
    pub user: String,
    /// How.
    #[serde(default)]
    pub auth: Auth,
    /// Mechanism of access tokens.
    #[serde(default)]
    pub sasl: Sasl,
    /// Where access tokens are had, where not at Google or Microsoft: `https`, or `http` to this machine itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// Folders, as people read their names.
    #[serde(default = "inbox")]
    pub folders: Vec<String>,
    /// What happens to mail that was taken.
    #[serde(default)]
    pub after: After,
    /// Days back that the first poll of a folder looks.
    #[serde(default = "first_days")]
    pub first_days: u16,
    /// Certificates of an authority of one's own, PEM; they count beside the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
}

fn inbox() -> Vec<String> {
    vec!["INBOX".to_owned()]
}

fn first_days() -> u16 {
    FIRST_DAYS
}

impl Default for Imap {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: None,
            security: Security::Tls,
            user: String::new(),
            auth: Auth::Password,
            sasl: Sasl::Xoauth2,
            token_endpoint: None,
            folders: inbox(),
            after: After::Nothing,
            first_days: FIRST_DAYS,
            authority: None,
        }
    }
}

impl Imap {
    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        match (self.port, self.security) {
            (Some(port), _) => port,
            (None, Security::Tls) => 993,
            (None, Security::Starttls | Security::Plain) => 143,
        }
    }

    /// True where the connection does not leave this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Whether it can be polled as it is set up.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn check(&self) -> Result<(), String> {
        name("host", &self.host)?;
        name("user", &self.user)?;
        if self.host.contains([' ', '/', '@']) {
            return Err(format!("{:?} is no host name", self.host));
        }
        if self.security == Security::Plain && !self.is_loopback() {
            return Err(
                "without TLS only to this machine itself (127.0.0.1, ::1, localhost): --security tls or starttls"
                    .to_owned(),
            );
        }
        if self.folders.is_empty() || self.folders.len() > FOLDERS_MAX {
            return Err(format!("it has {} folders; 1 to {FOLDERS_MAX} can be polled", self.folders.len()));
        }
        for (n, folder) in self.folders.iter().enumerate() {
            name("folder", folder)?;
            if self.folders.iter().take(n).any(|other| other == folder) {
                return Err(format!("folder {folder:?} is named twice"));
            }
        }
        if let After::Move { folder } = &self.after {
            name("folder", folder)?;
            if self.folders.contains(folder) {
                return Err(format!("mail would be moved to {folder:?}, which is polled itself"));
            }
        }
        if let Auth::Google { client } = &self.auth {
            name("client", client)?;
        }
        if let Auth::Microsoft { client, tenant } = &self.auth {
            name("client", client)?;
            if tenant.is_empty() || !tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
                return Err("the tenant is a directory id or a domain".to_owned());
            }
        }
        if let Some(url) = self.token_endpoint.as_deref().filter(|url| !may_have_tokens(url)) {
            return Err(format!("{url:?} is no token endpoint: https://, or http:// to this machine itself"));
        }
        match &self.authority {
            Some(pem) if pem.len() > AUTHORITY_OCTETS_MAX || !pem.contains("-----BEGIN CERTIFICATE-----") => {
                Err("the authority is no certificate in PEM, or longer than 32 KB".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// A name that can stand in a command: no control characters, neither empty nor endless.
fn name(what: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() || text.len() > NAME_OCTETS_MAX || text.chars().any(char::is_control) {
        return Err(format!("the {what} is empty, longer than {NAME_OCTETS_MAX} octets, or has control characters"));
    }
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// True for a URL that a client secret may be sent to: `https`, or `http` that does not leave this machine.
#[must_use]
pub(crate) fn may_have_tokens(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let Some(authority) = uri.authority() else { return false };
    let plain = !authority.as_str().contains('@') && !authority.host().is_empty();
    match uri.scheme_str() {
        Some("https") => plain,
        Some("http") => plain && is_loopback(authority.host()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Imap {
        Imap { host: "imap.example.com".into(), user: "support@example.com".into(), ..Imap::default() }
    }

    #[test]
    fn ports_follow_from_security() {
        let port = |security| Imap { security, ..good() }.port();
        assert_eq!((port(Security::Tls), port(Security::Starttls)), (993, 143));
        assert_eq!(Imap { port: Some(1993), ..good() }.port(), 1993);
    }

    #[test]
    fn what_is_left_out_has_defaults() {
        let read: Imap = serde_json::from_str(r#"{"host":"imap.example.com","user":"support@example.com"}"#).unwrap();
        assert_eq!(read, good());
        let written = serde_json::to_value(Imap { after: After::Move { folder: "Done".into() }, ..good() }).unwrap();
        assert_eq!(written["after"], serde_json::json!({"then": "move", "folder": "Done"}));
    }

    #[test]
    fn faults_are_told() {
        assert_eq!(good().check(), Ok(()));
        let moved = After::Move { folder: "INBOX".into() };
        let microsoft = |tenant: &str| Auth::Microsoft { client: "c".into(), tenant: tenant.into() };
        for (faulty, expected) in [
            (Imap { host: String::new(), ..good() }, "the host is empty"),
            (Imap { user: "a\r\nb".into(), ..good() }, "control characters"),
            (Imap { host: "a b".into(), ..good() }, "no host name"),
            (Imap { security: Security::Plain, ..good() }, "only to this machine"),
            (Imap { folders: vec![], ..good() }, "has 0 folders"),
            (Imap { folders: vec!["a".into(), "a".into()], ..good() }, "named twice"),
            (Imap { after: moved, ..good() }, "polled itself"),
            (Imap { auth: microsoft("../x"), ..good() }, "directory id"),
            (Imap { token_endpoint: Some("http://tokens.example/".into()), ..good() }, "no token endpoint"),
            (Imap { authority: Some("x".into()), ..good() }, "no certificate"),
        ] {
            let told = faulty.check().unwrap_err();
            assert!(told.contains(expected), "{told} lacks {expected}");
        }
        for host in ["127.0.0.1", "::1", "localhost"] {
            assert_eq!(Imap { host: host.into(), security: Security::Plain, ..good() }.check(), Ok(()), "{host}");
        }
    }

    #[test]
    fn secrets_go_to_https_or_nowhere_else() {
        for (url, good) in [
            ("https://login.example/token", true),
            ("http://127.0.0.1:8080/token", true),
            ("http://localhost/token", true),
            ("http://127.0.0.1@evil.example/", false),
            ("http://127.0.0.1.evil.example/", false),
            ("https://user@login.example/", false),
            ("ftp://login.example/", false),
            ("token", false),
        ] {
            assert_eq!(may_have_tokens(url), good, "{url}");
        }
    }
}
