//! What a picked token makes of a phase.

use super::state::{State, openings};
use super::{Phase, Phases, Step};
use crate::vocabulary::channels::{self, Channel};
use crate::vocabulary::{Thinking, TokenId, is_blank, longest_beginning, position_of};

/// Between two thoughts, and between two parts of an answer, that are messages of their own.
const BETWEEN: &[u8] = b"\n\n";

impl Phases {
    pub(super) fn read(&mut self, thinking: &Thinking, token: TokenId, written: &[u8]) -> Step {
        match self.state {
            State::Prose | State::After if thinking.ends_message(token) => {
                self.has_spoken |= self.state == State::Prose;
                self.state = State::Header;
                self.held.clear();
                Step::reasoning(Vec::new())
            }
            State::Prose if thinking.around[1].is_empty() => {
                // A mark that stands where no mark should is no text.
                let is_mark = thinking.is_named(token) && !self.marks_calls(token);
                let said = if is_mark { &[] } else { written };
                Step::prose(said.to_vec(), vec![token])
            }
            State::Prose => self.speak(thinking, token, written),
            State::After if is_blank(written) && self.held.is_empty() => Step::reasoning(Vec::new()),
            State::After => self.enter(thinking, token, written),
            State::Start => {
                self.held.extend(written);
                self.undecided.push(token);
                self.begin(thinking)
            }
            State::Header => {
                self.held.extend(written);
                self.head(thinking)
            }
            State::Thought => {
                self.held.extend(written);
                self.think(thinking)
            }
            State::Ended => Step::reasoning(Vec::new()),
        }
    }

    /// Says what is certain not to be the mark that ends the answer.
    fn speak(&mut self, thinking: &Thinking, token: TokenId, written: &[u8]) -> Step {
        let close = thinking.around[1].as_bytes();
        // Behind a token that stands for no text, what fits is the mark's.
        let was_mark = !self.held.is_empty() && thinking.has_begun(&thinking.around[1], &self.held);
        self.held.extend(written);
        let certain = match position_of(&self.held, close) {
            Some(end) => {
                self.state = State::Ended;
                end
            }
            None => self.held.len() - longest_beginning(&self.held, close),
        };
        let rest = self.held.split_off(certain);
        let said = thinking.without_names(std::mem::replace(&mut self.held, rest));
        if self.state == State::Ended {
            self.held.clear();
        }
        let is_mark = was_mark && certain == 0;
        let tokens = if thinking.is_named(token) || is_mark {
            Vec::new()
        } else {
            vec![token]
        };
        Step::prose(said, tokens)
    }

    /// Begins the answer behind a thought, unless a mark comes before it.
    fn enter(&mut self, thinking: &Thinking, token: TokenId, written: &[u8]) -> Step {
        let before = thinking.around[0].as_bytes();
        let is_alone = self.held.is_empty();
        self.held.extend(written);
        let so_far = self.held.trim_ascii_start();
        if let Some(rest) = so_far.strip_prefix(before).filter(|_| !before.is_empty()) {
            self.held = rest.to_vec();
            return self.leave(thinking);
        }
        if before.starts_with(so_far) {
            return Step::reasoning(Vec::new());
        }
        self.state = State::Prose;
        let said = std::mem::take(&mut self.held).trim_ascii_start().to_vec();
        let said = thinking.without_names(said);
        if is_alone && !self.has_spoken {
            return Step::prose(said, vec![token]);
        }
        Step {
            phase: Phase::Prose,
            ..Step::spilt(self.parted(said))
        }
    }

    /// A further part of the answer, with what parts it from those before it.
    fn parted(&mut self, said: Vec<u8>) -> Vec<u8> {
        let between = if self.has_spoken { BETWEEN } else { &[] };
        [between, &said].concat()
    }

