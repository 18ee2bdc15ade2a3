use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::local::Slot;

/// The small model's slots that one request holds: one from its first answer to its last, so that nobody takes it in between, and more
/// for as long as nobody else wants them.
pub struct Slots {
    state: Mutex<State>,
}

struct State {
    /// Answers that have had none yet.
    waiting: usize,
    /// How many have had one.
    given: usize,
    /// Those that answers run on, by the answer's number, while others wait. When none waits, a session has its slot for itself, and may
    /// give it back before it ends.
    held: BTreeMap<usize, Arc<dyn Slot>>,
    /// The last one, between two answers.
    kept: Option<Arc<dyn Slot>>,
}

/// A slot for one answer, before its session is opened.
pub struct GivenSlot {
    /// The slot itself, for the session.
    pub slot: Arc<dyn Slot>,
    /// That the answer has it.
    pub held: HeldSlot,
}

/// That an answer has a slot. Drop it after the session that runs there.
pub struct HeldSlot {
    slots: Arc<Slots>,
    number: usize,
}

impl Slots {
    /// Of a request with so many answers.
    pub fn new(answers: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                waiting: answers,
                given: 0,
                held: BTreeMap::new(),
                kept: None,
            }),
        })
    }

    /// `slot` for the next answer.
    pub fn give(self: &Arc<Self>, slot: Arc<dyn Slot>) -> GivenSlot {
        let mut state = self.state();
        let number = state.given;
        state.given += 1;
        state.waiting = state.waiting.saturating_sub(1);
        if state.waiting > 0 {
            state.held.insert(number, Arc::clone(&slot));
        } else {
            state.held.clear();
        }
        drop(state);
        let slots = Arc::clone(self);
        GivenSlot {
            slot,
            held: HeldSlot { slots, number },
        }
    }

    /// The one that was kept for the next answer, where no answer is running.
    pub fn kept(&self) -> Option<Arc<dyn Slot>> {
        self.state().kept.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HeldSlot {
    fn drop(&mut self) {
        let mut state = self.slots.state();
        let slot = state.held.remove(&self.number);
        if state.held.is_empty() && state.waiting > 0 {
            state.kept = slot;
        }
    }
}
