/// Why a grammar cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StructureError {
    /// It cannot be compiled: something in it is wrong, too big, or not supported.
    #[error("{reason}")]
    Unusable {
        /// What is wrong, and where.
        reason: String,
    },
    /// It took too long to compile.
    #[error("it takes too long to compile; make it smaller or less deep")]
    TooSlow,
    /// An answer cannot go on in it.
    #[error("the format that the request asks for cannot be gone on with: {reason}")]
    Stuck {
        /// What has gone wrong.
        reason: String,
    },
}

impl StructureError {
    /// [`Self::Unusable`], for this reason.
    pub(super) fn unusable(reason: impl Into<String>) -> Self {
        Self::Unusable { reason: reason.into() }
    }

    /// [`Self::Stuck`], for this reason.
    pub(super) fn stuck(reason: &anyhow::Error) -> Self {
        let reason = reason.to_string();
        // What comes after the first line quotes the answer.
        let reason = reason.lines().next().unwrap_or_default().to_owned();
        Self::Stuck { reason }
    }
}
