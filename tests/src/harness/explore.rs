//! Runs actors in every order in which their DynamoDB calls can reach the table.
//!
//! Each actor has a wire with a gate. The rule: **a choice is made only when every actor is either finished or stands at its
//! gate with nothing else under way; then one call of one actor is let go, and the next choice waits for its answer.** So at
//! most one gated call is on the wire at any time, and a run is fully described by its list of choices. An actor that
//! computes, or waits for S3 (not gated: one object has one writer and never changes), is simply waited for. Calls that an
//! actor joins park together and are let go in the order they were begun, other actors' calls between them.
//!
//! All actors are polled by one task, in turn, and only when woken. An actor is idle when it was polled and has not been
//! woken since; because tokio delivers some wakes late (`yield_now`, its cooperative budget), a choice is confirmed by a
//! second look after a yield of our own. That makes the rule sound on any runtime, as long as actors do not spawn tasks
//! that make calls. An actor that waits for another one other than by the table (a lock held across a call), or keeps a call
//! without polling it (the loser of a `select`), brings the race to a standstill, which fails it: give each actor clients
//! and caches of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::task::AtomicWaker;

use super::fault::Dice;
use super::gate::Gate;
use super::wire::Wire;

/// Far above what any race takes; it only turns a test that would hang into one that fails.
const STANDSTILL: Duration = Duration::from_secs(60);

/// What an exploration has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Visited {
    pub(crate) interleavings: usize,
    /// Whether these were all; false where the cap cut it short.
    pub(crate) complete: bool,
}

/// Runs `run` once for each interleaving, at most `cap` times. Each run makes its own world, a wire for each actor, races
/// them, and checks what came out; a failed check prints the order that led to it.
pub(crate) async fn explore(cap: usize, mut run: impl AsyncFnMut(&mut Race)) -> Visited {
    let mut interleavings = 0;
    let mut plan = Vec::new();
    loop {
        let mut race = Race::new(plan, None);
        run(&mut race).await;
        interleavings += 1;
        plan = race.into_choices();
        while plan.last().is_some_and(|last| last.taken + 1 == last.options.len()) {
            plan.pop();
        }
        let Some(last) = plan.last_mut() else { return Visited { interleavings, complete: true } };
        last.taken += 1;
        if interleavings == cap {
            return Visited { interleavings, complete: false };
        }
    }
}

/// Runs `run` in `runs` random orders: for more actors than can be explored.
pub(crate) async fn walk(seed: u64, runs: usize, mut run: impl AsyncFnMut(&mut Race)) {
    for number in 0..runs {
        let seed = seed.wrapping_add(u64::try_from(number).unwrap());
        let mut race = Race::new(Vec::new(), Some(Dice::new(seed)));
        run(&mut race).await;
        race.into_choices();
    }
}

/// One choice: which actors could go (and with what call), and who went.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    options: Vec<(usize, String)>,
    taken: usize,
}

/// One run: hands out the actors' wires, then races them along its plan and beyond.
pub(crate) struct Race {
    gates: Vec<Gate>,
    /// Choices to repeat; beyond them the dice or the first actor that can go.
    plan: Vec<Choice>,
    dice: Option<Dice>,
    choices: Vec<Choice>,
    raced: bool,
}

impl Race {
    fn new(plan: Vec<Choice>, dice: Option<Dice>) -> Self {
        Self { gates: Vec::new(), plan, dice, choices: Vec::new(), raced: false }
    }

    /// The wire of the next actor: the first call gives that of the first future in [`Race::run`], and so on.
    pub(crate) fn wire(&mut self) -> Wire {
        let gate = Gate::default();
        self.gates.push(gate.clone());
        Wire::gated(gate)
    }

