//! The commands of a poll. What a server answers besides is passed over; what it names wrongly is never taken.

mod filing;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::{net::TcpStream, time::timeout};

use super::{
    ImapError,
    auth::{self, Login},
    parse::{self, Condition, Response, Status},
    tls, utf7,
    wire::{Socket, Wire},
};
use crate::door::{Imap, Security};

/// To connect, DNS and TLS included.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// One command that moves no mail.
const COMMAND_MAX: Duration = Duration::from_secs(40);
/// Fetching one mail: 64 MB at 0.8 MB/s. The lease of a folder outlasts it.
const FETCH_MAX: Duration = Duration::from_secs(80);
/// Untagged responses to one command that are listened to.
const UNTAGGED_MAX: usize = 20_000;
/// Octets of one command line that we send: RFC 7162 section 4 and RFC 9051 section 4 have servers take 8,000.
const SET_OCTETS_MAX: usize = 4_000;

/// A connection, logged in or not.
#[derive(Debug)]
pub struct Session {
    wire: Wire,
    tags: u32,
    /// Where the server said so: upper case.
    capabilities: Option<Vec<String>>,
    greeted: Condition,
}

/// A folder that was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// RFC 3501 section 2.3.1.1. Without it no UID can be trusted.
    pub uid_validity: u32,
    /// The next UID, where the server says.
    pub uid_next: Option<u32>,
}

/// What is known of a message without its octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// INTERNALDATE: when the server took it.
    pub at: Option<Timestamp>,
    /// RFC822.SIZE; some servers only guess.
    pub octets: Option<u64>,
}

impl Session {
    /// Connects, with TLS as the door says, and hears the greeting.
    ///
    /// # Errors
    /// See [`ImapError`]; nothing was sent that is secret.
    pub async fn connect(door: &Imap) -> Result<Self, ImapError> {
        timeout(CONNECT_MAX, Self::connected(door)).await.unwrap_or(Err(ImapError::Unreachable("timeout")))
    }

    async fn connected(door: &Imap) -> Result<Self, ImapError> {
        if door.security == Security::Plain && !door.is_loopback() {
            return Err(ImapError::Settings("without TLS only to this machine itself".to_owned()));
        }
        let stream = TcpStream::connect((door.host.as_str(), door.port())).await;
        let stream = stream.map_err(|error| ImapError::Unreachable(why(&error)))?;
        // Commands are short, and each waits for its answer.
        let _ = stream.set_nodelay(true);
        let mut socket: Box<dyn Socket> = Box::new(stream);
        let authority = door.authority.as_deref();
        if door.security == Security::Tls {
            socket = tls::over(socket, &door.host, authority).await?;
        }
        let mut session = Self { wire: Wire::new(socket), tags: 0, capabilities: None, greeted: Condition::Ok };
        session.greeting().await?;
        if door.security == Security::Starttls {
            if session.greeted == Condition::PreAuth {
                return Err(ImapError::Tls("the server logs in by itself, so STARTTLS is too late".to_owned()));
            }
            session.command("STARTTLS", "STARTTLS", |_| {}).await.map_err(|error| match error {
                ImapError::Refused { .. } => ImapError::Tls("the server refuses STARTTLS".to_owned()),
                other => other,
            })?;
            let socket = session.wire.into_socket()?;
            let wire = Wire::new(tls::over(socket, &door.host, authority).await?);
            // What was said in the clear does not count (RFC 3501 section 6.2.1).
            session = Self { wire, tags: session.tags, capabilities: None, greeted: Condition::Ok };
        }
        Ok(session)
    }

    async fn greeting(&mut self) -> Result<(), ImapError> {
        loop {
            match parse::response(&self.wire.response().await?) {
                Response::Status(status) => {
                    match status.condition {
                        Condition::Ok | Condition::PreAuth => self.greeted = status.condition,
                        Condition::Bye => return Err(ImapError::Bye),
                        Condition::No | Condition::Bad => return Err(ImapError::Protocol("no greeting")),
                    }
                    self.noted(&status);
                    return Ok(());
                }
                Response::Tagged(..) | Response::Continue(_) => return Err(ImapError::Protocol("no greeting")),
                _ if self.tags > 0 => return Err(ImapError::Protocol("no greeting")),
                // One odd line before the greeting, never endlessly many.
                _ => self.tags += 1,
            }
        }
    }

    /// Capabilities that stand in a response code.
    fn noted(&mut self, status: &Status) {
        if status.code == "CAPABILITY" {
            let words = status.argument.split_ascii_whitespace().map(str::to_ascii_uppercase);
            self.capabilities = Some(words.collect());
        }
    }

