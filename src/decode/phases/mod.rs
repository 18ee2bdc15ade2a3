//! Which part of an answer a position is in: the upstream's reasoning, or the prose that is steered.
//!
//! One small machine reads the picked tokens and says so, and the loop asks it. It knows the marks of a thought as bytes, so it does
//! not matter whether a mark is a token of its own or is spelled with several.

mod marks;

use std::sync::Arc;

use marks::{is_blank, longest_beginning, position_of};

use crate::vocabulary::{Opening, Thinking, TokenId, Tokenizer};

/// What a position of an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It may be the mark of a thought; what comes next decides.
    Undecided,
    /// A thought, what marks it, and what stands around it.
    Reasoning,
    /// The answer itself.
    Prose,
}

/// What is done about the thoughts of a model that thinks before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reasoning {
    /// They are the upstream's alone: nothing is steered, and the small model never sees them.
    Plain,
    /// They are steered like the answer.
    Steer,
}

/// What a picked token came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it belongs. So do the tokens before it that were undecided.
    pub phase: Phase,
    /// How many those were.
    pub decided: usize,
    /// Bytes of the thought that are certain now.
    pub reasoning: Vec<u8>,
    /// Bytes of the answer that are certain now.
    pub prose: Vec<u8>,
    /// Tokens that belong to the answer now.
    pub tokens: Vec<TokenId>,
    /// The answer's beginning, where it came in one token with the end of the thought.
    pub spilt: Vec<u8>,
}

