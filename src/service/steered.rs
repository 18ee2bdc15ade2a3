//! A steered request with everything that opening its sessions takes.

use std::sync::Arc;

use tokio::sync::OnceCell;

use super::slots::{GivenSlot, HeldSlot, Slots};
use super::{Asked, Options, Service, ServiceError};
use crate::decode::Session;
use crate::steering::Strength;
use crate::structure::Grammar;
use crate::upstream::{Affinity, Caller};
use crate::vocabulary::{TokenBytes, TokenId};

/// Answers wanted, and what they are to be steered by.
pub struct SteeredRequest {
    service: Arc<Service>,
    /// Each is answered [`Options::choices`] times.
    asked: Vec<Arc<Asked>>,
    options: Options,
    /// `None` where the configured strength applies.
    strength: Option<Strength>,
    /// On whose behalf.
    caller: Caller,
    /// What all answers are written in, compiled for the first.
    grammar: OnceCell<Option<Arc<Grammar>>>,
    /// The small model's.
    slots: Arc<Slots>,
}

/// An answer that has been begun.
pub struct Opened {
    /// What writes it. It goes before its slot.
    pub session: Session,
    /// Where the small model runs for it.
    pub slot: HeldSlot,
}

impl SteeredRequest {
    /// To be answered by `service` on behalf of `caller`.
    pub fn new(
        service: Arc<Service>,
        asked: Vec<Asked>,
        options: Options,
        strength: Option<Strength>,
        caller: Caller,
    ) -> Self {
        Self {
            slots: Slots::new(asked.len() * options.choices),
            service,
            asked: asked.into_iter().map(Arc::new).collect(),
            options,
            strength,
            caller,
            grammar: OnceCell::new(),
        }
    }

    /// How it is to be answered.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How many answers there are.
    pub fn answers(&self) -> usize {
        self.asked.len() * self.options.choices
    }

    /// Whether the answers with lower numbers are to other prompts.
    pub fn is_first_of_its_prompt(&self, answer: usize) -> bool {
        answer.is_multiple_of(self.options.choices)
    }

    /// Opens the session of the answer with this number; those to one prompt stand together. Each draws with a seed of its
    /// own, and the first with the one that was asked for. It waits for a slot unless it gets one.
    ///
    /// # Errors
    /// As for [`Service::open`].
    pub async fn open(&self, answer: usize, slot: Option<GivenSlot>) -> Result<Opened, ServiceError> {
        let choices = self.options.choices.max(1);
        let asked = self.asked.get(answer / choices);
        let asked = asked.ok_or_else(|| ServiceError::invalid("prompt", "there are no more of them".to_owned()))?;
        let mut options = self.options.clone();
        options.sampling.seed = options.sampling.seed.wrapping_add((answer % choices) as u64);
        let caller = Caller {
            // A server keeps what it has computed for one answer together.
            affinity: Affinity::default(),
            ..self.caller.clone()
        };
        let structure = options.structure.as_ref();
        let grammar = self.grammar.get_or_try_init(|| self.service.grammar(structure)).await?;
        let ready = self
            .service
            .prepare(Arc::clone(asked), &options, grammar.clone(), self.strength, caller)
            .await?;
        // Nobody holds a slot while a prompt is composed, or while the upstream cannot be reached.
        let GivenSlot { slot, held } = match slot {
            Some(slot) => slot,
            None => self.slots.give(self.service.slot(&self.caller).await?),
        };
        let session = self.service.open(ready, slot).await?;
        Ok(Opened { session, slot: held })
    }

    /// A slot for one more answer beside those that run, or after them: the one that was kept, or one that nobody wants. `None` until
    /// an answer has ended.
    pub fn slot(&self) -> Option<GivenSlot> {
        let slot = self.slots.kept().or_else(|| self.service.free_slot(&self.caller))?;
        Some(self.slots.give(slot))
    }

    /// The bytes behind every token of the answers.
    pub fn token_bytes(&self) -> &TokenBytes {
        self.service.token_bytes()
    }

    /// A token of an answer for people to read.
    pub fn shown(&self, id: TokenId) -> String {
        self.service.shown(id)
    }
}