    /// Decides how the answer begins, if that can be said.
    fn begin(&mut self, thinking: &Thinking) -> Step {
        let so_far = self.held.trim_ascii_start().to_vec();
        let mut is_open = so_far.is_empty();
        for (mark, state) in openings(thinking) {
            if let Some(rest) = so_far.strip_prefix(mark.as_bytes()) {
                self.state = state;
                let decided = std::mem::take(&mut self.undecided).len() - 1;
                let step = match state {
                    State::Header => {
                        self.held.clone_from(&so_far);
                        self.head(thinking)
                    }
                    State::Thought => {
                        self.held = rest.to_vec();
                        self.think(thinking)
                    }
                    _ => {
                        self.held = rest.to_vec();
                        self.leave(thinking)
                    }
                };
                return Step { decided, ..step };
            }
            is_open |= mark.as_bytes().starts_with(&so_far);
        }
        if is_open {
            return Step::nothing(Phase::Undecided);
        }
        self.state = State::Prose;
        let tokens = std::mem::take(&mut self.undecided);
        Step {
            decided: tokens.len() - 1,
            ..Step::prose(thinking.without_names(std::mem::take(&mut self.held)), tokens)
        }
    }

    /// Goes on with a message, once its header is whole.
    fn head(&mut self, thinking: &Thinking) -> Step {
        let Some(end) = position_of(&self.held, channels::MESSAGE.as_bytes()) else {
            return Step::reasoning(Vec::new());
        };
        let rest = self.held.split_off(end);
        let header = std::mem::take(&mut self.held);
        self.held = rest.get(channels::MESSAGE.len()..).unwrap_or_default().to_vec();
        let channel = Channel::of(&String::from_utf8_lossy(&header));
        self.is_answer = channel == Channel::Answer;
        let call = self
            .calls
            .as_ref()
            .and_then(|calls| calls.calls().calling.of_header(&header));
        if let Some(call) = call {
            self.state = State::Prose;
            let rest = std::mem::take(&mut self.held);
            return Step::prose([&call, channels::MESSAGE.as_bytes(), &rest].concat(), Vec::new());
        }
        if channel == Channel::Thought {
            self.has_thought |= self.has_begun;
            self.has_begun = false;
            self.state = State::Thought;
            return self.think(thinking);
        }
        self.leave(thinking)
    }

    /// Lets go of what is certain to be the thought's.
    fn think(&mut self, thinking: &Thinking) -> Step {
        let close = if thinking.has_channels {
            channels::END
        } else {
            &thinking.close
        };
        let close = close.as_bytes();
        if let Some(end) = position_of(&self.held, close) {
            let rest = self.held.split_off(end);
            let thought = std::mem::take(&mut self.held);
            self.held = rest.get(close.len()..).unwrap_or_default().to_vec();
            let thought = self.thought(thinking, thought.trim_ascii_end().to_vec());
            if thinking.has_channels {
                self.state = State::Header;
                let step = self.head(thinking);
                let reasoning = [thought, step.reasoning].concat();
                return Step { reasoning, ..step };
            }
            return Step {
                reasoning: thought,
                ..self.leave(thinking)
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
    fn leave(&mut self, thinking: &Thinking) -> Step {
        let before = thinking.around[0].as_bytes();
        let mut spilt = std::mem::take(&mut self.held).trim_ascii_start().to_vec();
        if !before.is_empty() && !spilt.is_empty() {
            // The mark before the answer may begin in the same token.
            if let Some(rest) = spilt.strip_prefix(before) {
                spilt = rest.trim_ascii_start().to_vec();
            } else if before.starts_with(&spilt) {
                self.held = spilt;
                self.state = State::After;
                return Step::reasoning(Vec::new());
            }
        }
        let spilt = thinking.without_names(spilt);
        if spilt.is_empty() {
            self.state = State::After;
            return Step::reasoning(Vec::new());
        }
        self.state = State::Prose;
        Step::spilt(self.parted(spilt))
    }

    /// A thought's next bytes, without the blanks before its first word.
    pub(super) fn thought(&mut self, thinking: &Thinking, bytes: Vec<u8>) -> Vec<u8> {
        let bytes = thinking.without_names(bytes);
        let bytes = if self.has_begun {
            &bytes
        } else {
            bytes.trim_ascii_start()
        };
        if bytes.is_empty() {
            return Vec::new();
        }
        let between = if self.has_thought && !self.has_begun {
            BETWEEN
        } else {
            &[]
        };
        self.has_begun = true;
        [between, bytes].concat()
    }
}
