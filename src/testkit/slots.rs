use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::local::{Branch, Engine, LocalError};
use crate::vocabulary::TokenId;

/// The slots of the server: each is room for one running request.
///
/// A slot keeps its last sequence when the request ends, so that one which continues it need not start over. This is the
/// server's prefix cache: a proxy that asks for one token after the other extends the same sequence every time.
pub struct Slots {
    /// Free slots, least recently used first.
    free: Mutex<VecDeque<Slot>>,
    permits: Arc<Semaphore>,
}

/// An engine of its own, and the sequence that it holds.
struct Slot {
    engine: Engine,
    cached: Option<CachedSequence>,
}

/// A sequence that waits for its next token.
struct CachedSequence {
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
                    .map(|engine| Slot { engine, cached: None })
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
            .filter_map(|(index, slot)| slot.reusable_length(prompt).map(|length| (length, index)))
            .max()
            .map_or(0, |(_, index)| index);
        free.remove(best)
    }
}

impl Slot {
    /// Length of the cached sequence when it can be fed on to `prompt`.
    fn reusable_length(&self, prompt: &[TokenId]) -> Option<usize> {
        let cached = self.cached.as_ref()?;
        let unfed = prompt.strip_prefix(cached.ids.as_slice())?;
        (unfed.len() <= LONGEST_FEED).then_some(cached.ids.len())
    }
}

/// The sequence of a running request. Dropping it frees the slot, which keeps the sequence.
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
        if slot.reusable_length(prompt).is_none() {
            // The old sequence must be gone before the engine takes a new one.
            slot.cached = None;
            slot.cached = Some(CachedSequence {
                branch: slot.engine.open(prompt).await?,
                ids: prompt.to_vec(),
                logits: None,
            });
            return Ok(());
        }
        let length = slot.cached.as_ref().map_or(0, |cached| cached.ids.len());
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
        let cached = slot.cached.as_mut().ok_or_else(gone)?;
        if cached.logits.is_none() {
            match cached.branch.logits().await {
                Ok(step) => cached.logits = Some(step.logits),
                Err(error) => {
                    slot.cached = None;
                    return Err(error);
                }
            }
        }
        let cached = slot.cached.as_ref().ok_or_else(gone)?;
        cached.logits.as_deref().ok_or_else(gone)
    }

    /// Appends a token; the engine starts on the next position. [`Self::logits`] must have been called before.
    pub fn feed(&mut self, token: TokenId) {
        if let Some(cached) = self.slot.as_mut().and_then(|slot| slot.cached.as_mut()) {
            cached.branch.feed(&[token]);
            cached.ids.push(token);
            cached.logits = None;
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