/// Where an answer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has not begun, and may begin with a thought.
    Start,
    /// In a thought.
    Thought,
    /// Behind a thought, before the answer's first word.
    After,
    Prose,
}

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
        }
    }

    /// Whether the answer itself has begun.
    pub fn is_prose(&self) -> bool {
        self.state == State::Prose
    }

    /// Whether the next position is in a thought for sure.
    pub fn is_reasoning(&self) -> bool {
        self.state == State::Thought
    }

    /// Whether the next position is no part of the answer itself, where the upstream goes on with `draft`.
    pub fn belongs_to_reasoning(&self, draft: TokenId, tokenizer: &Tokenizer) -> bool {
        let Some(thinking) = &self.thinking else { return false };
        let written = thinking.written(tokenizer, draft);
        let wraps = thinking.wraps.contains(&draft);
        match self.state {
            State::Thought => true,
            State::Prose => wraps,
            State::After => wraps || (!tokenizer.ends().contains(&draft) && is_blank(written)),
            State::Start => {
                let so_far = [&self.held, written].concat();
                let so_far = so_far.trim_ascii_start();
                let ends = tokenizer.ends().contains(&draft) && written.is_empty();
                let begins = |mark: &str| {
                    let mark = mark.as_bytes();
                    !mark.is_empty() && (mark.starts_with(so_far) || so_far.starts_with(mark))
                };
                wraps || (!ends && (begins(&thinking.open) || begins(&thinking.direct)))
            }
        }
    }

    /// Whether `token`, which otherwise ends a turn, may be a part of what marks the end of a thought.
    pub fn is_mark(&self, token: TokenId) -> bool {
        let thinking = self.thinking.as_ref().filter(|_| self.state == State::Thought);
        thinking.is_some_and(|thinking| thinking.markup().any(|mark| mark == token))
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

    fn read(&mut self, thinking: &Thinking, token: TokenId, written: &[u8]) -> Step {
        match self.state {
            State::Prose => Step::prose(written.to_vec(), vec![token]),
            State::After if is_blank(written) => Step::reasoning(Vec::new()),
            State::After => {
                self.state = State::Prose;
                Step::prose(written.trim_ascii_start().to_vec(), vec![token])
            }
            State::Start => {
                self.held.extend(written);
                self.undecided.push(token);
                self.begin(thinking)
            }
            State::Thought => {
                self.held.extend(written);
                self.think(thinking)
            }
        }
    }

    /// Decides how the answer begins, if that can be said.
    fn begin(&mut self, thinking: &Thinking) -> Step {
        let so_far = self.held.trim_ascii_start();
        let marks = [(&thinking.open, State::Thought), (&thinking.direct, State::After)];
        let mut is_open = false;
        for (mark, state) in marks.iter().filter(|(mark, _)| !mark.is_empty()) {
            if let Some(rest) = so_far.strip_prefix(mark.as_bytes()) {
                self.held = rest.to_vec();
                self.state = *state;
                let decided = std::mem::take(&mut self.undecided).len() - 1;
                let step = match state {
                    State::Thought => self.think(thinking),
                    _ => self.leave(),
                };
                return Step { decided, ..step };
            }
            is_open |= mark.as_bytes().starts_with(so_far);
        }
        if is_open {
            return Step::nothing(Phase::Undecided);
        }
        self.state = State::Prose;
        let tokens = std::mem::take(&mut self.undecided);
        Step {
            decided: tokens.len() - 1,
            ..Step::prose(std::mem::take(&mut self.held), tokens)
        }
    }

    /// Lets go of what is certain to be the thought's.
    fn think(&mut self, thinking: &Thinking) -> Step {
        let close = thinking.close.as_bytes();
        if let Some(end) = position_of(&self.held, close) {
            let rest = self.held.split_off(end);
            let thought = std::mem::take(&mut self.held);
            self.held = rest.get(close.len()..).unwrap_or_default().to_vec();
            let thought = self.thought(thinking, thought.trim_ascii_end().to_vec());
            return Step {
                reasoning: thought,
                ..self.leave()
            };
        }
        // What may be the mark, and the blanks before it.
        let kept = longest_beginning(&self.held, close);
        let certain = self.held.len() - kept;
        let certain = self.held.get(..certain).unwrap_or_default().trim_ascii_end().len();
        let rest = self.held.split_off(certain);
        let thought = std::mem::replace(&mut self.held, rest);
        Step::reasoning(self.thought(thinking, thought))
    }

    /// Goes on behind a thought with what is held.
    fn leave(&mut self) -> Step {
        let spilt = std::mem::take(&mut self.held).trim_ascii_start().to_vec();
        if spilt.is_empty() {
            self.state = State::After;
            return Step::reasoning(Vec::new());
        }
        self.state = State::Prose;
        Step {
            prose: spilt.clone(),
            spilt,
            ..Step::reasoning(Vec::new())
        }
    }

    /// A thought's next bytes, without the blanks before its first word.
    fn thought(&mut self, thinking: &Thinking, bytes: Vec<u8>) -> Vec<u8> {
        let bytes = thinking.without_names(bytes);
        let bytes = if self.has_begun {
            &bytes
        } else {
            bytes.trim_ascii_start()
        };
        self.has_begun |= !bytes.is_empty();
        bytes.to_vec()
    }

    /// What is left when nothing more comes: the rest of the thought, and of the answer.
    pub fn finish(&mut self) -> (Vec<u8>, Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        match (self.state, self.thinking.clone()) {
            (State::Thought, Some(thinking)) => (self.thought(&thinking, held.trim_ascii_end().to_vec()), Vec::new()),
            _ => (Vec::new(), held),
        }
    }
}

impl Step {
    /// Of a token that says nothing.
    pub fn nothing(phase: Phase) -> Self {
        Self {
            phase,
            ..Self::reasoning(Vec::new())
        }
    }

    fn reasoning(reasoning: Vec<u8>) -> Self {
        Self {
            phase: Phase::Reasoning,
            decided: 0,
            reasoning,
            prose: Vec::new(),
            tokens: Vec::new(),
            spilt: Vec::new(),
        }
    }

    fn prose(prose: Vec<u8>, tokens: Vec<TokenId>) -> Self {
        Self {
            phase: Phase::Prose,
            prose,
            tokens,
            ..Self::reasoning(Vec::new())
        }
    }
}

#[cfg(test)]
mod tests;
