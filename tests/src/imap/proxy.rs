//! A connection that ends anywhere, and one that comes in drops.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::Side;

/// Stands between poller and server. Clones are the same.
#[derive(Clone)]
pub(super) struct Proxy {
    pub(super) port: u16,
    /// Octets of the server's that get through before the next connection ends; `None` = all.
    cut: Arc<Mutex<Option<usize>>>,
    /// Octets of the server's that get through at once.
    at_once: usize,
}

impl Proxy {
    pub(super) async fn start(server: u16, at_once: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self { port: listener.local_addr().unwrap().port(), cut: Arc::default(), at_once };
        let between = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let between = between.clone();
                tokio::spawn(async move { between.carry(client, server).await });
            }
        });
        proxy
    }

    pub(super) fn cut_after(&self, octets: usize) {
        *self.cut.lock().unwrap() = Some(octets);
    }

    async fn carry(self, mut client: TcpStream, server: u16) {
        let mut left = self.cut.lock().unwrap().take().unwrap_or(usize::MAX);
        let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
        let (mut of_client, mut to_client) = client.split();
        let (mut of_server, mut to_server) = server.split();
        let up = tokio::io::copy(&mut of_client, &mut to_server);
        let down = async {
            let mut octets = vec![0; self.at_once];
            while left > 0 {
                let Ok(read @ 1..) = of_server.read(&mut octets).await else { return };
                let through = read.min(left);
                left -= through;
                if to_client.write_all(&octets[..through]).await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { _ = up => {}, () = down => {} }
    }
}

#[tokio::test]
async fn a_connection_that_ends_anywhere_costs_a_poll_and_nothing_else() {
    let mut side = Side::new().await;
    let proxy = Proxy::start(side.fake.port, 1 << 16).await;
    side.imap().port = Some(proxy.port);
    let mut names = Vec::new();
    let (mut minute, mut broken) = (0, 0);
    // One mail a round; the whole talk has about 800 octets.
    for round in 0..60 {
        names.push(format!("m{round:02}"));
        side.arrives(&names[round]);
        proxy.cut_after(1 + round * 15);
        let did = side.poll(minute).await;
        broken += usize::from(!did.trouble.is_empty());
        minute += 1;
    }
    side.good(minute).await;
    assert_eq!(side.entries().await, names, "each once");
    assert!(side.others().await.iter().all(|(outcome, _)| outcome == "ignored"), "{:?}", side.others().await);
    assert!(broken > 30, "{broken} polls broke off");
}

#[tokio::test]
async fn octets_that_come_in_drops_are_the_same_octets() {
    let mut side = Side::new().await;
    let proxy = Proxy::start(side.fake.port, 3).await;
    side.imap().port = Some(proxy.port);
    for name in ["a", "b"] {
        side.arrives(name);
    }
    assert_eq!(side.good(0).await.taken, 2);
    assert_eq!(side.entries().await, ["a", "b"]);
}
