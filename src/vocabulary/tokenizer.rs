use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::template::ChatTemplate;
use super::{ChatMessage, Lexicon, ModelFiles, Role, TokenBytes, VocabularyError};

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
    /// Made when it is first needed.
    lexicon: OnceLock<Lexicon>,
    end: TokenId,
    ends: Vec<TokenId>,
    selectable: Vec<bool>,
    longest: usize,
}

/// Bytes of a token in texts that people write, generously.
const USUAL_BYTES: usize = 8;
/// Bytes that are cut into tokens in no time.
const CHEAP_BYTES: usize = 64 << 10;
/// Bytes of a text that are cut into tokens at once to count them.
const PART_BYTES: usize = 8 << 10;

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
        let added: AddedTokens = serde_json::from_slice(&json).map_err(|error| broken(error.to_string()))?;
        if let Some((token, id)) = added.moved(&inner) {
            return Err(broken(format!(
                "its token {:?} has the id {}, and is read as {id}: ids between its vocabulary and its added tokens are missing, or \
                 are taken twice. Use the model's own tokenizer.json, or list the missing ids among its added_tokens",
                token.content, token.id
            )));
        }
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
        let bytes = TokenBytes::of(&inner, size, &specials);
        let longest = (0..size as u32).map(|id| bytes.get(TokenId(id)).len()).max();
        Ok(Self {
            longest: longest.unwrap_or(1).max(1),
            bytes,
            template: ChatTemplate::compile(&files)?,
            lexicon: OnceLock::new(),
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
            .map(Zeroizing::new)
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

    /// Whether texts are longer than `most` tokens. What is far too long is known by its first part: no token is longer than
    /// [`Self::longest_token`], and tokens of a part are tokens of the whole but for those at its ends.
    pub fn exceeds(&self, texts: &[&str], most: usize) -> bool {
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        if bytes <= most.saturating_mul(USUAL_BYTES).max(CHEAP_BYTES) {
            // Cheap enough to be counted for certain, by whoever needs the ids.
            return false;
        }
        if bytes > most.saturating_mul(self.longest_token()) {
            return true;
        }
        let mut count = 0;
        for text in texts {
            let mut rest = *text;
            while !rest.is_empty() {
                let (part, after) = rest.split_at(rest.floor_char_boundary(PART_BYTES));
                count += self.encode(part).map_or(0, |ids| ids.len().saturating_sub(2));
                rest = after;
                if count > most {
                    return true;
                }
            }
        }
        false
    }

    /// Bytes of the longest token.
    pub fn longest_token(&self) -> usize {
        self.longest
    }

    /// The bytes behind every id.
    pub fn bytes(&self) -> &TokenBytes {
        &self.bytes
    }

    /// The token for people to read: its text, U+FFFD for bytes that are no character by themselves, or its name where it stands
    /// for no text.
    pub fn shown(&self, id: TokenId) -> String {
        match self.bytes.get(id) {
            [] => self.name(id),
            bytes => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// The token that stands for exactly these bytes, the first of the lexicon where there are several; the name of a token that
    /// ends a turn stands for that token.
    pub fn token_of(&self, bytes: &[u8]) -> Option<TokenId> {
        let lexicon = self.lexicon();
        let end_named = || {
            let id = self.inner.token_to_id(std::str::from_utf8(bytes).ok()?)?;
            Some(TokenId(id)).filter(|id| self.ends.contains(id))
        };
        let ordinary = lexicon.exactly(bytes).next().map(|place| lexicon.id(place));
        ordinary.or_else(end_named)
    }

    /// The tokens that stand for text. Of those that stand for the same, what a text is written in comes before the lone bytes that
    /// are a last resort (`<0x41>` beside `A`).
    pub fn lexicon(&self) -> &Lexicon {
        self.lexicon.get_or_init(|| {
            let ids = || (0..self.selectable.len() as u32).map(TokenId);
            let ordinary = |id: &TokenId| self.selectable[id.index()] && !self.ends.contains(id);
            let written = ids().filter(|id| ordinary(id) && !self.is_lone_byte(*id));
            let lone = ids().filter(|id| ordinary(id) && self.is_lone_byte(*id));
            Lexicon::new(written.chain(lone).map(|id| (id, self.bytes.get(id))))
        })
    }

    /// Whether a token is a byte that is written by its number: what SentencePiece falls back on.
    pub fn is_lone_byte(&self, id: TokenId) -> bool {
        self.bytes.get(id).len() == 1 && self.name(id).starts_with("<0x")
    }

    /// What the tokenizer's file calls a token; empty for a hole.
    pub fn name(&self, id: TokenId) -> String {
        self.inner.id_to_token(id.0).unwrap_or_default()
    }

    /// `bytes` as tokens in the midst of a text: as the tokenizer writes them where it does so without changing them (many put
    /// a space before a text, or normalise it), and otherwise the longest tokens that go, one after the other. Bytes that no
    /// token begins with are left out.
    pub fn split(&self, bytes: &[u8]) -> Vec<TokenId> {
        if let Some(place) = self.lexicon().exactly(bytes).next() {
            return vec![self.lexicon().id(place)];
        }
        let text = std::str::from_utf8(bytes).ok();
        let whole = text.and_then(|text| {
            // After the name of a special token, and after a line break, a text goes on.
            let openings = [String::new(), self.name(self.end), "\n".to_owned()];
            let written = openings
                .iter()
                .map(|opening| (opening, self.encode(&format!("{opening}{text}"))));
            written
                .filter_map(|(opening, ids)| self.without(opening, ids.ok()?))
                .find(|ids| self.spells(ids, bytes))
        });
        whole.unwrap_or_else(|| self.lexicon().greedy(bytes))
    }

    /// `ids` without the token that is all of `opening`.
    fn without(&self, opening: &str, mut ids: Vec<TokenId>) -> Option<Vec<TokenId>> {
        let first = ids.first().copied();
        let is_opening = |id: TokenId| id == self.end || self.bytes.get(id) == opening.as_bytes();
        if opening.is_empty() {
            return Some(ids);
        }
        first.filter(|id| is_opening(*id))?;
        ids.remove(0);
        Some(ids)
    }

    /// Whether `ids` stand for exactly `bytes`.
    pub fn spells(&self, ids: &[TokenId], bytes: &[u8]) -> bool {
        let mut rest = bytes;
        for id in ids {
            let of_this = self.bytes.get(*id);
            match rest.strip_prefix(of_this) {
                Some(after) if !of_this.is_empty() => rest = after,
                _ => return false,
            }
        }
        rest.is_empty()
    }

    /// What the chat template puts between the prompt and the answer that follows: empty, or the space that some families begin
    /// their answers with.
    pub fn lead(&self) -> Vec<u8> {
        let question = ChatMessage::new(Role::User, "Q");
        let answer = ChatMessage::new(Role::Assistant, ANSWER);
        let prompt = self.template.render(std::slice::from_ref(&question));
        let whole = self.template.render(&[question, answer]);
        let between = prompt.ok().zip(whole.ok()).and_then(|(prompt, whole)| {
            let (between, _) = whole.strip_prefix(&prompt)?.split_once(ANSWER)?;
            between.trim().is_empty().then(|| between.as_bytes().to_vec())
        });
        between.unwrap_or_default()
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

/// An answer that no template contains.
const ANSWER: &str = "An answer of the assistant's.";

/// What `tokenizer.json` says about the tokens that were added to its vocabulary.
#[derive(Deserialize)]
struct AddedTokens {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
}

impl AddedTokens {
    /// A token that was read with another id than its file gives it, and that id. The tokenizers library numbers added tokens
    /// that its vocabulary lacks from the vocabulary's length on, whatever the file says.
    fn moved(&self, inner: &tokenizers::Tokenizer) -> Option<(&AddedToken, u32)> {
        self.added_tokens.iter().find_map(|token| {
            let id = inner.token_to_id(&token.content)?;
            (id != token.id).then_some((token, id))
        })
    }
}

/// One past the highest id; larger than the number of entries when the vocabulary has holes.
fn vocabulary_size(inner: &tokenizers::Tokenizer) -> usize {
    let highest = inner.get_vocab(true).into_values().max();
    highest.map_or(0, |id| id as usize + 1)
}
