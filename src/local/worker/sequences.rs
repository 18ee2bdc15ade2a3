use zeroize::{Zeroize, Zeroizing};

use super::backend::{Backend, Kind, SequenceId, Shape};
use crate::local::Owner;
use crate::vocabulary::TokenId;

/// Tokens that a copy must save from being computed for it to be worth its time: it moves a sequence's whole memory.
const WORTH_COPYING: usize = 128;

/// What the sequences of an engine hold, and for whom.
///
/// They come in pairs of neighbours, one for each branch of a session: an engine computes neighbours in one go. So sessions side by side
/// should be neighbours as well. There may be more pairs than sessions; what a session leaves behind stays until its pair is needed for another, or the budget is spent. The
/// last sequence stays empty: a copy of it wipes another.
pub struct Sequences {
    pairs: Vec<Pair>,
    /// Tokens that may be remembered in pairs that nobody uses.
    budget: usize,
    rolls_back: bool,
    clock: u64,
}

#[derive(Default)]
struct Pair {
    /// Of the public and of the private branch.
    tokens: [Zeroizing<Vec<TokenId>>; 2],
    /// How many of them were computed as a prompt. The rest would be computed otherwise if it were one, so it serves nobody.
    prompt: [usize; 2],
    owner: Owner,
    /// When it was last used; larger is later.
    used: u64,
    busy: bool,
    /// There are traces of forgotten tokens in its memory.
    is_dirty: bool,
}

impl Pair {
    fn held(&self) -> usize {
        self.tokens.iter().map(|tokens| tokens.len()).sum()
    }
}

impl Sequences {
    /// All empty. `budget` bytes may be remembered.
    pub fn new(shape: &Shape, budget: usize) -> Self {
        let mut pairs = Vec::new();
        pairs.resize_with(shape.sequences.saturating_sub(1) / 2, || Pair {
            // As long as they can come to be: a vector that grows leaves its old memory as it is.
            tokens: [(); 2].map(|()| Zeroizing::new(Vec::with_capacity(shape.length))),
            ..Pair::default()
        });
        Self {
            pairs,
            budget: budget / shape.token_bytes.max(1),
            rolls_back: shape.rolls_back,
            clock: 0,
        }
    }

    /// How many pairs there are.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// How many tokens a sequence holds.
    pub fn length(&self, id: SequenceId) -> usize {
        self.pairs.get(id.0 / 2).map_or(0, |pair| pair.tokens[id.0 % 2].len())
    }

    /// The tokens of an answer that a sequence holds: those that were not computed as a prompt.
    pub fn answer(&self, id: SequenceId) -> &[TokenId] {
        let pair = self.pairs.get(id.0 / 2);
        pair.map_or(&[], |pair| &pair.tokens[id.0 % 2][pair.prompt[id.0 % 2]..])
    }

    /// Notes what was computed.
    pub fn append(&mut self, id: SequenceId, tokens: &[TokenId], kind: Kind) {
        let branch = id.0 % 2;
        if let Some(pair) = self.pairs.get_mut(id.0 / 2) {
            pair.tokens[branch].extend_from_slice(tokens);
            if kind == Kind::Prompt {
                pair.prompt[branch] = pair.tokens[branch].len();
            }
        }
    }

