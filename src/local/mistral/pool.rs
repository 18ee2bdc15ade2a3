use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Branch, Engine, EngineOptions};
use crate::local::places::{Place, Places};
use crate::local::{BranchPair, LocalError, LocalModel, ModelSource, Owner, PairLogits, Rows, Slot, SlotLimits};
use crate::vocabulary::TokenId;

/// All slots, of two engines each. Branches of different length that wait for each other deadlock inside one engine
/// (mistral.rs 0.8.1 runs one sequence length at a time), so every branch has an engine to itself.
pub struct SlotPool {
    engines: Vec<Pair>,
    free: Mutex<Vec<usize>>,
    places: Places,
    context_length: usize,
    description: String,
}

struct Pair {
    public: Engine,
    private: Engine,
}

impl SlotPool {
    /// Loads all engines, one after the other. `context_length` is what the model's own files say, for engines that do
    /// not.
    ///
    /// # Errors
    /// [`LocalError::Load`] when an engine cannot be loaded.
    pub async fn load(
        source: &ModelSource,
        options: &EngineOptions,
        limits: SlotLimits,
        stop: TokenId,
        context_length: Option<usize>,
    ) -> Result<Arc<Self>, LocalError> {
        let mut engines = Vec::with_capacity(limits.slots);
        for _ in 0..limits.slots {
            engines.push(Pair {
                public: Engine::load(source, options, stop).await?,
                private: Engine::load(source, options, stop).await?,
            });
        }
        let known = engines.first().and_then(|pair| pair.public.context_length());
        let context_length = known.or(context_length).ok_or_else(|| LocalError::Load {
            setting: source.setting(),
            value: source.written().to_owned(),
            reason: "nothing says how many tokens it can hold (max_position_embeddings in config.json)".into(),
        })?;
        Ok(Arc::new(Self {
            free: Mutex::new((0..engines.len()).rev().collect()),
            places: Places::new(limits),
            description: format!("mistral.rs, {} engines", 2 * engines.len()),
            engines,
            context_length,
        }))
    }

    /// A free slot, in the order of asking.
    async fn acquire(self: &Arc<Self>) -> Result<HeldSlot, LocalError> {
        self.held(self.places.take().await?)
    }

    fn held(self: &Arc<Self>, place: Place) -> Result<HeldSlot, LocalError> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // There are as many places as slots, and a slot goes back before its place does.
        let index = free.ok_or_else(|| LocalError::Engine("no slot is free although one must be".into()))?;
        Ok(HeldSlot {
            pool: Arc::clone(self),
            index,
            _place: place,
        })
    }
}

/// A slot in use; goes back to the pool when dropped.
struct HeldSlot {
    pool: Arc<SlotPool>,
    index: usize,
    _place: Place,
}

impl Drop for HeldSlot {
    fn drop(&mut self) {
        // Fields drop after this body, so the place follows the slot.
        let mut free = self.pool.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(self.index);
    }
}

impl LocalModel for Arc<SlotPool> {
    /// These engines remember no prompts, so it does not matter whose they are.
    fn slot(&self, _owner: Owner) -> BoxFuture<'_, Result<Arc<dyn Slot>, LocalError>> {
        async move { Ok(Arc::new(self.acquire().await?) as Arc<dyn Slot>) }.boxed()
    }

    fn free_slot(&self, _owner: Owner) -> Option<Arc<dyn Slot>> {
        let slot = self.held(self.places.take_free()?).ok()?;
        Some(Arc::new(slot))
    }

    fn context_length(&self) -> usize {
        self.context_length
    }

    fn description(&self) -> String {
        self.description.clone()
    }
}

impl Slot for HeldSlot {
    fn open<'a>(
        self: Arc<Self>,
        public: &'a [TokenId],
        private: &'a [TokenId],
    ) -> BoxFuture<'a, Result<Box<dyn BranchPair>, LocalError>> {
        async move {
            let pool = Arc::clone(&self.pool);
            let pair = pool
                .engines
                .get(self.index)
                .ok_or_else(|| LocalError::Engine("a slot without engines".into()))?;
            let session = SlotSession {
                public: pair.public.open(public).await?,
                private: pair.private.open(private).await?,
                _slot: self,
            };
            Ok(Box::new(session) as Box<dyn BranchPair>)
        }
        .boxed()
    }
}

/// Branches drop before the slot: whoever gets the slot next finds both engines about to stop.
struct SlotSession {
    public: Branch,
    private: Branch,
    _slot: Arc<HeldSlot>,
}

impl BranchPair for SlotSession {
    /// The engine gives one row at a time, so `rows` is 1.
    fn extend(&mut self, tokens: &[TokenId], _rows: usize) {
        self.public.feed(tokens);
        self.private.feed(tokens);
    }

    fn logits(&mut self) -> BoxFuture<'_, Result<Rows, LocalError>> {
        async move {
            // One after the other: both compute all the while, and whichever has come is kept when this is given up.
            self.public.wait().await?;
            self.private.wait().await?;
            let (public, private) = (self.public.take()?, self.private.take()?);
            Ok(Rows {
                compute: public.compute.max(private.compute),
                positions: vec![PairLogits {
                    public: public.logits,
                    private: private.logits,
                }],
            })
        }
        .boxed()
    }

    /// Nothing uncertain is ever appended, see [`Self::max_block`].
    fn truncate(&mut self, _answer: usize) {}

    fn max_block(&self) -> usize {
        1
    }
}
