use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::local::{Branch, Engine, LocalError};
use crate::vocabulary::TokenId;

/// Engines that each keep their last sequence open, so that a request which continues it need not start over.
///
/// This is the prefix cache of the server: a proxy that asks for one token after the other extends the same sequence
/// every time.
pub struct Slots {
    /// Free slots, least recently used first.
    free: Mutex<VecDeque<Slot>>,
    permits: Arc<Semaphore>,
}

struct Slot {
    engine: Engine,
    parked: Option<Parked>,
}

/// A sequence that waits for its next token.
struct Parked {
    branch: Branch,
    ids: Vec<TokenId>,
    /// Logits of the position after `ids`, once they have been taken from the branch.
    logits: Option<Vec<f32>>,
}

/// Feeding costs one step a token, a prompt is computed in one go: beyond this many tokens starting over is cheaper.
const LONGEST_FEED: usize = 16;

impl Slots {
    /// One slot for each engine.
    pub fn new(engines: Vec<Engine>) -> Arc<Self> {
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(engines.len())),
            free: Mutex::new(
                engines
                    .into_iter()
                    .map(|engine| Slot { engine, parked: None })
                    .collect(),
            ),
        })
    }

    /// A sequence that stands right after `prompt`; waits until a slot is free.
    ///
    /// # Errors
    /// A [`LocalError`] when the engine refuses.
    pub async fn open(self: &Arc<Self>, prompt: &[TokenId]) -> Result<Sequence, LocalError> {
        let no_slot = || LocalError::Engine("no slot is free although one must be".into());
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| no_slot())?;
        let slot = self.take_best(prompt).ok_or_else(no_slot)?;
        let mut sequence = Sequence {
            slots: Arc::clone(self),
            slot: Some(slot),
            _permit: permit,
        };
        sequence.advance_to(prompt).await?;
        Ok(sequence)
    }

    /// The free slot whose sequence is the longest beginning of `prompt`; the least recently used where none is.
    fn take_best(&self, prompt: &[TokenId]) -> Option<Slot> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let best = free
            .iter()
            .enumerate()
            .filter_map(|(index, slot)| slot.reusable(prompt).map(|length| (length, index)))
            .max()
            .map_or(0, |(_, index)| index);
        free.remove(best)
    }
}

impl Slot {
    /// Length of the parked sequence when it can be fed on to `prompt`.
    fn reusable(&self, prompt: &[TokenId]) -> Option<usize> {
        let parked = self.parked.as_ref()?;
        let rest = prompt.strip_prefix(parked.ids.as_slice())?;
        (rest.len() <= LONGEST_FEED).then_some(parked.ids.len())
    }
}

/// A sequence in use; its slot goes back, sequence and all, when it is dropped.
pub struct Sequence {
    slots: Arc<Slots>,
    /// Taken out only while dropping.
    slot: Option<Slot>,
    _permit: OwnedSemaphorePermit,
}

impl Sequence {
    async fn advance_to(&mut self, prompt: &[TokenId]) -> Result<(), LocalError> {
        let Some(slot) = &mut self.slot else {
            return Err(gone());
        };
        if slot.reusable(prompt).is_none() {
            // The old sequence must be gone before the engine takes a new one.
            slot.parked = None;
            slot.parked = Some(Parked {
                branch: slot.engine.open(prompt).await?,
                ids: prompt.to_vec(),
                logits: None,
            });
            return Ok(());
        }
        let length = slot.parked.as_ref().map_or(0, |parked| parked.ids.len());
        for token in prompt.iter().skip(length) {
            self.logits().await?;
            self.feed(*token);
        }
        Ok(())
    }

    /// Raw logits of the next position, shape `[vocabulary]`.
    ///
    /// # Errors
    /// A [`LocalError`] when the engine failed; the slot starts over next time.
    pub async fn logits(&mut self) -> Result<&[f32], LocalError> {
        let slot = self.slot.as_mut().ok_or_else(gone)?;
        let parked = slot.parked.as_mut().ok_or_else(gone)?;
        if parked.logits.is_none() {
            match parked.branch.logits().await {
                Ok(step) => parked.logits = Some(step.logits),
                Err(error) => {
                    slot.parked = None;
                    return Err(error);
                }
            }
        }
        let parked = slot.parked.as_ref().ok_or_else(gone)?;
        parked.logits.as_deref().ok_or_else(gone)
    }

    /// Appends a token; the engine starts on the next position. [`Self::logits`] must have been called before.
    pub fn feed(&mut self, token: TokenId) {
        if let Some(parked) = self.slot.as_mut().and_then(|slot| slot.parked.as_mut()) {
            parked.branch.feed(&[token]);
            parked.ids.push(token);
            parked.logits = None;
        }
    }
}

impl Drop for Sequence {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            let mut free = self.slots.free.lock().unwrap_or_else(PoisonError::into_inner);
            free.push_back(slot);
        }
    }
}

fn gone() -> LocalError {
    LocalError::Engine("the sequence is gone".into())
}
