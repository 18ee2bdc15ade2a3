//! Which part of an answer a position is in: the upstream's reasoning, a call of a tool, or the prose that is steered.
//!
//! One small machine reads the picked tokens and says so, and the loop asks it. It knows the marks of a thought as bytes, so it does
//! not matter whether a mark is a token of its own or is spelled with several.

mod beginning;
mod calls;
mod phase;
mod reading;
mod state;
mod step;

use std::sync::Arc;

pub use beginning::Beginning;
use calls::CallReader;
pub use calls::{Calls, Tools};
pub use phase::{Phase, Reasoning};
use state::{State, openings};
pub use step::Step;

use crate::vocabulary::{Opening, Thinking, TokenId, Tokenizer, is_blank};

/// The phases of one answer.
pub struct Phases {
    /// `None` where the model does not think.
    thinking: Option<Arc<Thinking>>,
    /// `None` where no tools may be called.
    calls: Option<CallReader>,
    /// Which ids may be picked where marks may stand; empty where there are no marks.
    selectable: Vec<bool>,
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
    pub fn new(
        thinking: Option<Arc<Thinking>>,
        calls: Option<Calls>,
        tokenizer: &Tokenizer,
        prompt: &[TokenId],
    ) -> Self {
        let opening = thinking.as_ref().map(|thinking| thinking.opening(tokenizer, prompt));
        Self::after(thinking, calls, opening.unwrap_or(Opening::Answer))
    }

    fn after(thinking: Option<Arc<Thinking>>, calls: Option<Calls>, opening: Opening) -> Self {
        let marks = [
            thinking.as_ref().map(|thinking| thinking.selectable()),
            calls.as_ref().map(|calls| calls.calling.selectable()),
        ];
        let mut selectable: Vec<bool> = Vec::new();
        for of_marks in marks.into_iter().flatten() {
            selectable.resize(of_marks.len(), false);
            for (one, other) in selectable.iter_mut().zip(of_marks) {
                *one |= *other;
            }
        }
        Self {
            thinking,
            calls: calls.map(CallReader::new),
            selectable,
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

    /// Whether the answer itself has begun, and no call is being written.
    pub fn is_prose(&self) -> bool {
        self.state == State::Prose && !self.is_call()
    }

    /// Whether the next position is in a call for sure.
    pub fn is_call(&self) -> bool {
        self.calls.as_ref().is_some_and(CallReader::is_call)
    }

    /// Whether `token` marks calls and stands for no text.
    fn marks_calls(&self, token: TokenId) -> bool {
        let calls = self.calls.as_ref();
        calls.is_some_and(|calls| calls.calls().calling.name_of(token).is_some())
    }

    /// Whether the next position is in a call, or may be.
    pub fn may_be_call(&self) -> bool {
        self.calls
            .as_ref()
            .is_some_and(|calls| calls.is_call() || calls.is_open())
    }

    /// Which ids may be picked where marks may stand, shape `[vocabulary]`; `None` where there are no marks.
    pub fn selectable(&self) -> Option<&[bool]> {
        (!self.selectable.is_empty()).then_some(&self.selectable)
    }

    /// What the next position belongs to for sure.
    pub fn sure(&self) -> Phase {
        match self.state {
            State::Thought | State::Header => Phase::Reasoning,
            State::Prose if self.is_call() => Phase::Call,
            _ => Phase::Undecided,
        }
    }

    /// Whether the next position is in a thought or around one for sure.
    pub fn is_reasoning(&self) -> bool {
        matches!(self.state, State::Thought | State::Header)
    }

    /// What the next position belongs to, where the upstream goes on with `draft`.
    pub fn expected(&self, draft: TokenId, tokenizer: &Tokenizer) -> Phase {
        if !self.is_call() && self.belongs_to_reasoning(draft, tokenizer) {
            return Phase::Reasoning;
        }
        let begins = self.calls.as_ref().is_some_and(|calls| {
            let so_far: &[u8] = if self.state == State::Start { &self.held } else { &[] };
            calls.begins(&[so_far, self.written(draft, tokenizer)].concat())
        });
        if begins { Phase::Call } else { Phase::Prose }
    }

    /// What `token` is in an answer: its text, or its name where it marks something.
    fn written<'a>(&'a self, token: TokenId, tokenizer: &'a Tokenizer) -> &'a [u8] {
        let of_calls = self
            .calls
            .as_ref()
            .and_then(|calls| calls.calls().calling.name_of(token));
        match (of_calls, &self.thinking) {
            (Some(name), _) => name.as_bytes(),
            (None, Some(thinking)) => thinking.written(tokenizer, token),
            (None, None) => tokenizer.bytes().get(token),
        }
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
        let Some(thinking) = &self.thinking else {
            return false;
        };
        if self.is_call() {
            return thinking.ends_message(token);
        }
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
        let written = self.written(token, tokenizer).to_vec();
        self.hear(token, &written)
    }

    /// Reads a picked token that writes this.
    fn hear(&mut self, token: TokenId, written: &[u8]) -> Step {
        let step = match self.thinking.clone() {
            None => Step::prose(written.to_vec(), vec![token]),
            Some(thinking) if self.is_call() && thinking.ends_message(token) => return self.end_call(token),
            // Calls have marks of their own.
            Some(_) if self.is_call() => Step::prose(written.to_vec(), vec![token]),
            Some(thinking) if self.state != State::Thought && thinking.wraps.contains(&token) => {
                Step::reasoning(Vec::new())
            }
            Some(thinking) => self.read(&thinking, token, written),
        };
        self.without_calls(step)
    }

    /// Ends a call that is a message of several; another one follows.
    fn end_call(&mut self, token: TokenId) -> Step {
        self.state = State::Header;
        self.held.clear();
        let mut step = Step {
            phase: Phase::Call,
            ..Step::prose(Vec::new(), vec![token])
        };
        if let Some(calls) = &mut self.calls {
            step.add(calls.finish());
        }
        step
    }

    /// `step` with the calls in it apart from its text.
    fn without_calls(&mut self, mut step: Step) -> Step {
        let has_text = step.phase == Phase::Prose || !step.prose.is_empty();
        if let Some(calls) = self.calls.as_mut().filter(|_| has_text) {
            let (parted, phase) = calls.push(&step.prose);
            step.prose.clear();
            step.add(parted);
            if step.phase == Phase::Prose {
                step.phase = phase;
            }
        }
        step
    }

    /// What is left when nothing more comes: the rest of the thought, and of the answer.
    pub fn finish(&mut self) -> Step {
        let (reasoning, prose) = self.rest();
        let mut step = self.without_calls(Step::prose(prose, Vec::new()));
        step.reasoning.splice(..0, reasoning);
        if let Some(calls) = &mut self.calls {
            step.add(calls.finish());
        }
        step
    }

    fn rest(&mut self) -> (Vec<u8>, Vec<u8>) {
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
mod cut_tests;
#[cfg(test)]
mod tests;
