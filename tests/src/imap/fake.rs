//! An IMAP server that does as it is told: the commands of a poll, and everything that servers do wrong.

mod protocol;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use jiff::Timestamp;
use tokio::{io::AsyncWriteExt as _, net::TcpListener};

use crate::world::now;

/// What it does instead of giving a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trick {
    /// The connection ends within the literal.
    Drop,
    /// The literal is shorter than announced; what follows it looks like a good end.
    Truncate,
    /// BYE, then the end.
    Bye,
    /// Tagged NO.
    No,
    /// Tagged OK and nothing before it.
    Nothing,
    /// `BODY[] NIL`.
    Nil,
    /// It is expunged just then.
    Vanish,
    /// A literal of terabytes is announced.
    Endless,
    /// Not a word any more.
    Hang,
}

/// How the server behaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manners {
    /// Untagged responses that nobody asked for, some of them no IMAP.
    pub(crate) noise: bool,
    /// SEARCH lists the newest first.
    pub(crate) newest_first: bool,
    /// Capabilities that it lacks.
    pub(crate) lacks: Vec<&'static str>,
    /// What happens with a UID, and how often.
    pub(crate) tricks: HashMap<u32, (Trick, usize)>,
    /// What LOGIN and AUTHENTICATE answer instead of OK.
    pub(crate) refuses: Option<&'static str>,
    /// The challenge before that, Base64.
    pub(crate) challenge: Option<&'static str>,
    /// It takes connections and never says a word.
    pub(crate) mute: bool,
    /// It refuses to store, move and delete.
    pub(crate) keeps: bool,
}

/// One message.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) raw: Vec<u8>,
    pub(crate) at: Timestamp,
    pub(crate) seen: bool,
    pub(crate) deleted: bool,
}

/// One folder, by its name on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    pub(crate) validity: u32,
    pub(crate) next: u32,
    pub(crate) messages: BTreeMap<u32, Stored>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) folders: HashMap<String, Folder>,
    pub(crate) manners: Manners,
    /// Passwords and access tokens that are good.
    pub(crate) good: Vec<String>,
    /// First two words of each command.
    pub(crate) commands: Vec<String>,
    /// What answered challenges.
    pub(crate) answers: Vec<String>,
}

/// The server. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct FakeImap {
    state: Arc<Mutex<State>>,
    pub(crate) port: u16,
}

pub(crate) const PASSWORD: &str = "pass word \"x\\";

impl FakeImap {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fake = Self { state: Arc::default(), port };
        fake.state().good.push(PASSWORD.to_owned());
        fake.folder("INBOX");
        let server = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.serve(stream).await });
            }
        });
        fake
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Makes a folder, by its name on the wire.
    pub(crate) fn folder(&self, name: &str) {
        let folder = Folder { validity: 7, next: 1, messages: BTreeMap::new() };
        self.state().folders.insert(name.to_owned(), folder);
    }

    /// A mail arrives in INBOX; its UID.
    pub(crate) fn arrives(&self, raw: Vec<u8>) -> u32 {
        self.arrives_in("INBOX", raw, now())
    }

    pub(crate) fn arrives_in(&self, folder: &str, raw: Vec<u8>, at: Timestamp) -> u32 {
        let mut state = self.state();
        let folder = state.folders.get_mut(folder).unwrap();
        let uid = folder.next;
        folder.next += 1;
        folder.messages.insert(uid, Stored { raw, at, seen: false, deleted: false });
        uid
    }

    /// Numbers all messages of INBOX anew, in their order.
    pub(crate) fn renumber(&self, first: u32) {
        let mut state = self.state();
        let folder = state.folders.get_mut("INBOX").unwrap();
        folder.validity += 1;
        folder.next = first;
        for (_, stored) in std::mem::take(&mut folder.messages) {
            folder.messages.insert(folder.next, stored);
            folder.next += 1;
        }
    }

    pub(crate) fn manners(&self, manners: Manners) {
        self.state().manners = manners;
    }

    pub(crate) fn trick(&self, uid: u32, trick: Trick, times: usize) {
        self.state().manners.tricks.insert(uid, (trick, times));
    }

    /// The commands since the last call.
    pub(crate) fn take_commands(&self) -> Vec<String> {
        std::mem::take(&mut self.state().commands)
    }

    async fn serve(self, mut stream: tokio::net::TcpStream) {
        let _ = stream.set_nodelay(true);
        if self.state().manners.mute {
            // Held open until the other side has had enough.
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            return;
        }
        let (read, mut write) = stream.split();
        // Whatever ends it, the connection ends.
        let _ = protocol::Connection::new(&self, read).run(&mut write).await;
        let _ = write.shutdown().await;
    }
}
