use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use metrics::{describe_gauge, gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Branch, BranchPair, Engine, EngineOptions, Lane, LocalError, LocalModel, ModelSource, PairStep};
use crate::vocabulary::TokenId;

/// How many sessions run, how many may wait, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct LaneLimits {
    /// Sessions that run at the same time. Each lane loads the model twice.
    pub lanes: usize,
    /// Sessions that may wait for a lane; one more is refused.
    pub queue: usize,
    /// The longest a session waits for a lane.
    pub patience: Duration,
}

/// Lanes of two engines each. Branches of different length that wait for each other deadlock inside one engine
/// (mistral.rs 0.8.1 runs one sequence length at a time), so every branch has an engine to itself.
pub struct Lanes {
    engines: Vec<Pair>,
    free: Mutex<Vec<usize>>,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    limits: LaneLimits,
    context_length: usize,
}

struct Pair {
    public: Engine,
    private: Engine,
}

impl Lanes {
    /// Loads all engines, one after the other. `context_length` is what the model's own files say, for engines that do
    /// not.
    ///
    /// # Errors
    /// [`LocalError::Load`] when an engine cannot be loaded.
    pub async fn load(
        source: &ModelSource,
        options: &EngineOptions,
        limits: LaneLimits,
        stop: TokenId,
        context_length: Option<usize>,
    ) -> Result<Arc<Self>, LocalError> {
        let mut engines = Vec::with_capacity(limits.lanes);
        for _ in 0..limits.lanes {
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
        describe_gauge!("costeer_lanes", "Sessions that can run at the same time.");
        describe_gauge!("costeer_lanes_busy", "Sessions that run.");
        describe_gauge!("costeer_queue_waiting", "Sessions that wait for a lane.");
        gauge!("costeer_lanes").set(engines.len() as f64);
        // Seen from the beginning, and not from the first session on.
        gauge!("costeer_lanes_busy").increment(0.0);
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

    /// A free lane, in the order of asking.
    async fn acquire(self: &Arc<Self>) -> Result<HeldLane, LocalError> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait_for_permit().await?,
        };
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // There are as many permits as lanes, and a lane goes back before its permit does.
        let index = free.ok_or_else(|| LocalError::Engine("no lane is free although one must be".into()))?;
        gauge!("costeer_lanes_busy").increment(1.0);
        Ok(HeldLane {
            lanes: Arc::clone(self),
            index,
            _permit: permit,
        })
    }

    async fn wait_for_permit(&self) -> Result<OwnedSemaphorePermit, LocalError> {
        let place = Waiting::enter(&self.waiting);
        let busy = |waiting| LocalError::Busy {
            lanes: self.limits.lanes,
            waiting,
        };
        if place.ahead >= self.limits.queue {
            return Err(busy(place.ahead));
        }
        let permit = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(self.limits.patience, permit).await {
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

/// A lane in use; goes back to the pool when dropped.
struct HeldLane {
    lanes: Arc<Lanes>,
    index: usize,
    _permit: OwnedSemaphorePermit,
}

impl Drop for HeldLane {
    fn drop(&mut self) {
        // Fields drop after this body, so the permit follows the lane.
        let mut free = self.lanes.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(self.index);
        gauge!("costeer_lanes_busy").decrement(1.0);
    }
}

impl LocalModel for Arc<Lanes> {
    fn lane(&self) -> BoxFuture<'_, Result<Arc<dyn Lane>, LocalError>> {
        async move { Ok(Arc::new(self.acquire().await?) as Arc<dyn Lane>) }.boxed()
    }

    fn context_length(&self) -> usize {
        self.context_length
    }
}

impl Lane for HeldLane {
    fn open<'a>(
        self: Arc<Self>,
        public: &'a [TokenId],
        private: &'a [TokenId],
    ) -> BoxFuture<'a, Result<Box<dyn BranchPair>, LocalError>> {
        async move {
            let lanes = Arc::clone(&self.lanes);
            let pair = lanes
                .engines
                .get(self.index)
                .ok_or_else(|| LocalError::Engine("a lane without engines".into()))?;
            let session = LaneSession {
                public: pair.public.open(public).await?,
                private: pair.private.open(private).await?,
                _lane: self,
            };
            Ok(Box::new(session) as Box<dyn BranchPair>)
        }
        .boxed()
    }
}

/// Branches drop before the lane: whoever gets the lane next finds both engines about to stop.
struct LaneSession {
    public: Branch,
    private: Branch,
    _lane: Arc<HeldLane>,
}

impl BranchPair for LaneSession {
    fn logits(&mut self) -> BoxFuture<'_, Result<PairStep, LocalError>> {
        async move {
            let (public, private) = tokio::try_join!(self.public.logits(), self.private.logits())?;
            Ok(PairStep { public, private })
        }
        .boxed()
    }

    fn feed(&mut self, tokens: &[TokenId]) {
        self.public.feed(tokens);
        self.private.feed(tokens);
    }
}
