//! Reading `tokenizer.json`, or making one of a GGUF file.

use std::path::Path;

use serde::Deserialize;
use tokenizers::Tokenizer;

use super::VocabularyError;
use super::gguf::{self, GgufMetadata};

/// Reads the file at `path`.
///
/// # Errors
/// [`VocabularyError::Unreadable`]. [`VocabularyError::Broken`], also where a token would get another id than the file says.
pub fn read(path: &Path) -> Result<Tokenizer, VocabularyError> {
    let broken = |reason: String| VocabularyError::Broken {
        path: path.to_owned(),
        reason,
    };
    let json = if gguf::is_gguf(path) {
        let described = gguf::to_json(&GgufMetadata::read(path)?).map_err(broken)?;
        serde_json::to_vec(&described).map_err(|error| broken(error.to_string()))?
    } else {
        std::fs::read(path).map_err(|source| VocabularyError::Unreadable {
            path: path.to_owned(),
            source,
        })?
    };
    let mut tokenizer = Tokenizer::from_bytes(&json).map_err(|error| broken(error.to_string()))?;
    // What was set while the model was trained would cut prompts off, or lengthen them.
    tokenizer
        .with_padding(None)
        .with_truncation(None)
        .map_err(|error| broken(error.to_string()))?;
    let added: AddedTokens = serde_json::from_slice(&json).map_err(|error| broken(error.to_string()))?;
    match added.moved(&tokenizer) {
        Some((token, id)) => Err(broken(format!(
            "its token {:?} has the id {}, and is read as {id}: ids between its vocabulary and its added tokens are missing, or \
             are taken twice. Use the model's own tokenizer.json, or list the missing ids among its added_tokens",
            token.content, token.id
        ))),
        None => Ok(tokenizer),
    }
}

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
    /// A token that was read with another id than the file gives it, and that id. The tokenizers library gives an added token that is
    /// not in the vocabulary the next free id, whatever the file says.
    fn moved(&self, tokenizer: &Tokenizer) -> Option<(&AddedToken, u32)> {
        self.added_tokens.iter().find_map(|token| {
            let id = tokenizer.token_to_id(&token.content)?;
            (id != token.id).then_some((token, id))
        })
    }
}

/// One more than the highest id. Where the vocabulary has holes, it is larger than the number of entries.
pub fn vocabulary_size(tokenizer: &Tokenizer) -> usize {
    let highest = tokenizer.get_vocab(true).into_values().max();
    highest.map_or(0, |id| id as usize + 1)
}
