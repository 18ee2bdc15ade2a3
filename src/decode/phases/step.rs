use super::calls::Parted;
use super::phase::Phase;
use crate::vocabulary::{TokenId, ToolCall};

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
    /// Calls that have ended.
    pub calls: Vec<ToolCall>,
    /// Tokens that belong to the answer now, calls included.
    pub tokens: Vec<TokenId>,
    /// Text of the answer that is in no token by itself: its beginning, where that came in one token with the end of the thought.
    pub spilt: Vec<u8>,
}

impl Step {
    /// Of a token that says nothing.
    pub fn nothing(phase: Phase) -> Self {
        Self {
            phase,
            ..Self::reasoning(Vec::new())
        }
    }

    /// Of a thought's bytes.
    pub fn reasoning(reasoning: Vec<u8>) -> Self {
        Self {
            phase: Phase::Reasoning,
            decided: 0,
            reasoning,
            prose: Vec::new(),
            calls: Vec::new(),
            tokens: Vec::new(),
            spilt: Vec::new(),
        }
    }

    /// Of an answer's bytes and tokens.
    pub fn prose(prose: Vec<u8>, tokens: Vec<TokenId>) -> Self {
        Self {
            phase: Phase::Prose,
            prose,
            tokens,
            ..Self::reasoning(Vec::new())
        }
    }

    /// Adds what calls in it came to.
    pub fn add(&mut self, parted: Parted) {
        self.prose.extend(parted.prose);
        self.reasoning.extend(parted.reasoning);
        self.calls.extend(parted.calls);
    }

    /// Of text that begins the answer and is in no token by itself.
    pub fn spilt(spilt: Vec<u8>) -> Self {
        Self {
            prose: spilt.clone(),
            spilt,
            ..Self::reasoning(Vec::new())
        }
    }
}
