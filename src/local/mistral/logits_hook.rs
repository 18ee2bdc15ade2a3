use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use mistralrs::{CustomLogitsProcessor, Device, Tensor};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::vocabulary::TokenId;

/// What a sequence says about one position.
pub struct BranchLogits {
    /// Raw logits, shape `[vocabulary]` (padding rows included).
    pub logits: Vec<f32>,
    /// How long the engine computed for them.
    pub compute: Duration,
}

/// The hook inside a mistral.rs sequence: hands out the logits of each position, waits for the picked token, and
/// answers with logits that leave the sampler no other choice. The KV cache stays inside mistral.rs.
///
/// Waiting here blocks the engine's own thread, which is safe as long as the engine runs this sequence alone: two or more
/// sequences are sampled on the global rayon pool, and waiting there would starve everything else. [`super::Engine::open`]
/// sees to that.
pub struct LogitsHook {
    logits: UnboundedSender<BranchLogits>,
    engine_side: Mutex<EngineSide>,
    stop: TokenId,
}

/// What `apply` needs mutably. Only the engine's thread ever locks it.
struct EngineSide {
    picks: mpsc::Receiver<TokenId>,
    computing_since: Instant,
}

/// The other side of a [`LogitsHook`].
pub struct HookHandle {
    /// Logits as they come; ends when the sequence ends.
    pub logits: UnboundedReceiver<BranchLogits>,
    /// Picked tokens. Dropping it ends the sequence at its next position.
    pub picks: mpsc::Sender<TokenId>,
}

impl LogitsHook {
    /// A hook that ends its sequence by forcing `stop`, which must be an end-of-sequence token of the model.
    pub fn new(stop: TokenId) -> (Self, HookHandle) {
        let (logits, logits_out) = unbounded_channel();
        let (picks_in, picks) = mpsc::channel();
        let hook = Self {
            logits,
            engine_side: Mutex::new(EngineSide {
                picks,
                computing_since: Instant::now(),
            }),
            stop,
        };
        let handle = HookHandle {
            logits: logits_out,
            picks: picks_in,
        };
        (hook, handle)
    }

    fn next_pick(&self, logits: Vec<f32>) -> TokenId {
        let mut engine_side = self.engine_side.lock().unwrap_or_else(PoisonError::into_inner);
        let compute = engine_side.computing_since.elapsed();
        if self.logits.send(BranchLogits { logits, compute }).is_err() {
            return self.stop;
        }
        // An error means that the session is over: its handle is gone.
        let pick = engine_side.picks.recv().unwrap_or(self.stop);
        engine_side.computing_since = Instant::now();
        pick
    }
}

impl CustomLogitsProcessor for LogitsHook {
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
        if let Some(logit) = forced.get_mut(index) {
            *logit = 0.0;
        }
        Tensor::from_vec(forced, vocabulary, &Device::Cpu)
    }
}