    /// Forgets all but the first `length` tokens of a sequence.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn truncate(&mut self, backend: &mut dyn Backend, id: SequenceId, length: usize) -> Result<(), String> {
        let branch = id.0 % 2;
        let pair = self.pairs.get_mut(id.0 / 2);
        if let Some(pair) = pair.filter(|pair| pair.tokens[branch].len() > length) {
            pair.tokens[branch][length..].zeroize();
            pair.tokens[branch].truncate(length);
            pair.prompt[branch] = pair.prompt[branch].min(length);
            pair.is_dirty = true;
            backend.truncate(id, length)?;
        }
        Ok(())
    }

    /// Has a pair begin with these prompts: what is known of them already stays, or is copied from where it is held. Where the session goes on
    /// from nearly all of that, it is not kept twice. Returns how many tokens of each prompt the pair holds then.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn begin(
        &mut self,
        backend: &mut dyn Backend,
        index: usize,
        owner: Owner,
        prompts: &[Zeroizing<Vec<TokenId>>; 2],
    ) -> Result<[usize; 2], String> {
        let here = self.shared(index, owner, prompts);
        let best = (0..self.pairs.len()).max_by_key(|other| self.shared(*other, owner, prompts).iter().sum::<usize>());
        let best = best.unwrap_or(index);
        let there = self.shared(best, owner, prompts);
        self.clock += 1;
        let pair = &mut self.pairs[index];
        (pair.owner, pair.used, pair.busy) = (owner, self.clock, true);
        let mut kept = here;
        for branch in 0..2 {
            if self.rolls_back && there[branch] >= here[branch] + WORTH_COPYING {
                self.copy(backend, best, index, branch)?;
                kept[branch] = there[branch];
            }
            self.truncate(backend, SequenceId(2 * index + branch), kept[branch])?;
        }
        let is_moved = kept != here && !self.pairs[best].busy && self.is_continued(best, kept.iter().sum());
        if is_moved {
            self.forget(backend, best)?;
        }
        self.trim(backend)?;
        Ok(kept)
    }

    /// Nobody uses the pair any longer; what it holds is remembered as long as there is room.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn end(&mut self, backend: &mut dyn Backend, index: usize) -> Result<(), String> {
        if let Some(pair) = self.pairs.get_mut(index) {
            pair.busy = false;
        }
        self.trim(backend)
    }

    /// Whether empty sequences have traces of what they held.
    pub fn are_dirty(&self) -> bool {
        self.pairs
            .iter()
            .any(|pair| pair.is_dirty && pair.held() == 0 && !pair.busy)
    }

    /// Wipes the memory of empty sequences.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn wipe(&mut self, backend: &mut dyn Backend) -> Result<(), String> {
        let empty = SequenceId(2 * self.pairs.len());
        for (index, pair) in self.pairs.iter_mut().enumerate() {
            if pair.is_dirty && pair.held() == 0 && !pair.busy {
                pair.is_dirty = false;
                backend.copy(empty, SequenceId(2 * index))?;
                backend.copy(empty, SequenceId(2 * index + 1))?;
            }
        }
        backend.settle(empty)
    }

    /// The pair for a session that has none yet; `None` where all are busy.
    ///
    /// It is the one that has most of the prompts already. Another is better, to copy to, where that one would cost it much that the
    /// session has no use for, or is apart from those that are busy. Among others, those come first that leave the busy ones in the fewest
    /// rows of neighbours, then empty ones, then the one that was used longest ago.
    pub fn choose(&self, owner: Owner, prompts: &[Zeroizing<Vec<TokenId>>; 2]) -> Option<usize> {
        let free = || (0..self.pairs.len()).filter(|index| !self.pairs[*index].busy);
        let fewest = free().map(|index| self.rows_with(index)).min();
        let shared = |index: usize| self.shared(index, owner, prompts).iter().sum::<usize>();
        let best = free()
            .max_by_key(|index| shared(*index))
            .filter(|best| shared(*best) > 0);
        let oldest = |except: Option<usize>| {
            let others = free().filter(move |index| Some(*index) != except);
            others.min_by_key(|index| {
                let pair = &self.pairs[*index];
                (self.rows_with(*index), pair.held() > 0, pair.used)
            })
        };
        match best {
            // Where there is no way back, nothing is copied.
            Some(best) if !self.rolls_back => Some(best),
            Some(best) if self.is_continued(best, shared(best)) && Some(self.rows_with(best)) == fewest => Some(best),
            // It is copied from, so it stays as it is if it can.
            Some(best) if shared(best) >= WORTH_COPYING => oldest(Some(best)).or(Some(best)),
            _ => oldest(None),
        }
    }

    /// In how many rows of neighbours the busy pairs would lie if this one were busy, too. An engine needs a pass for each of them.
    fn rows_with(&self, index: usize) -> usize {
        let is_busy = |pair: usize| pair == index || self.pairs[pair].busy;
        let begins = |pair: usize| is_busy(pair) && (pair == 0 || !is_busy(pair - 1));
        (0..self.pairs.len()).filter(|pair| begins(*pair)).count()
    }

    /// Whether a session that shares so many tokens with a pair goes on from nearly all that it holds.
    fn is_continued(&self, index: usize, shared: usize) -> bool {
        self.pairs[index].held() < shared + WORTH_COPYING
    }

    /// Replaces what a branch of the pair `to` holds by what `from` holds.
    fn copy(&mut self, backend: &mut dyn Backend, from: usize, to: usize, branch: usize) -> Result<(), String> {
        backend.copy(SequenceId(2 * from + branch), SequenceId(2 * to + branch))?;
        let (tokens, prompt) = (self.pairs[from].tokens[branch].clone(), self.pairs[from].prompt[branch]);
        let pair = &mut self.pairs[to];
        pair.tokens[branch].zeroize();
        pair.tokens[branch].extend_from_slice(&tokens);
        pair.prompt[branch] = prompt;
        // The traces in its memory are copied as well.
        pair.is_dirty = true;
        Ok(())
    }

    /// How many tokens of each prompt would not have to be computed again if its branch went on from this pair.
    fn shared(&self, index: usize, owner: Owner, prompts: &[Zeroizing<Vec<TokenId>>; 2]) -> [usize; 2] {
        let Some(pair) = self.pairs.get(index).filter(|pair| pair.owner == owner) else {
            return [0; 2];
        };
        [0, 1].map(|branch| {
            let (held, prompt) = (&pair.tokens[branch][..pair.prompt[branch]], &prompts[branch]);
            // The last token is computed in any case: its logits are wanted.
            let pairs = held.iter().zip(prompt.iter()).take(prompt.len().saturating_sub(1));
            let shared = pairs.take_while(|(left, right)| left == right).count();
            // Where there is no way back, all of it serves or nothing.
            let serves = self.rolls_back || shared == pair.tokens[branch].len();
            if serves { shared } else { 0 }
        })
    }

    /// Forgets what was used longest ago until the rest is within the budget.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn trim(&mut self, backend: &mut dyn Backend) -> Result<(), String> {
        loop {
            let idle = self
                .pairs
                .iter()
                .enumerate()
                .filter(|(_, pair)| !pair.busy && pair.held() > 0);
            let total: usize = idle.clone().map(|(_, pair)| pair.held()).sum();
            let Some((oldest, _)) = idle.min_by_key(|(_, pair)| pair.used).filter(|_| total > self.budget) else {
                return Ok(());
            };
            self.forget(backend, oldest)?;
        }
    }

    /// Forgets all that a pair holds.
    fn forget(&mut self, backend: &mut dyn Backend, index: usize) -> Result<(), String> {
        self.truncate(backend, SequenceId(2 * index), 0)?;
        self.truncate(backend, SequenceId(2 * index + 1), 0)
    }
}
