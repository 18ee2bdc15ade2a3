use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{AbortHandle, spawn};

use super::window::Outcome;
use crate::upstream::{Position, PositionRequest, Upstream, UpstreamError};

/// What the task that reads a draft says about it.
#[derive(Default)]
struct Progress {
    /// The upstream has stopped computing it.
    ended: AtomicBool,
    /// Too many positions were waiting to be taken.
    overran: AtomicBool,
}

/// A continuation that the upstream is writing by itself, read in a task of its own as fast as it comes.
///
/// Its positions hold as long as every token picked in it equals its draft. Dropping it ends the request, and with it the
/// upstream's work.
pub struct Draft {
    unread: Receiver<Result<Position, UpstreamError>>,
    progress: Arc<Progress>,
    reader: AbortHandle,
    asked: usize,
    taken: usize,
}

impl Draft {
    /// Sends the request. Once `most_unread` positions wait to be taken, no more are read and the request is ended;
    /// those that came can still be taken.
    pub fn open(upstream: Arc<dyn Upstream>, request: PositionRequest, most_unread: usize) -> Self {
        let (sender, unread) = channel(most_unread.max(1));
        let progress = Arc::new(Progress::default());
        let asked = request.window;
        let reader = spawn(read(upstream, request, sender, Arc::clone(&progress)));
        Self {
            unread,
            progress,
            reader: reader.abort_handle(),
            asked,
            taken: 0,
        }
    }

    /// The next position; `None` when all that came have been taken.
    ///
    /// # Errors
    /// What the upstream or the way to it says.
    pub async fn next(&mut self) -> Option<Result<Position, UpstreamError>> {
        let position = self.unread.recv().await;
        self.taken += usize::from(matches!(position, Some(Ok(_))));
        position
    }

    /// Positions taken so far.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Whether all positions have been taken. It does not wait, so it may miss an end that has just come.
    pub fn is_spent(&self) -> bool {
        self.taken >= self.asked || (self.unread.is_closed() && self.unread.is_empty())
    }

    /// What this draft cost if it is dropped now. Wasted are the positions that came and were not taken, and the one that the
    /// upstream is computing. Positions on their way from a distant server cannot be seen and are not counted.
    pub fn outcome(&self) -> Outcome {
        let at_one_more = !self.progress.ended.load(Ordering::Acquire);
        Outcome {
            used: self.taken,
            unused: self.unread.len() + usize::from(at_one_more),
            ran_ahead: self.progress.overran.load(Ordering::Acquire),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Hands on at most as many positions as were asked for, whatever the upstream sends.
async fn read(
    upstream: Arc<dyn Upstream>,
    request: PositionRequest,
    sender: Sender<Result<Position, UpstreamError>>,
    progress: Arc<Progress>,
) {
    let window = request.window;
    let mut positions = match upstream.positions(request).await {
        Ok(positions) => positions.take(window),
        Err(error) => {
            progress.ended.store(true, Ordering::Release);
            // It fails only where the draft has been dropped.
            let _unheard = sender.send(Err(error)).await;
            return;
        }
    };
    let mut count = 0;
    while let Some(position) = positions.next().await {
        count += 1;
        if count == window || position.is_err() {
            progress.ended.store(true, Ordering::Release);
        }
        if sender.send(position).await.is_err() {
            return;
        }
        if sender.capacity() == 0 && count < window {
            progress.overran.store(true, Ordering::Release);
            return;
        }
    }
    progress.ended.store(true, Ordering::Release);
}
