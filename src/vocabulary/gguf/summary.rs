use std::path::Path;

use super::GgufMetadata;
use crate::vocabulary::VocabularyError;

/// What a GGUF file says of its model, for people who choose one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GgufSummary {
    /// The model's name; empty where the file has none.
    pub name: String,
    /// The number of its kind of numbers (`general.file_type`): 0 is F32, 1 F16, 7 Q8_0, 32 BF16, others are coarser.
    pub file_type: Option<u64>,
    /// Numbers that are kept of each token, for keys and values in all layers.
    pub numbers_per_token: usize,
    /// Tokens it can attend to.
    pub context_length: Option<usize>,
    /// Whether it says how a chat is written.
    pub has_chat_template: bool,
}

impl GgufSummary {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`VocabularyError::Unreadable`]; [`VocabularyError::Broken`] where it is no GGUF file.
    pub fn read(path: &Path) -> Result<Self, VocabularyError> {
        let metadata = GgufMetadata::read(path)?;
        let architecture = metadata.text("general.architecture").unwrap_or_default();
        let number = |name: &str| {
            let number = metadata.number(&format!("{architecture}.{name}"))?;
            usize::try_from(number).ok()
        };
        let heads = number("attention.head_count").unwrap_or(1).max(1);
        let width = number("embedding_length").unwrap_or(0) / heads;
        let each = number("attention.key_length").unwrap_or(width) + number("attention.value_length").unwrap_or(width);
        let kept = number("attention.head_count_kv").unwrap_or(heads);
        let context_length = metadata.context_length();
        Ok(Self {
            name: metadata.text("general.name").unwrap_or_default().to_owned(),
            file_type: metadata.number("general.file_type"),
            numbers_per_token: each
                .saturating_mul(kept)
                .saturating_mul(number("block_count").unwrap_or(0)),
            context_length: context_length.and_then(|length| usize::try_from(length).ok()),
            has_chat_template: metadata.text("tokenizer.chat_template").is_some(),
        })
    }
}