    /// Races the actors until all have finished; their outputs in order.
    pub(crate) async fn run<F: Future>(&mut self, actors: impl IntoIterator<Item = F>) -> Vec<F::Output> {
        assert!(!self.raced, "one race a run");
        self.raced = true;
        let task = Arc::new(AtomicWaker::new());
        let mut actors: Vec<Actor<F>> = actors.into_iter().map(|future| Actor::new(future, &task)).collect();
        assert_eq!(actors.len(), self.gates.len(), "each actor has one wire");
        let mut second_look: Option<Nudge> = None;
        let race = std::future::poll_fn(|cx| {
            task.register(cx.waker());
            loop {
                let moved = actors.iter_mut().map(Actor::advance).filter(|moved| *moved).count();
                if moved > 0 {
                    second_look = None;
                    continue;
                }
                if actors.iter().all(Actor::is_finished) {
                    return Poll::Ready(());
                }
                let Some(options) = self.options(&actors) else { return Poll::Pending };
                match second_look.as_ref().map(Nudge::delivered) {
                    None => second_look = Some(Nudge::after_a_yield(&task)),
                    Some(false) => return Poll::Pending,
                    Some(true) => {
                        second_look = None;
                        self.choose(options);
                    }
                }
            }
        });
        tokio::time::timeout(STANDSTILL, race).await.expect("the race stands still: an actor waits, not for the wire");
        actors.into_iter().map(|actor| actor.output.expect("all have finished")).collect()
    }

    /// Who can go, or `None` while somebody is neither parked nor finished.
    fn options<F: Future>(&self, actors: &[Actor<F>]) -> Option<Vec<(usize, String)>> {
        let mut options = Vec::new();
        for (index, (actor, gate)) in actors.iter().zip(&self.gates).enumerate() {
            if gate.is_busy() {
                return None;
            }
            match gate.first() {
                Some(name) => options.push((index, name)),
                None if actor.is_finished() => {}
                None => return None,
            }
        }
        (!options.is_empty()).then_some(options)
    }

    fn choose(&mut self, options: Vec<(usize, String)>) {
        let planned = self.plan.get(self.choices.len());
        if let Some(planned) = planned {
            assert_eq!(planned.options, options, "the run does not repeat: something but the schedule decides");
        }
        let taken = match (planned, &mut self.dice) {
            (Some(planned), _) => planned.taken,
            (None, Some(dice)) => dice.roll(options.len()),
            (None, None) => 0,
        };
        let (actor, _) = options[taken];
        self.choices.push(Choice { options, taken });
        self.gates[actor].release();
    }

    fn into_choices(mut self) -> Vec<Choice> {
        assert!(self.raced, "a run races its actors");
        std::mem::take(&mut self.choices)
    }
}

impl Drop for Race {
    /// A failed check is of use only with the order that led to it.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        eprintln!("the order of this run:");
        for choice in &self.choices {
            let (actor, call) = &choice.options[choice.taken];
            eprintln!("  actor {actor}: {call}");
        }
    }
}

struct Actor<F: Future> {
    future: Option<Pin<Box<F>>>,
    output: Option<F::Output>,
    nudge: Nudge,
}

impl<F: Future> Actor<F> {
    fn new(future: F, task: &Arc<AtomicWaker>) -> Self {
        Self { future: Some(Box::pin(future)), output: None, nudge: Nudge::new(task, true) }
    }

    /// Polls the actor if it was woken; says whether it was.
    fn advance(&mut self) -> bool {
        let Some(future) = &mut self.future else { return false };
        if !self.nudge.take() {
            return false;
        }
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&self.nudge.waker())) {
            self.output = Some(output);
            self.future = None;
        }
        true
    }

    fn is_finished(&self) -> bool {
        self.future.is_none()
    }
}

/// Remembers that it was woken, and wakes the task that polls everybody.
struct Nudge(Arc<NudgeState>);

struct NudgeState {
    woken: AtomicBool,
    task: Arc<AtomicWaker>,
}

impl Nudge {
    fn new(task: &Arc<AtomicWaker>, woken: bool) -> Self {
        Self(Arc::new(NudgeState { woken: AtomicBool::new(woken), task: Arc::clone(task) }))
    }

    /// One that tokio delivers after every wake it has put off until now.
    fn after_a_yield(task: &Arc<AtomicWaker>) -> Self {
        let nudge = Self::new(task, false);
        let pause = std::pin::pin!(tokio::task::yield_now());
        let _ = pause.poll(&mut Context::from_waker(&nudge.waker()));
        nudge
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    fn take(&self) -> bool {
        self.0.woken.swap(false, Ordering::AcqRel)
    }

    fn delivered(&self) -> bool {
        self.0.woken.load(Ordering::Acquire)
    }
}

impl Wake for NudgeState {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.task.wake();
    }
}