    /// Sends a command and hears its end; `hear` gets what comes untagged.
    async fn command(
        &mut self,
        name: &'static str,
        line: &str,
        hear: impl FnMut(Response),
    ) -> Result<Status, ImapError> {
        self.command_within(COMMAND_MAX, name, line, hear).await
    }

    async fn command_within(
        &mut self,
        most: Duration,
        name: &'static str,
        line: &str,
        mut hear: impl FnMut(Response),
    ) -> Result<Status, ImapError> {
        let worked = timeout(most, async {
            let tag = self.say(line).await?;
            let (status, _) = self.ended(&tag, &mut hear, None).await?;
            Ok(status)
        });
        let status = worked.await.unwrap_or(Err(ImapError::Stalled("a command without end")))?;
        match status.condition {
            Condition::Ok => Ok(status),
            _ => Err(ImapError::Refused { command: name, code: status.code }),
        }
    }

    async fn say(&mut self, line: &str) -> Result<String, ImapError> {
        if line.contains(['\r', '\n', '\0']) {
            return Err(ImapError::Settings("a line break or NUL in a name or password".to_owned()));
        }
        self.tags += 1;
        let tag = format!("P{}", self.tags);
        self.wire.send(format!("{tag} {line}\r\n").as_bytes()).await?;
        Ok(tag)
    }

    /// Hears until the command of that tag ends. Challenges get the answers of `login`; the last one is returned.
    async fn ended(
        &mut self,
        tag: &str,
        hear: &mut impl FnMut(Response),
        login: Option<(&Login, &str)>,
    ) -> Result<(Status, Option<String>), ImapError> {
        let mut challenges: Vec<String> = Vec::new();
        for _ in 0..UNTAGGED_MAX {
            match parse::response(&self.wire.response().await?) {
                Response::Tagged(of, status) if of == tag => {
                    self.noted(&status);
                    let why_not = challenges.into_iter().nth(1);
                    return Ok((status, why_not));
                }
                Response::Tagged(..) => {}
                Response::Status(status) if status.condition == Condition::Bye => return Err(ImapError::Bye),
                Response::Continue(challenge) => {
                    let Some((login, first)) = login else { return Err(ImapError::Protocol("an unasked challenge")) };
                    let answer = match challenges.len() {
                        0 => first,
                        1 => login.after_error(),
                        _ => return Err(ImapError::Protocol("a challenge too many")),
                    };
                    challenges.push(challenge);
                    self.wire.send(format!("{answer}\r\n").as_bytes()).await?;
                }
                Response::Capability(words) => self.capabilities = Some(words),
                heard => hear(heard),
            }
        }
        Err(ImapError::Protocol("untagged responses without end"))
    }

    /// Logs in, with one command.
    ///
    /// # Errors
    /// [`ImapError::Credentials`] only where the credentials are wrong without doubt.
    pub async fn log_in(&mut self, door: &Imap, login: &Login) -> Result<(), ImapError> {
        if self.greeted == Condition::PreAuth {
            return Ok(());
        }
        let worked = timeout(COMMAND_MAX, self.logged_in(door, login));
        worked.await.unwrap_or(Err(ImapError::Stalled("the login")))
    }

    async fn logged_in(&mut self, door: &Imap, login: &Login) -> Result<(), ImapError> {
        let first = login.first(&door.user, &door.host, door.port());
        let disabled = self.capabilities.as_ref().is_some_and(|all| all.iter().any(|word| word == "LOGINDISABLED"));
        let line = match (login, login.mechanism()) {
            (_, Some(mechanism)) => format!("AUTHENTICATE {mechanism}"),
            (Login::Password(password), None) if !disabled && door.user.is_ascii() => {
                format!("LOGIN {} {}", quoted(&door.user), quoted(password))
            }
            (_, None) => "AUTHENTICATE PLAIN".to_owned(),
        };
        // What was said before the login is of another state (RFC 3501 section 6.2.2).
        self.capabilities = None;
        let tag = self.say(&line).await?;
        let (status, why_not) = self.ended(&tag, &mut |_| {}, Some((login, &first))).await?;
        match status.condition {
            Condition::Ok => Ok(()),
            _ => Err(auth::refusal(&status, why_not.as_deref())),
        }
    }

