//! Models that think before they answer: how they mark it, and how a prompt says that they need not.

pub mod channels;
mod empty;
mod family;

use std::collections::BTreeMap;

use empty::empty_thought;
use family::{FAMILIES, Family};
use zeroize::Zeroizing;

use super::{TokenId, Tokenizer, VocabularyError};

/// How a model marks its thoughts, in the tokens of its vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thinking {
    /// For people to read.
    pub family: String,
    /// What begins a thought.
    pub open: String,
    /// What ends it.
    pub close: String,
    /// What begins an answer without a thought; empty where that is its first word.
    pub direct: String,
    /// What an answer begins with where the model is not to think.
    pub unthinking: String,
    /// Whether a model whose prompt says nothing of thoughts may think all the same.
    pub is_usual: bool,
    /// Tokens around an answer's text that are no part of it, ascending.
    pub wraps: Vec<TokenId>,
    /// What stands before and after an answer's text behind a thought; empty where nothing does.
    pub around: [String; 2],
    /// Whether an answer is a row of messages, each in a channel ([`channels`]).
    pub has_channels: bool,
    /// Tokens in what begins and ends a thought that stand for no text of their own, with their names.
    names: BTreeMap<TokenId, String>,
    /// Which ids may be picked where a thought may begin or end, shape `[vocabulary]`.
    selectable: Vec<bool>,
}

/// How a prompt leaves the answer that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Inside of a thought.
    Thought,
    /// Behind a thought, or behind what stands for none.
    Answer,
    /// The model decides.
    Free,
}

/// Tokens at the end of a prompt that may be what begins or ends a thought.
const TAIL: usize = 64;

impl Thinking {
    /// What the chat template of `tokenizer` says; `None` where its model does not think, or marks it as no known family does.
    pub fn find(tokenizer: &Tokenizer) -> Option<Self> {
        let template = tokenizer.template_source();
        let family = Family::of(template)?;
        let empty = empty_thought(template, family.open, family.close);
        Some(Self::of(tokenizer, family, empty))
    }

    /// What the tokens of `tokenizer` say, for a model with its vocabulary and another chat template.
    pub fn of_vocabulary(tokenizer: &Tokenizer) -> Option<Self> {
        let family = Family::of_tokens(|name| tokenizer.id_of(name).is_some())?;
        Some(Self::of(tokenizer, family, None))
    }

    /// With these texts around a thought, whatever the template says. A known family of theirs says the rest.
    pub fn named(tokenizer: &Tokenizer, open: &str, close: &str) -> Self {
        let known = FAMILIES
            .iter()
            .rfind(|family| (family.open, family.close) == (open, close));
        let empty = empty_thought(tokenizer.template_source(), open, close);
        if let Some(family) = known {
            return Self {
                is_usual: true,
                ..Self::of(tokenizer, *family, empty)
            };
        }
        let thinking = Self {
            family: "configured".to_owned(),
            open: String::new(),
            close: String::new(),
            direct: String::new(),
            unthinking: empty.unwrap_or_else(|| usual(open, close)),
            is_usual: true,
            wraps: Vec::new(),
            around: [String::new(), String::new()],
            has_channels: false,
            names: BTreeMap::new(),
            selectable: Vec::new(),
        };
        thinking.between(tokenizer, open, close)
    }

    fn of(tokenizer: &Tokenizer, family: Family, empty: Option<String>) -> Self {
        let unthinking = match family.unthinking {
            "" => empty.unwrap_or_else(|| usual(family.open, family.close)),
            text => text.to_owned(),
        };
        let id = |name: &&str| tokenizer.id_of(name);
        let mut wraps: Vec<TokenId> = family.wraps.iter().filter_map(id).collect();
        wraps.sort_unstable();
        let thinking = Self {
            family: family.name.to_owned(),
            open: String::new(),
            close: String::new(),
            direct: family.direct.to_owned(),
            unthinking,
            is_usual: family.is_usual,
            wraps,
            around: family.around.map(str::to_owned),
            has_channels: family.has_channels,
            names: BTreeMap::new(),
            selectable: Vec::new(),
        };
        thinking.between(tokenizer, family.open, family.close)
    }

    /// The same with a thought between these texts.
    fn between(mut self, tokenizer: &Tokenizer, open: &str, close: &str) -> Self {
        (self.open, self.close) = (open.to_owned(), close.to_owned());
        let [before, after] = &self.around;
        let texts = [open, close, &self.direct, before, after].into_iter();
        let texts = texts.chain(channels::MARKS.into_iter().filter(|_| self.has_channels));
        let ids = texts.flat_map(|text| tokenizer.encode(text).unwrap_or_default());
        self.names = ids
            .filter(|id| tokenizer.bytes().get(*id).is_empty())
            .map(|id| (id, tokenizer.name(id)))
            .collect();
        self.selectable = tokenizer.selectable().to_vec();
        for id in self.names.keys().chain(&self.wraps).chain(tokenizer.structure()) {
            if let Some(selectable) = self.selectable.get_mut(id.index()) {
                *selectable = true;
            }
        }
        self
    }

