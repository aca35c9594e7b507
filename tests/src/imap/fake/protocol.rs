//! What the fake server says to each command.

use std::io;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use tokio::io::{AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};

use super::{FakeImap, Folder, Trick};

type Read<'a> = BufReader<tokio::net::tcp::ReadHalf<'a>>;

pub(super) struct Connection<'a> {
    server: &'a FakeImap,
    read: Read<'a>,
    /// Name of the folder that is open.
    open: String,
}

const NOISE: &str = "* 23 EXISTS\r\n* OK [X-ODD {99] hm\r\n* 1 FETCH (FLAGS (\\Seen))\r\nno star, no tag\r\n\
                     * 2 FETCH (UID 999 BODY[] {3}\r\nabc)\r\n* VANISHED (EARLIER) 1:3\r\n* 3 FETCH ((((\r\n";

fn broken() -> io::Error {
    io::Error::other("as told")
}

impl<'a> Connection<'a> {
    pub(super) fn new(server: &'a FakeImap, read: tokio::net::tcp::ReadHalf<'a>) -> Self {
        Self { server, read: BufReader::new(read), open: String::new() }
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.read.read_line(&mut line).await? == 0 {
            return Err(broken());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    pub(super) async fn run(mut self, write: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        write.write_all(b"* OK hello\r\n").await?;
        loop {
            let line = self.line().await?;
            let mut words = line.splitn(3, ' ');
            let tag = words.next().unwrap_or_default().to_owned();
            let verb = words.next().unwrap_or_default().to_ascii_uppercase();
            let rest = words.next().unwrap_or_default().to_owned();
            let second = if verb == "UID" { rest.split(' ').next().unwrap_or_default() } else { "" };
            self.server.state().commands.push(format!("{verb} {second}").trim().to_owned());
            if self.server.state().manners.noise && verb != "AUTHENTICATE" {
                write.write_all(NOISE.as_bytes()).await?;
            }
            let said = match verb.as_str() {
                "CAPABILITY" => self.capability(),
                "LOGIN" => self.login(&rest),
                "AUTHENTICATE" => self.authenticate(&rest, write).await?,
                "EXAMINE" | "SELECT" => self.select(&rest),
                "LIST" => self.list(),
                "UID" => self.uid(&rest, write).await?,
                "LOGOUT" => {
                    write.write_all(format!("* BYE bye\r\n{tag} OK done\r\n").as_bytes()).await?;
                    return Ok(());
                }
                _ => "BAD what?".to_owned(),
            };
            let (untagged, tagged) = said
                .rsplit_once("\r\n")
                .map_or((String::new(), said.as_str()), |(before, last)| (format!("{before}\r\n"), last));
            write.write_all(format!("{untagged}{tag} {tagged}\r\n").as_bytes()).await?;
        }
    }

    fn capability(&self) -> String {
        let lacks = self.server.state().manners.lacks.clone();
        let all = ["IMAP4rev1", "MOVE", "UIDPLUS"].into_iter().filter(|word| !lacks.contains(word));
        format!("* CAPABILITY {}\r\nOK done", all.collect::<Vec<_>>().join(" "))
    }

    fn judged(&self, proof: &str) -> String {
        let state = self.server.state();
        match state.manners.refuses {
            Some(answer) => answer.to_owned(),
            None if state.good.iter().any(|good| good == proof) => "OK in".to_owned(),
            None => "NO [AUTHENTICATIONFAILED] Invalid credentials".to_owned(),
        }
    }

    fn login(&self, rest: &str) -> String {
        let quoted = rest.split_once("\" \"").map_or("", |(_, password)| password.trim_end_matches('"'));
        // The last quote ends the string, unless it is escaped: here it never is.
        let password = quoted.replace("\\\"", "\"").replace("\\\\", "\\");
        self.judged(&password)
    }

    async fn authenticate(&mut self, mechanism: &str, write: &mut (impl AsyncWrite + Unpin)) -> io::Result<String> {
        write.write_all(b"+ \r\n").await?;
        let first = String::from_utf8(BASE64_STANDARD.decode(self.line().await?).unwrap()).unwrap();
        let proof = match mechanism {
            "PLAIN" => first.rsplit('\0').next().unwrap_or_default().to_owned(),
            _ => first.split_once("auth=Bearer ").map_or("", |(_, rest)| rest.trim_end_matches('\x01')).to_owned(),
        };
        self.server.state().answers.push(first);
        let judged = self.judged(&proof);
        let challenge = self.server.state().manners.challenge;
        if let Some(challenge) = challenge.filter(|_| !judged.starts_with("OK")) {
            // A server that is not answered here waits for ever.
            write.write_all(format!("+ {challenge}\r\n").as_bytes()).await?;
            let answer = self.line().await?;
            self.server.state().answers.push(answer);
        }
        Ok(judged)
    }

    fn select(&mut self, rest: &str) -> String {
        let name = rest.trim_matches('"').replace("\\\"", "\"");
        let state = self.server.state();
        let Some(folder) = state.folders.get(&name) else { return "NO [NONEXISTENT] no such folder".to_owned() };
        self.open.clone_from(&name);
        format!(
            "* FLAGS (\\Seen)\r\n* {} EXISTS\r\n* OK [UIDVALIDITY {}] valid\r\n* OK [UIDNEXT {}] next\r\nOK [READ-ONLY] open",
            folder.messages.len(),
            folder.validity,
            folder.next
        )
    }

    fn list(&self) -> String {
        let mut names: Vec<String> = self.server.state().folders.keys().cloned().collect();
        names.sort();
        let lines: String = names.iter().map(|name| format!("* LIST (\\HasNoChildren) \"/\" \"{name}\"\r\n")).collect();
        format!("* LIST (\\Noselect) \"/\" nothing\r\n{lines}OK done")
    }

    async fn uid(&mut self, rest: &str, write: &mut (impl AsyncWrite + Unpin)) -> io::Result<String> {
        let (verb, rest) = rest.split_once(' ').unwrap();
        match verb {
            "SEARCH" => Ok(self.search(rest)),
            "FETCH" => self.fetch(rest, write).await,
            "STORE" | "COPY" | "MOVE" | "EXPUNGE" => Ok(self.change(verb, rest)),
            other => panic!("UID {other} is no command of a poll"),
        }
    }

    fn search(&self, criteria: &str) -> String {
        let state = self.server.state();
        let folder = &state.folders[&self.open];
        let mut found: Vec<u32> =
            folder.messages.keys().copied().filter(|uid| matches(folder, *uid, criteria)).collect();
        if state.manners.newest_first {
            found.reverse();
        }
        let words: String = found.iter().map(|uid| format!(" {uid}")).collect();
        format!("* SEARCH{words}\r\nOK done")
    }

    async fn fetch(&mut self, rest: &str, write: &mut (impl AsyncWrite + Unpin)) -> io::Result<String> {
        let (set, items) = rest.split_once(' ').unwrap();
        let folder = self.server.state().folders[&self.open].clone();
        let uids: Vec<u32> = folder.messages.keys().copied().filter(|uid| within(set, *uid)).collect();
        let Some(uid) = uids.first().copied().filter(|_| items.contains("BODY")) else {
            let line = |uid: &u32| {
                let stored = &folder.messages[uid];
                let at = stored.at.to_zoned(TimeZone::UTC).strftime("%e-%b-%Y %H:%M:%S +0000").to_string();
                format!("* {uid} FETCH (UID {uid} INTERNALDATE \"{at}\" RFC822.SIZE {})\r\n", stored.raw.len())
            };
            return Ok(format!("{}OK done", uids.iter().map(line).collect::<String>()));
        };
        assert!(items.contains("BODY.PEEK[]"), "flags are not to be touched: {items}");
        let trick = self.trick(uid);
        let raw = &folder.messages[&uid].raw;
        let announced = match trick {
            Some(Trick::Endless) => 9_000_000_000_000,
            _ => raw.len(),
        };
        let begin = format!("* {uid} FETCH (FLAGS () UID {uid} BODY[] {{{announced}}}\r\n");
        let half = &raw[..raw.len() / 2];
        match trick {
            None => {
                write.write_all(begin.as_bytes()).await?;
                write.write_all(raw).await?;
                write.write_all(b")\r\n").await?;
            }
            Some(Trick::Drop | Trick::Endless) => {
                write.write_all(begin.as_bytes()).await?;
                write.write_all(half).await?;
                return Err(broken());
            }
            Some(Trick::Truncate) => {
                write.write_all(begin.as_bytes()).await?;
                write.write_all(half).await?;
                write.write_all(b")\r\nP4 OK done\r\n").await?;
                return Err(broken());
            }
            Some(Trick::Bye) => {
                write.write_all(b"* BYE going down\r\n").await?;
                return Err(broken());
            }
            Some(Trick::No) => return Ok("NO [SERVERBUG] not this one".to_owned()),
            Some(Trick::Nil) => return Ok(format!("* {uid} FETCH (UID {uid} BODY[] NIL)\r\nOK done")),
            Some(Trick::Vanish) => {
                self.server.state().folders.get_mut(&self.open).unwrap().messages.remove(&uid);
            }
            Some(Trick::Nothing) => {}
            Some(Trick::Hang) => std::future::pending().await,
        }
        Ok("OK done".to_owned())
    }

    fn trick(&self, uid: u32) -> Option<Trick> {
        let mut state = self.server.state();
        let (trick, times) = state.manners.tricks.get_mut(&uid)?;
        let trick = (*times > 0).then_some(*trick);
        *times = times.saturating_sub(1);
        trick
    }

    fn change(&self, verb: &str, rest: &str) -> String {
        let (set, what) = rest.split_once(' ').unwrap_or((rest, ""));
        let uid: u32 = set.parse().expect("one message at a time");
        let mut state = self.server.state();
        if state.manners.keeps {
            return "NO [NOPERM] not allowed".to_owned();
        }
        let target = what.trim_matches('"').to_owned();
        let known = state.folders.contains_key(&target);
        let folder = state.folders.get_mut(&self.open).unwrap();
        match verb {
            "STORE" => {
                if let Some(stored) = folder.messages.get_mut(&uid) {
                    stored.seen |= what.contains("\\Seen");
                    stored.deleted |= what.contains("\\Deleted");
                }
            }
            "EXPUNGE" => folder.messages.retain(|at, stored| *at != uid || !stored.deleted),
            _ if !known => return "NO [TRYCREATE] no such folder".to_owned(),
            _ => {
                let stored =
                    if verb == "MOVE" { folder.messages.remove(&uid) } else { folder.messages.get(&uid).cloned() };
                let target = state.folders.get_mut(&target).unwrap();
                target.messages.extend(stored.map(|stored| (target.next, stored)));
                target.next += 1;
            }
        }
        "OK done".to_owned()
    }
}

/// The criteria that a poll uses, each as RFC 3501 section 6.4.4 has it.
fn matches(folder: &Folder, uid: u32, criteria: &str) -> bool {
    let day = |text: &str| Date::strptime("%d-%b-%Y", text).unwrap().to_zoned(TimeZone::UTC).unwrap().timestamp();
    let at: Timestamp = folder.messages[&uid].at;
    let last = folder.messages.keys().next_back().copied().unwrap_or_default();
    let from = |set: &str| match set.strip_suffix(":*") {
        Some(from) => uid >= from.parse().unwrap() || uid == last,
        None if set == "*" => uid == last,
        None => within(set, uid),
    };
    let words: Vec<&str> = criteria.split(' ').collect();
    match words.as_slice() {
        ["ALL"] => true,
        ["UID", set] => from(set),
        ["SINCE", since] => at >= day(since),
        ["BEFORE", before] => at < day(before),
        ["UID", set, "OR", "UID", other, "SINCE", since] => from(set) && (from(other) || at >= day(since)),
        _ => panic!("SEARCH {criteria} is none of a poll's"),
    }
}

fn within(set: &str, uid: u32) -> bool {
    set.split(',').any(|range| match range.split_once(':') {
        Some((first, last)) => (first.parse().unwrap()..=last.parse().unwrap()).contains(&uid),
        None => range.parse() == Ok(uid),
    })
}
