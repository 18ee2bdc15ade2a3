use crate::http::ApiError;

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
