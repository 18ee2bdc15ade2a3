use crate::local::LocalError;
use crate::structure::StructureError;
use crate::upstream::UpstreamError;

/// Why a session could not go on.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The upstream failed.
    #[error("{source} (at position {position} of the answer)")]
    Upstream {
        /// 0 is the first of the answer.
        position: usize,
        /// What it did.
        source: UpstreamError,
    },
    /// The local model failed.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The local model's logits are NaN or infinite.
    #[error("the local model failed: {0}")]
    Logits(#[from] crate::steering::NotANumber),
    /// Not one of the upstream's candidates is a token that may be picked.
    #[error(
        "none of the upstream's candidates at position {position} of the answer is a token of the local vocabulary; do \
         upstream.tokenizer and the upstream's model belong together?"
    )]
    NoCandidate {
        /// 0 is the first of the answer.
        position: usize,
    },
    /// The answer's format allows none of the tokens whose probability can be learned.
    #[error(
        "at position {position} of the answer the upstream lists no token that the format of the answer allows, and gives none when asked \
         for more; a larger upstream.top_k can help, and so can telling the model in the prompt what to write"
    )]
    NothingAllowed {
        /// 0 is the first of the answer.
        position: usize,
    },
    /// The answer cannot go on in its format.
    #[error("{source} (at position {position} of the answer)")]
    Format {
        /// 0 is the first of the answer.
        position: usize,
        /// Why.
        source: StructureError,
    },
    /// The upstream answers, and without any position.
    #[error(
        "the upstream ended its answer at position {position} without a token; is its context longer than the prompt?"
    )]
    NoPosition {
        /// 0 is the first of the answer.
        position: usize,
    },
    /// The upstream's own choice is no token of the vocabulary.
    #[error(
        "the upstream chose token {token} at position {position} of the answer, and the vocabulary has {vocabulary} tokens; \
         do upstream.tokenizer and the upstream's model belong together?"
    )]
    UnknownToken {
        /// 0 is the first of the answer.
        position: usize,
        /// The upstream's token.
        token: u32,
        /// Tokens of the vocabulary.
        vocabulary: usize,
    },
}
