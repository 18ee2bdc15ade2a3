use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::template::ChatTemplate;
use super::{ChatMessage, ModelFiles, TokenBytes, VocabularyError};

/// The number of a token in a vocabulary. Never a position, never a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub struct TokenId(pub u32);

impl TokenId {
    /// The id as an index into a vocabulary-sized slice.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A tokenizer with its chat template and the roles of its special tokens.
pub struct Tokenizer {
    directory: PathBuf,
    inner: tokenizers::Tokenizer,
    template: ChatTemplate,
    bytes: TokenBytes,
    /// The selectable token of these bytes; filled when it is first needed.
    by_bytes: OnceLock<HashMap<Box<[u8]>, TokenId>>,
    end: TokenId,
    ends: Vec<TokenId>,
    selectable: Vec<bool>,
}

impl Tokenizer {
    /// Loads `tokenizer.json` and its neighbours from a model directory.
    ///
    /// # Errors
    /// A [`VocabularyError`] that names the file when one is missing or broken, or when nothing says which token ends a
    /// turn.
    pub fn load(directory: &Path) -> Result<Self, VocabularyError> {
        let path = directory.join("tokenizer.json");
        let json = std::fs::read(&path).map_err(|source| VocabularyError::Unreadable {
            path: path.clone(),
            source,
        })?;
        let broken = |reason: String| VocabularyError::Broken {
            path: path.clone(),
            reason,
        };
        let inner = tokenizers::Tokenizer::from_bytes(&json).map_err(|error| broken(error.to_string()))?;
        let files = ModelFiles::read(directory)?;
        let size = vocabulary_size(&inner);
        let specials: HashSet<u32> = inner
            .get_added_tokens_decoder()
            .into_iter()
            .filter_map(|(id, token)| token.special.then_some(id))
            .collect();
        let named_end = files
            .special_text("eos_token")
            .and_then(|text| inner.token_to_id(&text));
        let mut ends: Vec<TokenId> = files.end_ids().into_iter().chain(named_end).map(TokenId).collect();
        ends.sort_unstable();
        ends.dedup();
        ends.retain(|id| id.index() < size);
        let Some(end) = named_end.map(TokenId).or_else(|| ends.first().copied()) else {
            return Err(broken(
                "nothing beside it says which token ends a turn (eos_token_id in generation_config.json or config.json, \
                 eos_token in tokenizer_config.json)"
                    .into(),
            ));
        };
        let selectable = (0..size)
            .map(|index| {
                let id = index as u32;
                inner.id_to_token(id).is_some() && (!specials.contains(&id) || ends.contains(&TokenId(id)))
            })
            .collect();
        Ok(Self {
            bytes: TokenBytes::of(&inner, size, &specials),
            template: ChatTemplate::compile(&files)?,
            by_bytes: OnceLock::new(),
            directory: directory.to_owned(),
            inner,
            end,
            ends,
            selectable,
        })
    }

    /// The prompt for `messages`, as ids, ending where the assistant's answer begins.
    ///
    /// # Errors
    /// [`VocabularyError::Template`] when the template refuses the messages.
    pub fn chat_prompt(&self, messages: &[ChatMessage]) -> Result<Vec<TokenId>, VocabularyError> {
        let text = self
            .template
            .render(messages)
            .map_err(|reason| VocabularyError::Template {
                path: self.directory.clone(),
                reason,
            })?;
        self.encode(&text)
    }

    /// The prompt for `text` that is to be continued as it is, as ids, with what the model expects before any text.
    ///
    /// # Errors
    /// [`VocabularyError::Encode`] when the tokenizer gives up.
    pub fn text_prompt(&self, text: &str) -> Result<Vec<TokenId>, VocabularyError> {
        self.encoded(text, true)
    }

    /// The ids of `text`, special tokens in it recognised, none added.
    ///
    /// # Errors
    /// [`VocabularyError::Encode`] when the tokenizer gives up.
    pub fn encode(&self, text: &str) -> Result<Vec<TokenId>, VocabularyError> {
        self.encoded(text, false)
    }

    fn encoded(&self, text: &str, add_special_tokens: bool) -> Result<Vec<TokenId>, VocabularyError> {
        let encoding = self
            .inner
            .encode_fast(text, add_special_tokens)
            .map_err(|error| VocabularyError::Encode {
                path: self.directory.clone(),
                reason: error.to_string(),
            })?;
        Ok(encoding.get_ids().iter().copied().map(TokenId).collect())
    }

    /// The bytes behind every id.
    pub fn bytes(&self) -> &TokenBytes {
        &self.bytes
    }

    /// The token for people to read: its text, U+FFFD for bytes that are no character by themselves, or its name where it stands
    /// for no text.
    pub fn shown(&self, id: TokenId) -> String {
        match self.bytes.get(id) {
            [] => self.inner.id_to_token(id.0).unwrap_or_default(),
            bytes => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// The token that stands for exactly these bytes, the lowest where there are several; the name of a token that ends a
    /// turn stands for that token.
    pub fn token_of(&self, bytes: &[u8]) -> Option<TokenId> {
        let by_bytes = self.by_bytes.get_or_init(|| {
            let ids = (0..self.selectable.len() as u32).rev().map(TokenId);
            let ordinary = ids.filter(|id| self.selectable[id.index()] && !self.bytes.get(*id).is_empty());
            ordinary.map(|id| (self.bytes.get(id).into(), id)).collect()
        });
        let end_named = || {
            let id = self.inner.token_to_id(std::str::from_utf8(bytes).ok()?)?;
            Some(TokenId(id)).filter(|id| self.ends.contains(id))
        };
        by_bytes.get(bytes).copied().or_else(end_named)
    }

    /// Ids that end the assistant's turn, ascending; never empty.
    pub fn ends(&self) -> &[TokenId] {
        &self.ends
    }

    /// The id that ends the assistant's turn by default.
    pub fn end(&self) -> TokenId {
        self.end
    }

    /// Which ids may be picked, shape `[vocabulary]`: real tokens (no padding rows) that are ordinary or end the turn.
    pub fn selectable(&self) -> &[bool] {
        &self.selectable
    }

    /// Whether every id stands for the same bytes in both, and the same ids end a turn.
    pub fn same_vocabulary(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.ends == other.ends && self.selectable == other.selectable
    }
}

/// One past the highest id; larger than the number of entries when the vocabulary has holes.
fn vocabulary_size(inner: &tokenizers::Tokenizer) -> usize {
    let highest = inner.get_vocab(true).into_values().max();
    highest.map_or(0, |id| id as usize + 1)
}
