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
    /// Slots that answers run on.
    held: usize,
    /// The last one, between two answers.
    kept: Option<Arc<dyn Slot>>,
}

/// A slot for one answer. Drop it after the session that runs on it.
pub struct HeldSlot {
    slots: Arc<Slots>,
    slot: Arc<dyn Slot>,
}

impl Slots {
    /// Of a request with so many answers.
    pub fn new(answers: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                waiting: answers,
                held: 0,
                kept: None,
            }),
        })
    }

    /// `slot` for the next answer.
    pub fn hold(self: &Arc<Self>, slot: Arc<dyn Slot>) -> HeldSlot {
        let mut state = self.state();
        state.waiting = state.waiting.saturating_sub(1);
        state.held += 1;
        HeldSlot {
            slots: Arc::clone(self),
            slot,
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

impl HeldSlot {
    /// The slot itself.
    pub fn slot(&self) -> Arc<dyn Slot> {
        Arc::clone(&self.slot)
    }
}

impl Drop for HeldSlot {
    fn drop(&mut self) {
        let mut state = self.slots.state();
        state.held = state.held.saturating_sub(1);
        if state.held == 0 && state.waiting > 0 {
            state.kept = Some(self.slot());
        }
    }
}
