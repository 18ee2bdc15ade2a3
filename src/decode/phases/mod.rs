//! Which part of an answer a position is in: the upstream's reasoning, or the prose that is steered.
//!
//! One small machine reads the picked tokens and says so, and the loop asks it. It knows the marks of a thought as bytes, so it does
//! not matter whether a mark is a token of its own or is spelled with several.

mod phase;
mod reading;
mod state;
mod step;

use std::sync::Arc;

pub use phase::{Phase, Reasoning};
use state::{State, openings};
pub use step::Step;

use crate::vocabulary::{Opening, Thinking, TokenId, Tokenizer, is_blank};

/// The phases of one answer.
pub struct Phases {
    /// `None` where the model does not think.
    thinking: Option<Arc<Thinking>>,
    state: State,
    /// Written, and not certain to be a mark or none.
    held: Vec<u8>,
    /// The undecided tokens.
    undecided: Vec<TokenId>,
    /// Whether the thought has had a word.
    has_begun: bool,
    /// Whether a thought was over before this one, and a part of the answer before this part.
    has_thought: bool,
    has_spoken: bool,
    /// Whether the message in hand is the answer, as far as messages have channels.
    is_answer: bool,
}

impl Phases {
    /// Of the answer to `prompt`, which `tokenizer` reads.
    pub fn new(thinking: Option<Arc<Thinking>>, tokenizer: &Tokenizer, prompt: &[TokenId]) -> Self {
        let opening = thinking.as_ref().map(|thinking| thinking.opening(tokenizer, prompt));
        Self::after(thinking, opening.unwrap_or(Opening::Answer))
    }

    fn after(thinking: Option<Arc<Thinking>>, opening: Opening) -> Self {
        Self {
            thinking,
            state: match opening {
                Opening::Thought => State::Thought,
                Opening::Answer => State::Prose,
                Opening::Free => State::Start,
            },
            held: Vec::new(),
            undecided: Vec::new(),
            has_begun: false,
            has_thought: false,
            has_spoken: false,
            is_answer: true,
        }
    }

    /// Whether the answer itself has begun.
    pub fn is_prose(&self) -> bool {
        self.state == State::Prose
    }

    /// Whether the next position is in a thought or around one for sure.
    pub fn is_reasoning(&self) -> bool {
        matches!(self.state, State::Thought | State::Header)
    }

    /// Whether the next position is no part of the answer itself, where the upstream goes on with `draft`.
    pub fn belongs_to_reasoning(&self, draft: TokenId, tokenizer: &Tokenizer) -> bool {
        let Some(thinking) = &self.thinking else { return false };
        let written = thinking.written(tokenizer, draft);
        let ends = tokenizer.ends().contains(&draft);
        if thinking.wraps.contains(&draft) {
            return true;
        }
        match self.state {
            State::Thought | State::Header => true,
            State::Ended => !ends,
            State::Prose => {
                self.is_message_end(thinking, draft, tokenizer) || self.goes_on_with_a_mark(thinking, draft)
            }
            State::After => {
                let begins = begins_or_is_begun(
                    [self.held.trim_ascii_start(), written].concat().as_slice(),
                    &thinking.around[0],
                );
                self.is_message_end(thinking, draft, tokenizer) || begins || (!ends && is_blank(written))
            }
            State::Start => {
                let so_far = [&self.held, written].concat();
                let so_far = so_far.trim_ascii_start();
                let mut marks = openings(thinking).map(|(mark, _)| mark);
                !(ends && written.is_empty())
                    && (so_far.is_empty() || marks.any(|mark| begins_or_is_begun(so_far, mark)))
            }
        }
    }

    /// Whether `token`, which otherwise ends a turn, may be a part of what marks the end of a thought.
    pub fn is_mark(&self, token: TokenId) -> bool {
        let Some(thinking) = &self.thinking else { return false };
        match self.state {
            State::Thought if thinking.has_channels => thinking.ends_message(token),
            State::Thought => thinking.markup().any(|mark| mark == token),
            // Somebody may count the end of a message as the end of a turn. After the answer itself it is one.
            State::Prose | State::After => !self.is_answer && thinking.ends_message(token),
            State::Start | State::Header | State::Ended => false,
        }
    }

    /// Whether a message of several is over with `token`.
    fn is_message_end(&self, thinking: &Thinking, token: TokenId, tokenizer: &Tokenizer) -> bool {
        thinking.ends_message(token) && (!self.is_answer || !tokenizer.ends().contains(&token))
    }

    /// Whether `token` is in what ends the answer and stands for no text.
    fn goes_on_with_a_mark(&self, thinking: &Thinking, token: TokenId) -> bool {
        let is_begun = self.held.starts_with(b"<|") && thinking.around[1].as_bytes().starts_with(&self.held);
        !thinking.around[1].is_empty() && (thinking.is_named(token) || is_begun)
    }

    /// Reads a picked token.
    pub fn take(&mut self, token: TokenId, tokenizer: &Tokenizer) -> Step {
        let Some(thinking) = self.thinking.clone() else {
            return Step::prose(tokenizer.bytes().get(token).to_vec(), vec![token]);
        };
        if self.state != State::Thought && thinking.wraps.contains(&token) {
            return Step::reasoning(Vec::new());
        }
        self.read(&thinking, token, thinking.written(tokenizer, token))
    }

    /// What is left when nothing more comes: the rest of the thought, and of the answer.
    pub fn finish(&mut self) -> (Vec<u8>, Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        let Some(thinking) = self.thinking.clone() else {
            return (Vec::new(), held);
        };
        let mark = if self.state == State::Thought {
            &thinking.close
        } else {
            &thinking.around[1]
        };
        if self.state == State::Header || thinking.has_begun(mark, held.trim_ascii_start()) {
            return (Vec::new(), Vec::new());
        }
        match self.state {
            State::Thought => (self.thought(&thinking, held.trim_ascii_end().to_vec()), Vec::new()),
            _ => (Vec::new(), held),
        }
    }
}

/// Whether `text` is as much of `mark` as there is, or begins with it.
fn begins_or_is_begun(text: &[u8], mark: &str) -> bool {
    let mark = mark.as_bytes();
    !mark.is_empty() && (mark.starts_with(text) || text.starts_with(mark))
}

#[cfg(test)]
mod channel_tests;
#[cfg(test)]
mod tests;
