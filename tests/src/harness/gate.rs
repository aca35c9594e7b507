//! Where one actor's calls wait until the schedule lets them go.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;

use super::call::Call;

/// One actor's gate: its wire parks calls, [`super::explore::Race`] releases them one at a time.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<Traffic>>);

#[derive(Default)]
struct Traffic {
    /// Calls begun, neither parked nor complete.
    busy: usize,
    parked: VecDeque<Parked>,
    next_id: usize,
}

struct Parked {
    id: usize,
    name: String,
    go: oneshot::Sender<()>,
}

impl Gate {
    /// A call begins. It counts as busy while the answer is alive, except while it is parked.
    pub(super) fn begin(&self) -> UnderWay {
        self.traffic().busy += 1;
        UnderWay { gate: self.clone() }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.traffic().busy > 0
    }

    /// The name of the call that [`Gate::release`] would let go: the one that was parked first.
    pub(super) fn first(&self) -> Option<String> {
        self.traffic().parked.front().map(|parked| parked.name.clone())
    }

    pub(super) fn release(&self) {
        let mut traffic = self.traffic();
        let parked = traffic.parked.pop_front().expect("only parked calls are released");
        traffic.busy += 1;
        parked.go.send(()).expect("a cancelled call leaves its gate");
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.0.lock().unwrap()
    }
}

/// A call that is under way, until dropped.
pub(super) struct UnderWay {
    gate: Gate,
}

impl UnderWay {
    pub(super) async fn park(&self, call: &Call) {
        let (go, released) = oneshot::channel();
        let _place = {
            let mut traffic = self.gate.traffic();
            traffic.next_id += 1;
            let id = traffic.next_id;
            traffic.busy -= 1;
            traffic.parked.push_back(Parked { id, name: format!("{} {}", call.operation, call.target), go });
            Place { gate: &self.gate, id }
        };
        released.await.expect("a gate outlives its calls");
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.gate.traffic().busy -= 1;
    }
}

/// A parked call's place; a caller that gives the call up leaves it, and is busy again for its last instant.
struct Place<'a> {
    gate: &'a Gate,
    id: usize,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut traffic = self.gate.traffic();
        let before = traffic.parked.len();
        traffic.parked.retain(|parked| parked.id != self.id);
        if traffic.parked.len() < before {
            traffic.busy += 1;
        }
    }
}
