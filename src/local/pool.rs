use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use metrics::{describe_gauge, gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Branch, BranchPair, Engine, EngineOptions, LocalError, LocalModel, ModelSource, PairLogits, Slot};
use crate::vocabulary::TokenId;

/// How many sessions run, how many may wait, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct SlotLimits {
    /// Sessions that run at the same time. Each slot loads the model twice.
    pub slots: usize,
    /// Sessions that may wait for a slot; one more is refused.
    pub queue: usize,
    /// The longest a session waits for a slot.
    pub queue_timeout: Duration,
}

/// All slots, of two engines each. Branches of different length that wait for each other deadlock inside one engine
/// (mistral.rs 0.8.1 runs one sequence length at a time), so every branch has an engine to itself.
pub struct SlotPool {
    engines: Vec<Pair>,
    free: Mutex<Vec<usize>>,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    limits: SlotLimits,
    context_length: usize,
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
        describe_gauge!("costeer_slots", "Sessions that can run at the same time.");
        describe_gauge!("costeer_slots_busy", "Sessions that run.");
        describe_gauge!("costeer_queue_waiting", "Sessions that wait for a slot.");
        gauge!("costeer_slots").set(engines.len() as f64);
        // Seen from the beginning, and not from the first session on.
        gauge!("costeer_slots_busy").increment(0.0);
        gauge!("costeer_queue_waiting").increment(0.0);
        Ok(Arc::new(Self {
            free: Mutex::new((0..engines.len()).rev().collect()),
            permits: Arc::new(Semaphore::new(engines.len())),
            waiting: AtomicUsize::new(0),
            engines,
            limits,
            context_length,
        }))
    }

    /// A free slot, in the order of asking.
    async fn acquire(self: &Arc<Self>) -> Result<HeldSlot, LocalError> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait_for_permit().await?,
        };
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // There are as many permits as slots, and a slot goes back before its permit does.
        let index = free.ok_or_else(|| LocalError::Engine("no slot is free although one must be".into()))?;
        gauge!("costeer_slots_busy").increment(1.0);
        Ok(HeldSlot {
            pool: Arc::clone(self),
            index,
            _permit: permit,
        })
    }

    async fn wait_for_permit(&self) -> Result<OwnedSemaphorePermit, LocalError> {
        let place = Waiting::enter(&self.waiting);
        let busy = |waiting| LocalError::Busy {
            slots: self.limits.slots,
            waiting,
        };
        if place.ahead >= self.limits.queue {
            return Err(busy(place.ahead));
        }
        let permit = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(self.limits.queue_timeout, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(busy(place.ahead)),
        }
    }
}

/// A place in the queue, given up when dropped, so that a client that goes away while waiting is not counted.
struct Waiting<'a> {
    counter: &'a AtomicUsize,
    ahead: usize,
}

impl<'a> Waiting<'a> {
    fn enter(counter: &'a AtomicUsize) -> Self {
        let ahead = counter.fetch_add(1, Ordering::Relaxed);
        gauge!("costeer_queue_waiting").increment(1.0);
        Self { counter, ahead }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.counter.fetch_sub(1, Ordering::Relaxed);
        gauge!("costeer_queue_waiting").decrement(1.0);
    }
}

/// A slot in use; goes back to the pool when dropped.
struct HeldSlot {
    pool: Arc<SlotPool>,
    index: usize,
    _permit: OwnedSemaphorePermit,
}

impl Drop for HeldSlot {
    fn drop(&mut self) {
        // Fields drop after this body, so the permit follows the slot.
        let mut free = self.pool.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(self.index);
        gauge!("costeer_slots_busy").decrement(1.0);
    }
}

impl LocalModel for Arc<SlotPool> {
    fn slot(&self) -> BoxFuture<'_, Result<Arc<dyn Slot>, LocalError>> {
        async move { Ok(Arc::new(self.acquire().await?) as Arc<dyn Slot>) }.boxed()
    }

    fn context_length(&self) -> usize {
        self.context_length
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
    fn logits(&mut self) -> BoxFuture<'_, Result<PairLogits, LocalError>> {
        async move {
            let (public, private) = tokio::try_join!(self.public.logits(), self.private.logits())?;
            Ok(PairLogits { public, private })
        }
        .boxed()
    }

    fn feed(&mut self, tokens: &[TokenId]) {
        self.public.feed(tokens);
        self.private.feed(tokens);
    }
}
