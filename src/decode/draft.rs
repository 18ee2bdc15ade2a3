use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{AbortHandle, spawn};
use tokio::time::Instant;

use super::window::Outcome;
use crate::upstream::{Position, PositionRequest, Upstream, UpstreamError};
use crate::vocabulary::TokenId;

/// What the task that reads a draft says about it.
#[derive(Default)]
struct Progress {
    /// The upstream has stopped computing it.
    ended: AtomicBool,
    /// Positions that were taken from it.
    taken: AtomicUsize,
    arrivals: Mutex<Option<Arrivals>>,
}

/// When positions came.
#[derive(Clone, Copy)]
struct Arrivals {
    first: Instant,
    last: Instant,
    count: u32,
}

impl Progress {
    fn came(&self) {
        let last = Instant::now();
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, count) = arrivals.map_or((last, 0), |before| (before.first, before.count));
        *arrivals = Some(Arrivals {
            first,
            last,
            count: count + 1,
        });
    }

    fn arrivals(&self) -> Option<Arrivals> {
        *self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A continuation that the upstream is writing by itself, read in a task of its own as fast as it comes.
///
/// Its positions hold as long as every token picked in it equals its draft. Dropping it ends the request, and with it the
/// upstream's work.
pub struct Draft {
    unread: Receiver<Result<Position, UpstreamError>>,
    /// Positions that were looked at and not taken.
    at_hand: VecDeque<Result<Position, UpstreamError>>,
    progress: Arc<Progress>,
    reader: AbortHandle,
    sent: Instant,
    asked: usize,
    taken: usize,
}

impl Draft {
    /// Sends the request. Once `most_unread` positions wait to be taken, no more are read and the request is ended;
    /// those that came can still be taken.
    pub fn open(upstream: Arc<dyn Upstream>, request: PositionRequest, most_unread: usize) -> Self {
        let (sender, unread) = channel(request.window.max(1));
        let progress = Arc::new(Progress::default());
        let asked = request.window;
        let sent = Instant::now();
        let reader = spawn(read(upstream, request, most_unread, sender, Arc::clone(&progress)));
        Self {
            unread,
            at_hand: VecDeque::new(),
            progress,
            reader: reader.abort_handle(),
            sent,
            asked,
            taken: 0,
        }
    }

    /// The next position; `None` when all that came have been taken. It can be given up and called again.
    ///
    /// # Errors
    /// What the upstream or the way to it says.
    pub async fn next(&mut self) -> Option<Result<Position, UpstreamError>> {
        let position = match self.at_hand.pop_front() {
            Some(position) => Some(position),
            None => self.unread.recv().await,
        };
        self.taken += usize::from(matches!(position, Some(Ok(_))));
        self.progress.taken.store(self.taken, Ordering::Release);
        position
    }

    /// The drafted tokens of at most `most` positions that have come and were not taken.
    pub fn at_hand(&mut self, most: usize) -> Vec<TokenId> {
        while self.at_hand.len() < most {
            let Ok(position) = self.unread.try_recv() else { break };
            self.at_hand.push_back(position);
        }
        let positions = self.at_hand.iter().take(most);
        positions
            .map_while(|position| position.as_ref().ok())
            .map(|position| position.draft)
            .collect()
    }

    /// Takes the position that is at hand, unseen.
    pub fn pass_over(&mut self) {
        self.taken += usize::from(self.at_hand.pop_front().is_some());
        self.progress.taken.store(self.taken, Ordering::Release);
    }

    /// Waits until one more position is at hand than `count`, or until no more come.
    pub async fn one_more_than(&mut self, count: usize) {
        while self.at_hand.len() <= count {
            match self.unread.recv().await {
                Some(position) => self.at_hand.push_back(position),
                None => return,
            }
        }
    }

    /// Positions that were asked for and not taken.
    pub fn left(&self) -> usize {
        self.asked.saturating_sub(self.taken)
    }

    /// Positions taken so far.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Whether all positions have been taken. It does not wait, so it may miss an end that has just come.
    pub fn is_spent(&self) -> bool {
        self.taken >= self.asked || (self.at_hand.is_empty() && self.unread.is_closed() && self.unread.is_empty())
    }

    /// What this draft cost if it is dropped now; `broke` says whether the last pick differed from it. Wasted are the positions
    /// that came and were not taken, and the one that the upstream is computing. Positions on their way from a distant server
    /// cannot be seen and are not counted.
    pub fn outcome(&self, broke: bool) -> Outcome {
        let at_one_more = !self.progress.ended.load(Ordering::Acquire);
        let arrivals = self.progress.arrivals();
        Outcome {
            used: self.taken,
            unused: self.at_hand.len() + self.unread.len() + usize::from(at_one_more),
            broke,
            delay: arrivals.map(|arrivals| arrivals.first - self.sent),
            pace: arrivals
                .filter(|arrivals| arrivals.count > 1)
                .map(|arrivals| (arrivals.last - arrivals.first) / (arrivals.count - 1)),
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
    most_unread: usize,
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
        if position.is_ok() {
            progress.came();
        }
        if count == window || position.is_err() {
            progress.ended.store(true, Ordering::Release);
        }
        if sender.send(position).await.is_err() {
            return;
        }
        let unread = count.saturating_sub(progress.taken.load(Ordering::Acquire));
        if unread >= most_unread && count < window {
            return;
        }
    }
    progress.ended.store(true, Ordering::Release);
}
