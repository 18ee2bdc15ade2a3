use std::collections::VecDeque;

use super::wire::Part;
use crate::upstream::Problem;
use crate::upstream::named::Entry;
use crate::vocabulary::{TokenId, Tokenizer};

/// Bytes of text that may come without entries, such as spaces that names leave out.
const MOST_AHEAD: usize = 1024;

/// What has come of one answer, and how far it is read.
#[derive(Default)]
pub struct Block {
    /// Entries that are not read.
    entries: VecDeque<Entry>,
    /// The text that has come.
    heard: String,
    /// Bytes of it that the read tokens spell.
    spoken: usize,
    /// It is whole.
    pub finished: bool,
    /// It has stopped of itself.
    pub stopped: bool,
}

/// What stands at the next position.
pub enum Next {
    /// A token that can be named.
    Named(TokenId, Entry),
    /// The tokens of a character whose parts have no names.
    Character(Vec<TokenId>),
    /// A token without a name, after which the answer stopped.
    Last(Entry),
    /// A text that is no token here.
    Foreign(String),
    /// Nothing is known before more has come.
    Wait,
    /// Nothing more can be read.
    Nothing,
}

impl Block {
    /// Takes in what has come.
    pub fn push(&mut self, part: Part) {
        self.entries.extend(part.entries);
        self.heard.push_str(&part.text);
        self.stopped |= part.stopped;
    }

    /// The text that has come.
    pub fn text(&self) -> &str {
        &self.heard
    }

    /// Whether more text has come than the entries can be of.
    pub fn is_without_lists(&self) -> bool {
        self.entries.is_empty() && self.heard.len() > self.spoken + MOST_AHEAD
    }

    /// Reads the next position. `names_sampled`: whether an entry is of the token that was sampled. Otherwise that is the likeliest.
    pub fn next(&mut self, tokenizer: &Tokenizer, names_sampled: bool) -> Next {
        let Some(entry) = self.entries.pop_front() else {
            return if self.finished { Next::Nothing } else { Next::Wait };
        };
        if let Some(token) = sampled(&entry, tokenizer, names_sampled) {
            self.spoken += tokenizer.bytes().get(token).len();
            return Next::Named(token, entry);
        }
        if self.entries.is_empty() && self.stopped && self.heard.len() <= self.spoken {
            return Next::Last(entry);
        }
        if !entry.token.is_empty() && !entry.token.contains(char::REPLACEMENT_CHARACTER) {
            return Next::Foreign(entry.token);
        }
        let character = self.heard.get(self.spoken..).and_then(|rest| rest.chars().next());
        let Some(character) = character.filter(|character| *character != char::REPLACEMENT_CHARACTER) else {
            self.entries.push_front(entry);
            return if self.finished { Next::Nothing } else { Next::Wait };
        };
        let tokens = tokenizer.encode(character.encode_utf8(&mut [0; 4])).unwrap_or_default();
        let nameless = |entry: &&Entry| sampled(entry, tokenizer, names_sampled).is_none();
        let others = self
            .entries
            .iter()
            .take(tokens.len().saturating_sub(1))
            .take_while(nameless)
            .count();
        if tokens.is_empty() || others + 1 < tokens.len() {
            self.entries.push_front(entry);
            return if self.finished { Next::Nothing } else { Next::Wait };
        }
        self.entries.drain(..others);
        self.spoken += character.len_utf8();
        Next::Character(tokens)
    }
}

/// The token that an entry says was sampled.
fn sampled(entry: &Entry, tokenizer: &Tokenizer, is_named: bool) -> Option<TokenId> {
    if is_named {
        return entry.id(tokenizer);
    }
    let named = entry
        .top_logprobs
        .iter()
        .filter_map(|other| Some((other.id(tokenizer)?, other.logprob)));
    // As `ranked` has it.
    let best = named.max_by(|left, right| left.1.total_cmp(&right.1).then(right.0.cmp(&left.0)));
    best.map(|(id, _)| id)
}

