//! Reading what clients ask for, as far as steering understands it.

mod chat;
mod completion;
mod options;
mod read;

pub use chat::ChatRequest;
pub use completion::CompletionRequest;
pub use options::Options;

use super::ApiError;

/// Why a request cannot be steered.
pub enum RequestError {
    /// It is wrong for anybody.
    Invalid(ApiError),
    /// It is fine, but asks for what steering cannot do.
    Unsteerable {
        /// The field that asks for it.
        field: String,
        /// Why it cannot be done.
        reason: &'static str,
    },
}

impl From<ApiError> for RequestError {
    fn from(error: ApiError) -> Self {
        Self::Invalid(error)
    }
}