    /// Which ids may be picked where a thought may begin or end, shape `[vocabulary]`: those that may always be, its marks, and
    /// whatever else the template writes where the assistant speaks ([`Tokenizer::structure`]).
    pub fn selectable(&self) -> &[bool] {
        &self.selectable
    }

    /// Tokens that the model writes around a thought or an answer and that stand for no text.
    pub fn markup(&self) -> impl Iterator<Item = TokenId> {
        self.names.keys().chain(&self.wraps).copied()
    }

    /// What `id` is in what begins and ends a thought: its text, or its name.
    pub fn written<'a>(&'a self, tokenizer: &'a Tokenizer, id: TokenId) -> &'a [u8] {
        match self.names.get(&id) {
            Some(name) => name.as_bytes(),
            None => tokenizer.bytes().get(id),
        }
    }

    /// Whether `id` ends a message of several.
    pub fn ends_message(&self, id: TokenId) -> bool {
        self.has_channels && self.names.get(&id).is_some_and(|name| name == channels::END)
    }

    /// Whether `id` stands for no text, and is a part of a mark.
    pub fn is_named(&self, id: TokenId) -> bool {
        self.names.contains_key(&id)
    }

    /// Whether `text` is the beginning of `mark` for sure, because it begins with a token that stands for no text.
    pub fn has_begun(&self, mark: &str, text: &[u8]) -> bool {
        let mut names = self.names.values();
        mark.as_bytes().starts_with(text) && names.any(|name| text.starts_with(name.as_bytes()))
    }

    /// `text` without the names of tokens that stand for no text.
    pub fn without_names(&self, text: Vec<u8>) -> Vec<u8> {
        let Ok(mut text) = String::from_utf8(text.clone()) else {
            return text;
        };
        for name in self.names.values() {
            text = text.replace(name, "");
        }
        text.into_bytes()
    }

    /// How a prompt leaves the answer that follows it.
    pub fn opening(&self, tokenizer: &Tokenizer, prompt: &[TokenId]) -> Opening {
        let tail = self.tail(tokenizer, prompt);
        let tail = tail.trim_ascii_end();
        let ends_with = |text: &str| !text.is_empty() && tail.ends_with(text.trim_ascii_end().as_bytes());
        if ends_with(&self.open) {
            Opening::Thought
        } else if ends_with(&self.close) || ends_with(&self.direct) {
            Opening::Answer
        } else {
            Opening::Free
        }
    }

    /// What makes `prompt` end behind a thought: how many of its tokens stay, and what comes after them.
    ///
    /// # Errors
    /// [`VocabularyError::Encode`] when the tokenizer gives up.
    pub fn closed(&self, tokenizer: &Tokenizer, prompt: &[TokenId]) -> Result<(usize, Vec<TokenId>), VocabularyError> {
        let (kept, rest) = match self.opening(tokenizer, prompt) {
            Opening::Answer => return Ok((prompt.len(), Vec::new())),
            Opening::Free if !self.is_usual => return Ok((prompt.len(), Vec::new())),
            Opening::Free => (prompt.len(), self.unthinking.as_str()),
            Opening::Thought => {
                // Blanks after the opening may be other tokens in front of the end.
                let is_blank = |id: &&TokenId| self.written(tokenizer, **id).trim_ascii().is_empty();
                let blanks = prompt.iter().rev().take_while(is_blank).count();
                let rest = self.unthinking.strip_prefix(self.open.trim_ascii_end());
                (prompt.len() - blanks, rest.unwrap_or(&self.close))
            }
        };
        Ok((kept, tokenizer.encode(rest)?))
    }

    /// The most tokens that [`Self::closed`] may add.
    pub fn most_added(&self) -> usize {
        self.unthinking.len() + self.close.len()
    }

    /// The end of a prompt as bytes. It may have private text.
    fn tail(&self, tokenizer: &Tokenizer, prompt: &[TokenId]) -> Zeroizing<Vec<u8>> {
        let from = prompt.len().saturating_sub(TAIL);
        let tail = prompt.get(from..).unwrap_or_default();
        let written = || tail.iter().map(|id| self.written(tokenizer, *id));
        // As long as it will be: a vector that grows leaves its old memory as it is.
        let mut bytes = Zeroizing::new(Vec::with_capacity(written().map(<[u8]>::len).sum()));
        written().for_each(|text| bytes.extend_from_slice(text));
        bytes
    }
}

/// A thought without words where no template has one.
fn usual(open: &str, close: &str) -> String {
    format!("{open}\n\n{close}\n\n")
}

#[cfg(test)]
mod tests;