/// Checks that tokens spell the text that came with them. A space at the beginning may be left out, and so may what an answer ends with.
///
/// # Errors
/// [`Problem::Unusable`] where they do not.
pub fn spells(tokens: &[TokenId], text: &str, tokenizer: &Tokenizer) -> Result<(), Problem> {
    let plain = |text: &str| {
        text.trim_start()
            .trim_end_matches(char::REPLACEMENT_CHARACTER)
            .to_owned()
    };
    let (ours, theirs) = (plain(&tokenizer.bytes().text(tokens)), plain(text));
    if ours.starts_with(&theirs) || theirs.starts_with(&ours) {
        return Ok(());
    }
    Err(Problem::Unusable {
        reason: format!(
            "its tokens spell {ours:?} in the local vocabulary, and its text is {theirs:?}; either upstream.tokenizer is of another model, or \
             the host leaves spaces out of names"
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn tokenizer() -> Tokenizer {
        Tokenizer::load(Path::new("models/tiny/llm")).unwrap()
    }

    fn part(names: &[&str], text: &str, stopped: bool) -> Part {
        let entry = |name: &&str| serde_json::from_value(serde_json::json!({"token": name, "logprob": 0})).unwrap();
        Part {
            entries: names.iter().map(entry).collect(),
            text: text.to_owned(),
            stopped,
        }
    }

    fn read(parts: Vec<Part>) -> Vec<String> {
        let (tokenizer, mut block, mut read) = (tokenizer(), Block::default(), Vec::new());
        let last = parts.len() - 1;
        for (number, part) in parts.into_iter().enumerate() {
            block.finished = number == last;
            block.push(part);
            loop {
                read.push(match block.next(&tokenizer, true) {
                    Next::Named(token, _) => tokenizer.shown(token),
                    Next::Character(tokens) => tokenizer.bytes().text(&tokens),
                    Next::Last(_) => "(end)".to_owned(),
                    Next::Foreign(text) => format!("({text}?)"),
                    Next::Wait | Next::Nothing => break,
                });
            }
        }
        read
    }

    #[test]
    fn parts_of_characters_are_read_from_the_text() {
        let parts = tokenizer().encode("日").unwrap().len();
        let lost = vec!["\u{fffd}"; parts];
        let names = [&[" a"][..], &lost, &[" a"]].concat();
        assert_eq!(read(vec![part(&names, " a日 a", false)]), [" a", "日", " a"]);
        // In a stream, the text comes with the last of them, and with some hosts the names are empty.
        let mut stream: Vec<Part> = vec![part(&[" a"], " a", false)];
        stream.extend((1..parts).map(|_| part(&[""], "", false)));
        stream.push(part(&[""], "日", false));
        assert_eq!(read(stream), [" a", "日"]);
        // One that the limit cuts off is not known.
        assert_eq!(read(vec![part(&[" a", "\u{fffd}"], " a\u{fffd}", false)]), [" a"]);
    }

    #[test]
    fn a_nameless_token_at_the_end_is_the_end() {
        assert_eq!(read(vec![part(&[" a", ""], " a", true)]), [" a", "(end)"]);
        assert_eq!(read(vec![part(&[" a", "<|im_start|>"], " a", true)]), [" a", "(end)"]);
        assert_eq!(read(vec![part(&[" a", " qqzz"], " a qqzz", false)]), [" a", "( qqzz?)"]);
    }

    #[test]
    fn tokens_and_their_text_belong_together() {
        let tokenizer = tokenizer();
        let tokens = tokenizer.encode(" a nice dinner").unwrap();
        for text in [
            " a nice dinner",
            "a nice dinner",
            " a nice",
            " a nice dinner\u{fffd}",
            "",
        ] {
            assert!(spells(&tokens, text, &tokenizer).is_ok(), "{text}");
        }
        for text in ["anicedinner", " the nice dinner"] {
            assert!(spells(&tokens, text, &tokenizer).is_err(), "{text}");
        }
    }
}
