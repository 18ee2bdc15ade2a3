use crate::context::ContextError;
use crate::decode::DecodeError;
use crate::local::LocalError;
use crate::store::StoreError;
use crate::upstream::UpstreamError;
use crate::vocabulary::VocabularyError;

/// Why a request gets no steered answer.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The request is wrong.
    #[error("{field}: {message}")]
    Invalid {
        /// The field that is.
        field: String,
        /// What is wrong with it.
        message: String,
    },
    /// It has too many tokens.
    #[error("{field}: {message}")]
    TooLong {
        /// Which part of it.
        field: &'static str,
        /// How many it has, and how many there may be.
        message: String,
    },
    /// The private text cannot be composed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A prompt cannot be written.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The small model.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The upstream.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The answer could not go on.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl ServiceError {
    /// The request is wrong in `field`.
    pub(super) fn invalid(field: &str, message: String) -> Self {
        Self::Invalid {
            field: field.to_owned(),
            message,
        }
    }
}