    /// Opens a folder; read-only where nothing is to be changed there.
    ///
    /// # Errors
    /// See [`ImapError`].
    pub async fn open(&mut self, folder: &str, read_only: bool) -> Result<Opened, ImapError> {
        let mut opened = Opened::default();
        let word = if read_only { "EXAMINE" } else { "SELECT" };
        let line = format!("{word} {}", quoted(&utf7::encode(folder)));
        self.command(word, &line, |heard| {
            if let Response::Status(status) = heard {
                match status.code.as_str() {
                    "UIDVALIDITY" => opened.uid_validity = status.argument.trim().parse().unwrap_or_default(),
                    "UIDNEXT" => opened.uid_next = status.argument.trim().parse().ok().filter(|next| *next > 0),
                    _ => {}
                }
            }
        })
        .await?;
        if opened.uid_validity == 0 { Err(ImapError::Protocol("no UIDVALIDITY")) } else { Ok(opened) }
    }

    /// UIDs that match, ascending and each once, however the server lists them.
    ///
    /// # Errors
    /// See [`ImapError`].
    pub async fn search(&mut self, criteria: &str) -> Result<Vec<u32>, ImapError> {
        let mut found = Vec::new();
        self.command("UID SEARCH", &format!("UID SEARCH {criteria}"), |heard| {
            if let Response::Search(uids) = heard {
                found.extend(uids);
            }
        })
        .await?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// What is known of messages. Those that are not there any more are missing.
    ///
    /// # Errors
    /// See [`ImapError`].
    pub async fn metas(&mut self, uids: &[u32]) -> Result<BTreeMap<u32, Meta>, ImapError> {
        let mut metas = BTreeMap::new();
        for set in sets(uids) {
            let line = format!("UID FETCH {set} (UID INTERNALDATE RFC822.SIZE)");
            self.command("UID FETCH", &line, |heard| {
                if let Response::Fetched(fetched) = heard
                    && let Some(uid) = fetched.uid.filter(|uid| uids.binary_search(uid).is_ok())
                {
                    let known: &mut Meta = metas.entry(uid).or_default();
                    known.at = fetched.at.or(known.at);
                    known.octets = fetched.octets.or(known.octets);
                }
            })
            .await?;
        }
        Ok(metas)
    }

    /// The octets of a message, its flags untouched; `None` where the server has nothing under that UID.
    ///
    /// # Errors
    /// See [`ImapError`].
    pub async fn fetch(&mut self, uid: u32) -> Result<Option<Bytes>, ImapError> {
        let mut body = None;
        let line = format!("UID FETCH {uid} (UID BODY.PEEK[])");
        self.command_within(FETCH_MAX, "UID FETCH", &line, |heard| {
            if let Response::Fetched(fetched) = heard
                && fetched.uid == Some(uid)
                && fetched.body.is_some()
            {
                body = fetched.body;
            }
        })
        .await?;
        Ok(body)
    }

    /// Says goodbye. What goes wrong then is of no importance.
    pub async fn log_out(mut self) {
        let _ = timeout(Duration::from_secs(2), self.command("LOGOUT", "LOGOUT", |_| {})).await;
    }
}

/// A string as RFC 3501 section 4.3 quotes it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Why there is no connection.
fn why(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "connection refused",
        std::io::ErrorKind::TimedOut => "timeout",
        std::io::ErrorKind::HostUnreachable | std::io::ErrorKind::NetworkUnreachable => "no way to it",
        _ => "no connection, or no such host",
    }
}

/// Ascending UIDs as sets that fit into a command line each: `1:3,7`.
fn sets(uids: &[u32]) -> Vec<String> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*uid) => *last = *uid,
            _ => ranges.push((*uid, *uid)),
        }
    }
    let mut sets: Vec<String> = Vec::new();
    for (first, last) in ranges {
        let range = if first == last { first.to_string() } else { format!("{first}:{last}") };
        match sets.last_mut() {
            Some(set) if set.len() + range.len() < SET_OCTETS_MAX => {
                set.push(',');
                set.push_str(&range);
            }
            _ => sets.push(range),
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_short() {
        assert_eq!(sets(&[1, 2, 3, 7, 9, 10]), ["1:3,7,9:10"]);
        assert_eq!(sets(&[u32::MAX - 1, u32::MAX]), [format!("{}:{}", u32::MAX - 1, u32::MAX)]);
        assert!(sets(&[]).is_empty());
        let odd: Vec<u32> = (0..5_000).map(|n| n * 2 + 1_000_000).collect();
        let all = sets(&odd);
        assert!(all.len() > 5 && all.iter().all(|set| set.len() <= SET_OCTETS_MAX));
        assert_eq!(all.iter().flat_map(|set| set.split(',')).count(), odd.len());
    }

    #[test]
    fn quotes_cannot_be_left() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    }
}
