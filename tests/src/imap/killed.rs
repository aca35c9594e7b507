//! The poller dies at any point: what it left behind is done, once.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use jiff::SignedDuration;
use postern::poll::{Ask, Polled};

use super::Side;
use crate::{harness::wire::Wire, world::now};

/// A future that is dropped after so many polls: its process died then. What was sent is on its way.
struct Dies<F> {
    inner: Pin<Box<F>>,
    left: usize,
}

impl<F: Future> Future for Dies<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return Poll::Ready(None),
        }
        self.inner.as_mut().poll(context).map(Some)
    }
}

impl Side {
    /// Polls until it dies; each life begins when the lease of the one before has run out.
    async fn life(&self, n: i64, polls: usize) -> Option<Polled> {
        let at = now() + SignedDuration::from_mins(4 * n);
        let ask = Ask::until(at + SignedDuration::from_hours(1));
        let poller = self.poller(&Wire::new(), at);
        Dies { inner: Box::pin(poller.door(&self.door, &ask)), left: polls }.await
    }
}

/// The numbers of issue 9.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mails_and_a_poller_that_dies_again_and_again() {
    const MAILS: usize = 1_000;
    let side = Side::new().await;
    let mut names: Vec<String> = (0..MAILS).map(|n| format!("m{n:04}")).collect();
    for name in &names {
        side.arrives(name);
    }
    let (mut lives, mut seed) = (0, 0x2545_F491_4F6C_DD1D_u64);
    loop {
        // Knuth's generator of MMIX; any would do.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let polls = 60 + usize::try_from(seed >> 33).unwrap() % 600;
        lives += 1;
        if let Some(did) = side.life(lives, polls).await {
            assert_eq!((did.trouble.as_slice(), did.left), (&[][..], false), "{did:?}");
            break;
        }
        assert!(lives < 500, "no progress");
    }
    names.sort();
    assert_eq!(side.entries().await, names, "each exactly one entry");
    assert!(side.others().await.is_empty(), "{:?}", side.others().await);
    assert!(lives > 25, "it died {lives} times");
    println!("{MAILS} mails in {lives} lives");
}

/// Counted before it is looked at: three deaths, then the rest goes on.
#[tokio::test]
async fn a_mail_that_takes_the_process_along_is_left_aside() {
    let side = Side::new().await;
    for name in ["a", "b", "c"] {
        side.arrives(name);
    }
    side.fake.trick(2, super::fake::Trick::Hang, usize::MAX);
    for n in 0..3 {
        let at = now() + SignedDuration::from_mins(4 * n);
        let poller = side.poller(&Wire::new(), at);
        let ask = Ask::until(at + SignedDuration::from_hours(1));
        let mut poll = Box::pin(poller.door(&side.door, &ask));
        // It dies with the second mail under its hands.
        loop {
            assert!(futures_util::poll!(&mut poll).is_pending());
            let (state, _) = side.world.ingest.store.folder(&side.door.id, "INBOX").await.unwrap();
            let Some(state) = state else { continue };
            let tried = state.trying.filter(|trying| trying.uid == 2).map(|trying| i64::from(trying.attempts));
            if tried == Some(n + 1) {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let did = side.good(20).await;
    assert_eq!((did.taken, did.parked), (1, 1), "{did:?}");
    assert_eq!(side.entries().await, ["a", "c"]);
    assert_eq!(side.others().await, [("failed".to_owned(), "poll-attempts-used-up".to_owned())]);
    assert_eq!(side.folder("INBOX").await.1[0].next, None, "it is tried again only when somebody says so");
    side.fake.trick(2, super::fake::Trick::Hang, 0);
    let at = now() + SignedDuration::from_mins(30);
    let ask = Ask { parked: true, ..Ask::until(at + SignedDuration::from_hours(1)) };
    side.poller(&Wire::new(), at).door(&side.door, &ask).await;
    assert_eq!(side.entries().await, ["a", "b", "c"]);
}
