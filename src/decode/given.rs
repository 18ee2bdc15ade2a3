use std::sync::Arc;

use super::branches::{Branches, ProjectedPair};
use super::window::{Lookahead, Window};
use crate::local::{LocalError, Slot};
use crate::vocabulary::{Alignment, TokenId};

/// The small model's two branches along an answer that stands already: what they say at each of its positions, computed in blocks
/// as they are where an answer is being picked.
pub struct Given {
    branches: Branches,
    /// It learns what blocks cost, and nobody asks.
    window: Window,
    answer: Vec<TokenId>,
    /// Positions that were read.
    read: usize,
}

impl Given {
    /// Starts both branches on the prompts of a chat. Each can take `room` more tokens; `answer` is in the upstream's.
    ///
    /// # Errors
    /// A [`LocalError`] when the model refuses.
    pub async fn open(
        slot: Arc<dyn Slot>,
        alignment: &Arc<Alignment>,
        prompts: [&[TokenId]; 2],
        room: usize,
        answer: Vec<TokenId>,
    ) -> Result<Self, LocalError> {
        let [public, private] = prompts;
        let pair = slot.open(public, private).await?;
        Ok(Self {
            branches: Branches::new(pair, alignment, true, room),
            window: Window::new(Lookahead::Fixed(1)),
            answer,
            read: 0,
        })
    }

    /// What both say about the next token of the answer; `None` behind its last, or where the branches have no more room.
    ///
    /// # Errors
    /// A [`LocalError`] when an engine failed.
    pub async fn next(&mut self) -> Result<Option<Arc<ProjectedPair>>, LocalError> {
        let Some(left) = self.answer.get(self.read..).filter(|left| !left.is_empty()) else {
            return Ok(None);
        };
        if let Some(before) = self.read.checked_sub(1).and_then(|last| self.answer.get(last)) {
            if !self.branches.have_room_for(&[*before]) {
                return Ok(None);
            }
            self.branches.note(*before);
        }
        // Nothing comes after the last.
        let expected = left.len() - 1;
        let expected = left.get(..expected.min(self.branches.max_block() - 1));
        self.branches.ask(expected.unwrap_or_default());
        let (pair, _) = self.branches.next(&mut self.window).await?;
        self.read += 1;
        Ok(Some(pair))
    }
}
