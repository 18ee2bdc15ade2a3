use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Instant;

use mistralrs::{CustomLogitsProcessor, Device, Tensor};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::contract::Step;
use crate::vocabulary::TokenId;

/// The hook inside a mistral.rs sequence: hands out the logits of each position, waits for the picked token, and
/// answers with logits that leave the sampler no other choice. The KV cache stays inside mistral.rs.
///
/// Waiting here blocks the engine's own thread, which is safe as long as the engine runs this sequence alone: two or more
/// sequences are sampled on the global rayon pool, and waiting there would starve everything else. [`super::Engine::open`]
/// sees to that.
pub struct Gate {
    steps: UnboundedSender<Step>,
    seat: Mutex<Seat>,
    stop: TokenId,
}

/// What `apply` needs mutably. Only the engine's thread ever locks it.
struct Seat {
    picks: mpsc::Receiver<TokenId>,
    computing_since: Instant,
}

/// The other side of a [`Gate`].
pub struct GateHandle {
    /// Logits as they come; ends when the sequence ends.
    pub steps: UnboundedReceiver<Step>,
    /// Picked tokens. Dropping it ends the sequence at its next position.
    pub picks: mpsc::Sender<TokenId>,
}

impl Gate {
    /// A gate that ends its sequence by forcing `stop`, which must be an end-of-sequence token of the model.
    pub fn new(stop: TokenId) -> (Self, GateHandle) {
        let (steps, steps_out) = unbounded_channel();
        let (picks_in, picks) = mpsc::channel();
        let gate = Self {
            steps,
            seat: Mutex::new(Seat {
                picks,
                computing_since: Instant::now(),
            }),
            stop,
        };
        let handle = GateHandle {
            steps: steps_out,
            picks: picks_in,
        };
        (gate, handle)
    }

    fn next_pick(&self, logits: Vec<f32>) -> TokenId {
        let mut seat = self.seat.lock().unwrap_or_else(PoisonError::into_inner);
        let compute = seat.computing_since.elapsed();
        if self.steps.send(Step { logits, compute }).is_err() {
            return self.stop;
        }
        // An error means that the session is over: its handle is gone.
        let pick = seat.picks.recv().unwrap_or(self.stop);
        seat.computing_since = Instant::now();
        pick
    }
}

impl CustomLogitsProcessor for Gate {
    fn apply(&self, logits: &Tensor, _context: &[u32]) -> mistralrs::Result<Tensor> {
        let row: Vec<f32> = logits.to_vec1()?;
        let vocabulary = row.len();
        let pick = self.next_pick(row);
        let mut forced = vec![f32::NEG_INFINITY; vocabulary];
        // A pick outside the model's rows cannot be fed; ending the sequence is the only honest answer left.
        let index = if pick.index() < vocabulary {
            pick.index()
        } else {
            self.stop.index()
        };
        if let Some(slot) = forced.get_mut(index) {
            *slot = 0.0;
        }
        Tensor::from_vec(forced, vocabulary, &Device::Cpu)
    }
}
