//! Tokens as servers name them that list texts, found in the local vocabulary.

use serde::Deserialize;

use crate::upstream::Problem;
use crate::upstream::lenient::nullable;
use crate::upstream::ranking::ranked;
use crate::vocabulary::{TokenId, Tokenizer};

/// A token with its ln p, and, where it is the sampled one, the list of the position.
#[derive(Deserialize)]
pub struct Entry {
    #[serde(default, deserialize_with = "nullable")]
    pub token: String,
    bytes: Option<Vec<u8>>,
    /// llama.cpp's `id`, TabbyAPI's and Fireworks' `token_id`.
    #[serde(alias = "token_id")]
    id: Option<u32>,
    pub logprob: f64,
    #[serde(default, deserialize_with = "nullable")]
    pub top_logprobs: Vec<Entry>,
}

impl Entry {
    /// The token it stands for. `None` where it is of another vocabulary, or has neither id nor text.
    pub fn id(&self, tokenizer: &Tokenizer) -> Option<TokenId> {
        let by_number = self.id.map(TokenId).filter(|id| self.fits(tokenizer, *id));
        by_number.or_else(|| tokenizer.token_of(self.text()))
    }

    /// The bytes of its text; empty where it has none.
    pub fn text(&self) -> &[u8] {
        let bytes = self.bytes.as_deref().filter(|bytes| !bytes.is_empty());
        bytes.unwrap_or(self.token.as_bytes())
    }

    /// Whether a token's number and its text are those of one token of the local vocabulary.
    fn fits(&self, tokenizer: &Tokenizer, id: TokenId) -> bool {
        let (ours, theirs) = (tokenizer.bytes().get(id), self.text());
        // Servers write special tokens and parts of characters as nothing, or with U+FFFD.
        let is_no_text = std::str::from_utf8(ours).map_or(true, str::is_empty);
        ours == theirs
            || tokenizer.name(id).as_bytes() == theirs
            || (is_no_text && (theirs.is_empty() || self.token.contains(char::REPLACEMENT_CHARACTER)))
    }
}

/// What an entry without a name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Nameless {
    /// Nothing that is known.
    Unknown,
    /// A special token; the likeliest of them is the end of turn.
    End,
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
    nameless: Nameless,
) -> Result<Vec<(TokenId, f64)>, Problem> {
    // Checked before tokens are looked up: those that are not found have their share of the mass, too.
    let numbered = entry.top_logprobs.iter().enumerate();
    let raw = numbered
        .map(|(index, entry)| (TokenId(index as u32), entry.logprob))
        .collect();
    let raw = ranked(raw, top_k)?;
    let mut end = Some(tokenizer.end()).filter(|_| nameless == Nameless::End);
    let named = raw.into_iter().filter_map(|(index, logprob)| {
        let entry = entry.top_logprobs.get(index.index())?;
        let unnamed = || if entry.text().is_empty() { end.take() } else { None };
        Some((entry.id(tokenizer).or_else(unnamed)?, logprob))
    });
    let is_whole = |id: TokenId| std::str::from_utf8(tokenizer.bytes().get(id)).is_ok();
    Ok(named.filter(|(id, _)| Some(*id) == draft || is_whole(*id)).collect())
}
