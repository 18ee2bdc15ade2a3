//! Tokens as servers name them that list texts, found in the local vocabulary.

use serde::Deserialize;

use crate::upstream::Problem;
use crate::upstream::lenient::nullable;
use crate::upstream::ranking::ranked;
use crate::vocabulary::{TokenId, Tokenizer};

/// A token with its ln p, and, where it is the sampled one, the list of the position.
#[derive(Deserialize)]
#[serde(from = "Shown")]
pub struct Entry {
    /// How the server writes it; empty where it has no text.
    pub token: String,
    pub bytes: Option<Vec<u8>>,
    /// Its number, where the server says it.
    pub id: Option<u32>,
    pub logprob: f64,
    pub top_logprobs: Vec<Entry>,
}

/// An entry, in the forms that servers give it.
#[derive(Deserialize)]
struct Shown {
    token: Option<Name>,
    bytes: Option<Bytes>,
    /// llama.cpp's and mlx-lm's `id`, KoboldCpp's, TabbyAPI's and Fireworks' `token_id`.
    #[serde(alias = "token_id")]
    id: Option<u32>,
    logprob: f64,
    #[serde(default, deserialize_with = "nullable")]
    top_logprobs: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    /// mistral.rs names candidates by number.
    Number(u32),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bytes {
    List(Vec<u8>),
    /// mistral.rs writes them as a text.
    Text(String),
}

impl From<Shown> for Entry {
    fn from(shown: Shown) -> Self {
        let (bytes, written) = match shown.bytes {
            Some(Bytes::List(bytes)) => (Some(bytes), None),
            Some(Bytes::Text(text)) => (None, Some(text)),
            None => (None, None),
        };
        let (token, number) = match shown.token {
            Some(Name::Text(text)) => (text, None),
            Some(Name::Number(number)) => (written.unwrap_or_default(), Some(number)),
            None => (written.unwrap_or_default(), None),
        };
        Self {
            token,
            bytes,
            id: shown.id.or(number),
            logprob: shown.logprob,
            top_logprobs: shown.top_logprobs,
        }
    }
}

impl Entry {
    /// The token it stands for. `None` where it is of another vocabulary, or has neither id nor text.
    pub fn id(&self, tokenizer: &Tokenizer) -> Option<TokenId> {
        let by_number = self.id.map(TokenId).filter(|id| self.fits(tokenizer, *id));
        let by_text = || tokenizer.token_of(self.text());
        // Some write tokens as the vocabulary's file does, with signs in place of spaces.
        let by_name = || {
            tokenizer
                .id_of(&self.token)
                .filter(|id| !tokenizer.bytes().get(*id).is_empty())
        };
        by_number.or_else(by_text).or_else(by_name)
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
        let shown = String::from_utf8_lossy(ours).replace(char::REPLACEMENT_CHARACTER, "");
        let is_no_text = ours.is_empty() || std::str::from_utf8(ours).is_err();
        ours == theirs
            || tokenizer.name(id).as_bytes() == theirs
            || (is_no_text && shown == self.token.replace(char::REPLACEMENT_CHARACTER, ""))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(json: &str) -> Entry {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn entries_are_read_in_every_form() {
        for (json, token, text, id) in [
            (r#"{"token":" a","logprob":-1}"#, " a", " a", None),
            (
                r#"{"token":" a","bytes":null,"logprob":-1,"top_logprobs":null}"#,
                " a",
                " a",
                None,
            ),
            (
                r#"{"token":"\ufffd","bytes":[230],"token_id":7,"logprob":-1}"#,
                "\u{fffd}",
                "",
                Some(7),
            ),
            (r#"{"token":282,"bytes":" a","logprob":-1}"#, " a", " a", Some(282)),
            (r#"{"token":282,"logprob":-1}"#, "", "", Some(282)),
            (
                r#"{"id":282,"token":"\u0120a","logprob":-1}"#,
                "\u{120}a",
                "\u{120}a",
                Some(282),
            ),
        ] {
            let entry = entry(json);
            assert_eq!((entry.token.as_str(), entry.id), (token, id), "{json}");
            assert!(entry.bytes.is_some() || entry.text() == text.as_bytes(), "{json}");
        }
    }

    #[test]
    fn a_number_counts_only_beside_its_own_text() {
        let tokenizer = Tokenizer::load(std::path::Path::new("models/tiny/llm")).unwrap();
        let a = tokenizer.token_of(b" a").unwrap();
        let other = TokenId(a.0 + 1);
        for (number, name, expected) in [
            (a.0, " a", Some(a)),
            (a.0, "\u{120}a", Some(a)),
            // A vocabulary of another server.
            (other.0, " a", Some(a)),
            (a.0, "nothing of the kind", None),
        ] {
            let json = serde_json::json!({"id": number, "token": name, "logprob": 0}).to_string();
            assert_eq!(entry(&json).id(&tokenizer), expected, "{json}");
        }
        // The vocabulary's own writing is believed without a number, too.
        assert_eq!(entry(r#"{"token":"\u0120a","logprob":0}"#).id(&tokenizer), Some(a));
    }
}
