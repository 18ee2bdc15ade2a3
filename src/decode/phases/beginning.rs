//! Where a mark may stand and a format is demanded: what the upstream is about to write there.

use super::state::{State, openings};
use super::{Phases, begins_or_is_begun};
use crate::vocabulary::{Thinking, TokenId, Tokenizer, is_blank, position_of};

/// What drafted tokens are the beginning of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// The first so many of them are a whole mark, with blanks before it.
    Mark(usize),
    /// The first of them is a part of a mark for sure, because it stands for no text.
    PartOfMark,
    /// The answer itself.
    Answer,
    /// It takes more of them to tell.
    Unsure,
}

impl Phases {
    /// Whether a mark of a thought may come next that begins like text.
    pub fn may_begin(&self) -> bool {
        match (self.state, &self.thinking) {
            (State::Start, Some(_)) => true,
            (State::After, Some(thinking)) => !thinking.around[0].is_empty(),
            _ => false,
        }
    }

    /// How many tokens tell what comes next, as a rule.
    pub fn telling(&self, tokenizer: &Tokenizer) -> usize {
        let marks = self.thinking.iter().flat_map(|thinking| self.marks(thinking));
        let lengths = marks.map(|mark| tokenizer.encode(mark).map_or(0, |ids| ids.len()));
        // A blank may come before a mark, and a token after it may have its end.
        lengths.max().unwrap_or(0) + 2
    }

    /// What comes next where the upstream goes on with `drafted`.
    pub fn beginning(&self, drafted: &[TokenId], tokenizer: &Tokenizer) -> Beginning {
        let Some(thinking) = &self.thinking else {
            return Beginning::Answer;
        };
        let mut text = self.held.clone();
        for (index, token) in drafted.iter().enumerate() {
            if thinking.wraps.contains(token) {
                continue;
            }
            if self.state == State::After && self.is_message_end(thinking, *token, tokenizer) {
                return Beginning::Mark(index + 1);
            }
            text.extend(thinking.written(tokenizer, *token));
            let so_far = text.trim_ascii_start();
            if tokenizer.ends().contains(token) {
                return Beginning::Answer;
            }
            let mut is_open = is_blank(so_far);
            for mark in self.marks(thinking) {
                if so_far.starts_with(mark.as_bytes()) {
                    return Beginning::Mark(index + 1);
                }
                is_open |= begins_or_is_begun(so_far, mark);
            }
            if !is_open {
                return Beginning::Answer;
            }
        }
        let is_named = drafted.first().is_some_and(|token| thinking.is_named(*token));
        if is_named {
            Beginning::PartOfMark
        } else {
            Beginning::Unsure
        }
    }

    /// The marks that may come next.
    fn marks<'a>(&self, thinking: &'a Thinking) -> Vec<&'a str> {
        match self.state {
            State::After => vec![thinking.around[0].as_str()],
            _ => openings(thinking).map(|(mark, _)| mark).collect(),
        }
    }

    /// Has the answer itself begin with the next token. What has been written of a mark is dropped.
    pub fn begin_answer(&mut self) {
        if matches!(self.state, State::Start | State::After) {
            self.state = State::Prose;
            self.held.clear();
            self.undecided.clear();
        }
    }

    /// What comes of the answer with `token` where that ends the thought, too; empty where nothing does.
    pub fn spills(&self, token: TokenId, tokenizer: &Tokenizer) -> Vec<u8> {
        let thinking = self.thinking.as_ref();
        let Some(thinking) = thinking.filter(|thinking| self.state == State::Thought && !thinking.has_channels) else {
            return Vec::new();
        };
        let text = [&self.held, thinking.written(tokenizer, token)].concat();
        let (close, before) = (thinking.close.as_bytes(), thinking.around[0].as_bytes());
        let after = position_of(&text, close).and_then(|end| text.get(end + close.len()..));
        let after = after.unwrap_or_default().trim_ascii_start();
        let said = after.strip_prefix(before).unwrap_or(after);
        if before.starts_with(said) {
            return Vec::new();
        }
        thinking.without_names(said.trim_ascii_start().to_vec())
    }
}
