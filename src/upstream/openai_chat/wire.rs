//! Chat completions with log-probabilities, as far as steering needs them, and tokens found by their bytes.

use std::sync::Arc;

use serde::Deserialize;

use crate::upstream::ranking::ranked;
use crate::upstream::reader::{Dialect, Read};
use crate::upstream::{Position, Problem};
use crate::vocabulary::{TokenId, Tokenizer};

/// An event of the stream, or the whole answer.
#[derive(Deserialize)]
pub struct Event {
    #[serde(default)]
    pub choices: Vec<Choice>,
}

impl Event {
    /// The tokens of its choice, where it lists any.
    pub fn entries(self) -> Option<Vec<Entry>> {
        self.choices.into_iter().next()?.logprobs?.content
    }
}

#[derive(Deserialize)]
pub struct Choice {
    pub logprobs: Option<Logprobs>,
    finish_reason: Option<String>,
    delta: Option<Delta>,
}

#[derive(Deserialize)]
pub struct Delta {
    content: Option<String>,
}

#[derive(Deserialize)]
pub struct Logprobs {
    pub content: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
pub struct Entry {
    pub token: String,
    bytes: Option<Vec<u8>>,
    pub logprob: f64,
    #[serde(default)]
    pub top_logprobs: Vec<Entry>,
}

impl Entry {
    fn is_nameless(&self) -> bool {
        self.token.is_empty() && self.bytes.as_ref().is_none_or(Vec::is_empty)
    }
}

/// The token an entry stands for. `None` where it is of another vocabulary, or part of a character whose bytes are not given.
fn token(tokenizer: &Tokenizer, entry: &Entry) -> Option<TokenId> {
    let bytes = entry.bytes.as_deref().filter(|bytes| !bytes.is_empty());
    tokenizer.token_of(bytes.unwrap_or(entry.token.as_bytes()))
}

/// The list of an entry, in ids. Parts of characters are left out, unless it is the `draft` that the host itself went on with.
///
/// # Errors
/// As for [`ranked`].
pub fn candidates(
    tokenizer: &Tokenizer,
    entry: &Entry,
    top_k: usize,
    draft: Option<TokenId>,
) -> Result<Vec<(TokenId, f64)>, Problem> {
    // Checked before tokens are looked up: those that are not found have their share of the mass, too.
    let numbered = entry.top_logprobs.iter().enumerate();
    let raw = numbered
        .map(|(index, entry)| (TokenId(index as u32), entry.logprob))
        .collect();
    let raw = ranked(raw, top_k)?;
    let named = raw.into_iter().filter_map(|(index, logprob)| {
        let entry = entry.top_logprobs.get(index.index())?;
        Some((token(tokenizer, entry)?, logprob))
    });
    let is_whole = |id: TokenId| std::str::from_utf8(tokenizer.bytes().get(id)).is_ok();
    Ok(named.filter(|(id, _)| Some(*id) == draft || is_whole(*id)).collect())
}

pub struct Events {
    pub tokenizer: Arc<Tokenizer>,
    pub top_k: usize,
    /// The end of turn has been listed.
    pub ended: bool,
    /// The last entry, where it had neither text nor bytes: the end of turn, if the answer ends with it (llama.cpp), or else
    /// a part of a character (vLLM).
    pub nameless: Option<Entry>,
}

impl Events {
    fn position(&mut self, entry: &Entry) -> Result<Position, Problem> {
        let Some(draft) = token(&self.tokenizer, entry) else {
            let text = &entry.token;
            return Err(Problem::Malformed(format!(
                "its token {text:?} is none of the local vocabulary; do upstream.tokenizer and its model belong together?"
            )));
        };
        self.ended |= self.tokenizer.ends().contains(&draft);
        let candidates = candidates(&self.tokenizer, entry, self.top_k, Some(draft))?;
        Ok(Position { draft, candidates })
    }

    /// The end of turn. Some hosts list it without its name, and some do not list it at all but say that the answer has stopped.
    fn end(&mut self) -> Result<Position, Problem> {
        let draft = self.tokenizer.end();
        let Some(entry) = self.nameless.take() else {
            return Ok(Position {
                draft,
                candidates: vec![(draft, 0.0)],
            });
        };
        let mut candidates = candidates(&self.tokenizer, &entry, self.top_k, None)?;
        candidates.insert(0, (draft, entry.logprob));
        Ok(Position { draft, candidates })
    }
}

impl Dialect for Events {
    type Event = Event;
    type Item = Position;

    fn read(&mut self, event: Event) -> Result<Read<Position>, Problem> {
        let mut items = Vec::new();
        let Some(choice) = event.choices.into_iter().next() else {
            return Ok(Read { items, finished: false });
        };
        let entries = choice
            .logprobs
            .and_then(|logprobs| logprobs.content)
            .unwrap_or_default();
        let speaks = choice
            .delta
            .and_then(|delta| delta.content)
            .is_some_and(|content| !content.is_empty());
        if entries.is_empty() && speaks {
            return Err(Problem::NoLogprobs);
        }
        for entry in entries {
            if self.nameless.is_some() {
                return Err(Problem::Unusable {
                    reason: "it does not show the bytes of tokens that are part of a character".into(),
                });
            }
            if entry.is_nameless() {
                self.nameless = Some(entry);
            } else {
                items.push(self.position(&entry)?);
            }
        }
        if choice.finish_reason.as_deref() == Some("stop") && !self.ended {
            items.push(self.end()?);
        }
        Ok(Read {
            items,
            finished: choice.finish_reason.is_some(),
        })
    }
}
