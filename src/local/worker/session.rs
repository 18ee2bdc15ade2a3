use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use zeroize::Zeroizing;

use super::command::{Command, Holder, Prompts};
use crate::local::places::{Place, Places};
use crate::local::{BranchPair, LocalError, LocalModel, Owner, Rows, Slot, SlotLimits};
use crate::vocabulary::TokenId;

/// A model that a worker runs: what sessions see of it.
pub struct WorkerModel {
    commands: Sender<Command>,
    places: Places,
    holders: AtomicU64,
    window: usize,
    max_block: usize,
    description: String,
}

/// The bounds of a [`WorkerModel`].
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Who may run and wait.
    pub limits: SlotLimits,
    /// Tokens a branch can hold, prompt and answer together.
    pub window: usize,
    /// Positions to compute in one pass.
    pub max_block: usize,
}

impl WorkerModel {
    /// Of the worker that `commands` lead to.
    pub fn new(commands: Sender<Command>, bounds: Bounds, description: String) -> Self {
        Self {
            commands,
            places: Places::new(bounds.limits),
            holders: AtomicU64::new(0),
            window: bounds.window,
            max_block: bounds.max_block,
            description,
        }
    }

    fn held(&self, owner: Owner, place: Place) -> Arc<dyn Slot> {
        Arc::new(HeldSlot {
            commands: self.commands.clone(),
            holder: Holder(self.holders.fetch_add(1, Ordering::Relaxed)),
            owner,
            max_block: self.max_block,
            _place: place,
        })
    }
}

impl LocalModel for WorkerModel {
    fn slot(&self, owner: Owner) -> BoxFuture<'_, Result<Arc<dyn Slot>, LocalError>> {
        async move { Ok(self.held(owner, self.places.take().await?)) }.boxed()
    }

    fn free_slot(&self, owner: Owner) -> Option<Arc<dyn Slot>> {
        Some(self.held(owner, self.places.take_free()?))
    }

    fn context_length(&self) -> usize {
        self.window
    }

    fn description(&self) -> String {
        self.description.clone()
    }
}

struct HeldSlot {
    commands: Sender<Command>,
    holder: Holder,
    owner: Owner,
    max_block: usize,
    _place: Place,
}

impl Drop for HeldSlot {
    fn drop(&mut self) {
        // A worker that is gone holds no slots. Fields drop after this body, so the place follows the slot.
        let _gone = self.commands.send(Command::Release { holder: self.holder });
    }
}

impl Slot for HeldSlot {
    fn open<'a>(
        self: Arc<Self>,
        public: &'a [TokenId],
        private: &'a [TokenId],
    ) -> BoxFuture<'a, Result<Box<dyn BranchPair>, LocalError>> {
        async move {
            let prompts = Prompts {
                public: Zeroizing::new(public.to_vec()),
                private: Zeroizing::new(private.to_vec()),
            };
            let (holder, owner) = (self.holder, self.owner);
            let sent = self.commands.send(Command::Open { holder, owner, prompts });
            sent.map_err(|_| gone())?;
            let pair = WorkerPair {
                slot: self,
                reply: None,
            };
            Ok(Box::new(pair) as Box<dyn BranchPair>)
        }
        .boxed()
    }
}

struct WorkerPair {
    slot: Arc<HeldSlot>,
    /// Of the last extension.
    reply: Option<UnboundedReceiver<Result<Rows, LocalError>>>,
}

impl WorkerPair {
    /// A worker that is gone is noticed by whoever waits for logits.
    fn send(&self, command: Command) {
        let _gone = self.slot.commands.send(command);
    }
}

impl BranchPair for WorkerPair {
    fn extend(&mut self, tokens: &[TokenId], rows: usize) {
        let (reply, receiver) = unbounded_channel();
        // Logits of an earlier extension are wanted no more.
        self.reply = Some(receiver);
        self.send(Command::Extend {
            holder: self.slot.holder,
            tokens: tokens.to_vec(),
            rows,
            reply,
        });
    }

    fn logits(&mut self) -> BoxFuture<'_, Result<Rows, LocalError>> {
        async move {
            let none = || LocalError::Engine("it was asked for logits of nothing".into());
            let rows = self.reply.as_mut().ok_or_else(none)?.recv().await;
            rows.ok_or_else(gone)?
        }
        .boxed()
    }

    fn truncate(&mut self, answer: usize) {
        self.reply = None;
        self.send(Command::Truncate {
            holder: self.slot.holder,
            answer,
        });
    }

    fn max_block(&self) -> usize {
        self.slot.max_block
    }
}

impl Drop for WorkerPair {
    fn drop(&mut self) {
        self.send(Command::Close {
            holder: self.slot.holder,
        });
    }
}

fn gone() -> LocalError {
    LocalError::Engine("its thread has ended; the log says why".into())
}
