use super::backend::{Backend, SequenceId, Shape};
use crate::local::Owner;
use crate::vocabulary::TokenId;

/// Tokens that two sequences must share at least for a copy to be worth its time.
const WORTH_COPYING: usize = 64;

/// What every sequence of an engine holds, and for whom.
///
/// The first ones belong to the slots. Those after them only remember what slots have computed, and the last one stays empty: a
/// copy of it wipes another.
pub struct Sequences {
    held: Vec<Held>,
    /// How many belong to slots.
    slots: usize,
    /// Tokens that may be remembered in sequences that nobody uses.
    budget: usize,
    rolls_back: bool,
    clock: u64,
    /// Whether something was copied since the engine's last pass.
    copied: bool,
}

#[derive(Default)]
struct Held {
    tokens: Vec<TokenId>,
    owner: Owner,
    /// When it was last used; larger is later.
    used: u64,
    busy: bool,
}

impl Sequences {
    /// All empty. `slots` of them belong to slots, and `budget` bytes may be remembered.
    pub fn new(shape: &Shape, slots: usize, budget: usize) -> Self {
        let mut held = Vec::new();
        held.resize_with(shape.sequences, Held::default);
        Self {
            held,
            slots,
            budget: budget / shape.token_bytes.max(1),
            rolls_back: shape.rolls_back,
            clock: 0,
            copied: false,
        }
    }

    /// How many tokens a sequence holds.
    pub fn length(&self, id: SequenceId) -> usize {
        self.held.get(id.0).map_or(0, |held| held.tokens.len())
    }

    /// Notes what was computed.
    pub fn append(&mut self, id: SequenceId, tokens: &[TokenId]) {
        if let Some(held) = self.held.get_mut(id.0) {
            held.tokens.extend_from_slice(tokens);
        }
    }

    /// Forgets all but the first `length` tokens of a sequence.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn truncate(&mut self, backend: &mut dyn Backend, id: SequenceId, length: usize) -> Result<(), String> {
        if let Some(held) = self.held.get_mut(id.0).filter(|held| held.tokens.len() > length) {
            held.tokens.truncate(length);
            backend.truncate(id, length)?;
        }
        Ok(())
    }

    /// How many tokens of `prompt` would not have to be computed again if its branch went on from this sequence.
    pub fn shared(&self, id: SequenceId, owner: Owner, prompt: &[TokenId]) -> usize {
        let Some(held) = self.held.get(id.0).filter(|held| held.owner == owner) else {
            return 0;
        };
        // The last token is computed in any case: its logits are wanted.
        let most = prompt.len().saturating_sub(1);
        let pairs = held.tokens.iter().zip(prompt).take(most);
        let shared = pairs.take_while(|(left, right)| left == right).count();
        if self.rolls_back || shared == held.tokens.len() {
            shared
        } else {
            0
        }
    }

    /// Has the sequence `id` begin a branch with this prompt: what is known of it already is kept or copied from where it is
    /// held. Returns how many tokens that is.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn begin(
        &mut self,
        backend: &mut dyn Backend,
        id: SequenceId,
        owner: Owner,
        prompt: &[TokenId],
    ) -> Result<usize, String> {
        let here = self.shared(id, owner, prompt);
        let others = (0..self.held.len()).map(SequenceId).filter(|other| *other != id);
        let elsewhere = others.map(|other| (self.shared(other, owner, prompt), other));
        let (there, other) = elsewhere.max_by_key(|(shared, _)| *shared).unwrap_or((0, id));
        let copies = self.rolls_back && there >= here + WORTH_COPYING;
        let kept = if copies { there } else { here };
        if self.length(id) >= kept + WORTH_COPYING || copies {
            self.remember_elsewhere(backend, id, other)?;
        }
        if copies {
            self.copy(backend, other, id)?;
        }
        self.truncate(backend, id, kept)?;
        self.clock += 1;
        if let Some(held) = self.held.get_mut(id.0) {
            held.owner = owner;
            held.used = self.clock;
            held.busy = true;
        }
        self.trim(backend)?;
        Ok(kept)
    }

    /// Nobody uses the sequence any longer; what it holds is remembered as long as there is room.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn end(&mut self, backend: &mut dyn Backend, id: SequenceId) -> Result<(), String> {
        if let Some(held) = self.held.get_mut(id.0) {
            held.busy = false;
        }
        self.trim(backend)
    }

    /// Forgets and wipes a sequence.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn wipe(&mut self, backend: &mut dyn Backend, id: SequenceId) -> Result<(), String> {
        self.copy(backend, self.empty(), id)
    }

    /// Carries out copies that wait for the engine's next pass.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn settle(&mut self, backend: &mut dyn Backend) -> Result<(), String> {
        if std::mem::take(&mut self.copied) {
            backend.settle(self.empty())?;
        }
        Ok(())
    }

    /// The engine has just computed a pass, and with it carried out all copies.
    pub fn passed(&mut self) {
        self.copied = false;
    }

    fn empty(&self) -> SequenceId {
        SequenceId(self.held.len().saturating_sub(1))
    }

    /// Keeps what `id` holds in a sequence that is there for that, before `id` is used for something else. It is not `needed`.
    fn remember_elsewhere(
        &mut self,
        backend: &mut dyn Backend,
        id: SequenceId,
        needed: SequenceId,
    ) -> Result<(), String> {
        let worth = self.length(id);
        if worth < WORTH_COPYING || worth > self.budget {
            return Ok(());
        }
        let spare = (self.slots..self.empty().0)
            .map(SequenceId)
            .filter(|spare| *spare != needed);
        let oldest = spare.min_by_key(|spare| self.held.get(spare.0).map_or(0, |held| held.used));
        match oldest {
            Some(oldest) => self.copy(backend, id, oldest),
            None => Ok(()),
        }
    }

    fn copy(&mut self, backend: &mut dyn Backend, from: SequenceId, to: SequenceId) -> Result<(), String> {
        backend.copy(from, to)?;
        self.copied = true;
        let source = self.held.get(from.0);
        let (tokens, owner, used) =
            source.map_or_else(Default::default, |held| (held.tokens.clone(), held.owner, held.used));
        if let Some(held) = self.held.get_mut(to.0) {
            (held.tokens, held.owner, held.used) = (tokens, owner, used);
        }
        Ok(())
    }

    /// Wipes what was used longest ago until the rest is within the budget.
    fn trim(&mut self, backend: &mut dyn Backend) -> Result<(), String> {
        loop {
            let idle = self
                .held
                .iter()
                .enumerate()
                .filter(|(_, held)| !held.busy && !held.tokens.is_empty());
            let total: usize = idle.clone().map(|(_, held)| held.tokens.len()).sum();
            let Some((oldest, _)) = idle.min_by_key(|(_, held)| held.used).filter(|_| total > self.budget) else {
                return Ok(());
            };
            self.wipe(backend, SequenceId(oldest))?;
        }
    }
}
