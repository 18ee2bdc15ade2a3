//! Models that call tools: how they mark calls in their answers, and what a call says.

mod family;
mod read;
mod written;

use std::collections::BTreeMap;

use family::{FAMILIES, Family, Form, Marks};
pub use read::{Part, ToolCall};
use serde_json::Value;
pub use written::WrittenCalls;

use super::marks::{longest_beginning, position_of};
use super::{TokenId, Tokenizer};

/// Of calls that begin without a mark.
const UNMARKED: Marks = Marks {
    open: "",
    close: "",
    stray: "",
};

/// How a model writes calls, in the tokens of its vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calling {
    family: Family,
    /// What begins calls, wherever in an answer it stands, with how many bytes of it tell that it begins.
    opens: Vec<(&'static str, usize)>,
    /// Tokens in the marks that stand for no text of their own, with their names.
    names: BTreeMap<TokenId, String>,
    /// Which ids may be picked within calls, and where one may begin, shape `[vocabulary]`.
    selectable: Vec<bool>,
}

impl Calling {
    /// What the chat template of `tokenizer` says; `None` where its model calls no tools, or as no known family does.
    pub fn find(tokenizer: &Tokenizer) -> Option<Self> {
        Self::of_template(tokenizer, tokenizer.template_source())
    }

    /// What `template` says of a model with this tokenizer; `None` where it calls no tools, or as no known family does.
    pub fn of_template(tokenizer: &Tokenizer, template: &str) -> Option<Self> {
        Family::of(template).map(|family| Self::of(tokenizer, family))
    }

    /// Names of all families that are known.
    pub fn families() -> impl Iterator<Item = &'static str> {
        FAMILIES.iter().map(|family| family.name)
    }

    fn of(tokenizer: &Tokenizer, family: Family) -> Self {
        let marks = family.marks.iter().flat_map(|marks| [marks.open, marks.close]);
        let ids = marks
            .chain(family.inner.iter().copied())
            .flat_map(|text| tokenizer.encode(text).unwrap_or_default());
        let names: BTreeMap<TokenId, String> = ids
            .filter(|id| tokenizer.bytes().get(*id).is_empty())
            .map(|id| (id, tokenizer.name(id)))
            .collect();
        let mut selectable = tokenizer.selectable().to_vec();
        for id in names.keys() {
            if let Some(selectable) = selectable.get_mut(id.index()) {
                *selectable = true;
            }
        }
        let least = |open: &str| match tokenizer.encode(open).as_deref() {
            // A model that has a token for it does not spell it.
            Ok([_]) => open.len().min(2),
            _ => 1,
        };
        let opens = family.marks.iter().map(|marks| (marks.open, least(marks.open)));
        Self {
            opens: opens.collect(),
            family,
            names,
            selectable,
        }
    }

    /// The family's name, for people to read.
    pub fn family(&self) -> &'static str {
        self.family.name
    }

    /// What begins calls, for people to read.
    pub fn open(&self) -> &'static str {
        let marks = self.family.marks.last();
        marks.map_or("", |marks| marks.open)
    }

    /// Which ids may be picked within calls, and where one may begin, shape `[vocabulary]`.
    pub fn selectable(&self) -> &[bool] {
        &self.selectable
    }

    /// The name of a token that marks calls and stands for no text.
    pub fn name_of(&self, id: TokenId) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }

    /// Where calls begin in `text`, an answer's, and what is being written from there on; its beginning counts only where `is_start`
    /// says that it is the answer's.
    pub fn begun(&self, text: &[u8], is_start: bool) -> Option<(usize, WrittenCalls)> {
        let (at, marks) = self.first_marks(text, is_start)?;
        Some((at, WrittenCalls::new(self.family.form, marks)))
    }

    /// Where calls begin in `text`, and the marks that they begin with.
    fn first_marks(&self, text: &[u8], is_start: bool) -> Option<(usize, Marks)> {
        let places = self
            .family
            .marks
            .iter()
            .map(|marks| (position_of(text, marks.open.as_bytes()), marks));
        let found = places.filter_map(|(at, marks)| Some((at?, *marks)));
        let begins = |start: &str| is_start && text.trim_ascii_start().starts_with(start.as_bytes());
        found.min_by_key(|(at, _)| *at).or_else(|| {
            let word = text.len() - text.trim_ascii_start().len();
            self.family
                .starts
                .iter()
                .any(|start| begins(start))
                .then_some((word, UNMARKED))
        })
    }

    /// What begins the call in a message with this header, where messages come in a row and it is one to a function.
    pub fn of_header(&self, header: &[u8]) -> Option<Vec<u8>> {
        let is_row = self.family.form == Form::Harmony;
        let at = position_of(header, b"to=functions.").filter(|_| is_row)?;
        Some([b"<|channel|>commentary ", header.get(at..)?].concat())
    }

    /// Bytes at the end of `text` that may be the beginning of calls.
    pub fn held(&self, text: &[u8], is_start: bool) -> usize {
        let opens = self
            .opens
            .iter()
            .map(|(open, _)| longest_beginning(text, open.as_bytes()));
        opens.max().unwrap_or(0).max(self.held_at_start(text, is_start))
    }

    /// Whether `text`, of which the model has written all but the last token, is on the way to calls.
    pub fn begins(&self, text: &[u8], is_start: bool) -> bool {
        let on_the_way = |(open, least): &(&str, usize)| longest_beginning(text, open.as_bytes()) >= *least;
        self.first_marks(text, is_start).is_some()
            || self.opens.iter().any(on_the_way)
            || self.held_at_start(text, is_start) > 0
    }

    fn held_at_start(&self, text: &[u8], is_start: bool) -> usize {
        let word = text.trim_ascii_start();
        let fits = |start: &&str| !word.is_empty() && start.as_bytes().starts_with(word);
        if is_start && self.family.starts.iter().any(fits) {
            text.len()
        } else {
            0
        }
    }

    /// What calls say: `written` has all from what begins them to what ends them, or to the end of the answer. `None` where it is
    /// nothing that the family writes. `tools` says what arguments are to be, in OpenAI's form.
    pub fn read(&self, written: &str, tools: &[Value]) -> Option<Vec<Part>> {
        read::read(&self.family, written, tools)
    }
}

#[cfg(test)]
pub mod tests;
