use std::path::PathBuf;

/// Why a vocabulary could not be loaded or used. Every message names the file it is about.
#[derive(Debug, thiserror::Error)]
pub enum VocabularyError {
    /// A file that every model directory must have is not there or cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file that was tried.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file is there but does not say what it should.
    #[error("{path} is not usable: {reason}")]
    Broken {
        /// The file that was read.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The chat template refused the messages or failed while rendering them.
    #[error("the chat template of {path} refused these messages: {reason}")]
    Template {
        /// The directory the template came from.
        path: PathBuf,
        /// The template's own words.
        reason: String,
    },
    /// The tokenizer could not encode a text.
    #[error("the tokenizer of {path} could not encode the prompt: {reason}")]
    Encode {
        /// The directory the tokenizer came from.
        path: PathBuf,
        /// The tokenizer's own words.
        reason: String,
    },
}

impl VocabularyError {
    /// The same without the template's or tokenizer's own words, which may quote what they were given.
    pub fn without_words(self) -> Self {
        let reason = "its words are not repeated, for they may quote private text".to_owned();
        match self {
            Self::Template { path, .. } => Self::Template { path, reason },
            Self::Encode { path, .. } => Self::Encode { path, reason },
            other => other,
        }
    }
}
