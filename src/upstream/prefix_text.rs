use super::{Prefix, Problem};
use crate::vocabulary::Tokenizer;

/// A prefix as servers take it that take text.
pub struct PrefixText {
    /// All of it that is whole characters.
    pub text: String,
    /// The first bytes of a character after that, which no text can hold.
    pub begun: Vec<u8>,
}

impl PrefixText {
    /// Writes `prefix` out, special tokens by their names. What the model expects before any text is left out, because the server puts it
    /// there.
    ///
    /// # Errors
    /// [`Problem::Unusable`] for bytes that are no text.
    pub fn new(prefix: &Prefix, tokenizer: &Tokenizer) -> Result<Self, Problem> {
        let before = tokenizer.text_prompt("").unwrap_or_default();
        let ids = prefix.ids.strip_prefix(before.as_slice()).unwrap_or(&prefix.ids);
        let mut bytes = Vec::new();
        for id in ids {
            match tokenizer.bytes().get(*id) {
                [] => bytes.extend(tokenizer.name(*id).into_bytes()),
                text => bytes.extend(text),
            }
        }
        let whole = match std::str::from_utf8(&bytes) {
            Err(error) if error.error_len().is_some() => {
                let reason = "it takes text only, and the prompt holds bytes that are none".to_owned();
                return Err(Problem::Unusable { reason });
            }
            Err(error) => error.valid_up_to(),
            Ok(text) => text.len(),
        };
        let begun = bytes.split_off(whole);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Self { text, begun })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::vocabulary::TokenId;

    fn written(ids: &[TokenId], tokenizer: &Tokenizer) -> Result<PrefixText, Problem> {
        PrefixText::new(&Prefix::new(Arc::default(), ids.to_vec()), tokenizer)
    }

    #[test]
    fn a_prefix_ends_with_a_whole_character_and_what_follows_is_kept_apart() {
        let tokenizer = Tokenizer::load(Path::new("models/tiny/llm")).unwrap();
        let text = "<|im_start|>user\nZoë 日本<|im_end|>";
        let ids = tokenizer.encode(text).unwrap();
        let whole = written(&ids, &tokenizer).unwrap();
        assert_eq!((whole.text.as_str(), whole.begun.len()), (text, 0));
        let ids = tokenizer.encode("日").unwrap();
        assert!(ids.len() > 1, "the vocabulary has it in one token");
        let part = written(&ids[..1], &tokenizer).unwrap();
        assert_eq!(
            (part.text.as_str(), part.begun.as_slice()),
            ("", tokenizer.bytes().get(ids[0]))
        );
        let broken = [ids[0], tokenizer.token_of(b"a").unwrap()];
        assert!(written(&broken, &tokenizer).is_err());
    }
}
