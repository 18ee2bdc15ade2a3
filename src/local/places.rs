use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metrics::{describe_gauge, gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::LocalError;

/// How many sessions run, how many may wait, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct SlotLimits {
    /// Sessions that run at the same time.
    pub slots: usize,
    /// Sessions that may wait for a slot; one more is refused.
    pub queue: usize,
    /// The longest a session waits for a slot.
    pub queue_timeout: Duration,
}

/// The slots of a model as numbers: who gets one, in the order of asking, and who waits.
pub struct Places {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    limits: SlotLimits,
}

impl Places {
    /// All free.
    pub fn new(limits: SlotLimits) -> Self {
        describe_gauge!("costeer_slots", "Sessions that can run at the same time.");
        describe_gauge!("costeer_slots_busy", "Sessions that run.");
        describe_gauge!("costeer_queue_waiting", "Sessions that wait for a slot.");
        gauge!("costeer_slots").set(limits.slots as f64);
        // Seen from the beginning, and not from the first session on.
        gauge!("costeer_slots_busy").increment(0.0);
        gauge!("costeer_queue_waiting").increment(0.0);
        Self {
            permits: Arc::new(Semaphore::new(limits.slots)),
            waiting: AtomicUsize::new(0),
            limits,
        }
    }

    /// A place, free again when it is dropped.
    ///
    /// # Errors
    /// [`LocalError::Busy`] when too many wait already, or waiting took too long.
    pub async fn take(&self) -> Result<Place, LocalError> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait().await?,
        };
        gauge!("costeer_slots_busy").increment(1.0);
        Ok(Place { _permit: permit })
    }

    /// A place that is free now and that nobody waits for.
    pub fn take_free(&self) -> Option<Place> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        gauge!("costeer_slots_busy").increment(1.0);
        Some(Place { _permit: permit })
    }

    async fn wait(&self) -> Result<OwnedSemaphorePermit, LocalError> {
        let waiting = Waiting::enter(&self.waiting);
        let busy = |waiting| LocalError::Busy {
            slots: self.limits.slots,
            waiting,
        };
        if waiting.ahead >= self.limits.queue {
            return Err(busy(waiting.ahead));
        }
        let permit = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(self.limits.queue_timeout, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(busy(waiting.ahead)),
        }
    }
}

/// A session's place; free again when dropped.
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        gauge!("costeer_slots_busy").decrement(1.0);
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
