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

impl RequestError {
    /// The same of a field that the client knows by another name.
    pub(super) fn renamed(self, name: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Invalid(error) => Self::Invalid(error.renamed(name)),
            Self::Unsteerable { field, reason } => Self::Unsteerable {
                field: name(&field),
                reason,
            },
        }
    }
}

impl From<ApiError> for RequestError {
    fn from(error: ApiError) -> Self {
        Self::Invalid(error)
    }
}
