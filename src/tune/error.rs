use std::path::PathBuf;

use crate::context::ContextError;
use crate::decode::DecodeError;
use crate::local::LocalError;
use crate::service::{ServiceError, StartError};
use crate::upstream::UpstreamError;
use crate::vocabulary::VocabularyError;

/// Why nothing could be tuned.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// A set of questions.
    #[error("the set of questions is not usable at line {line}: {reason}")]
    Set {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The models cannot be loaded.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The small model.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The upstream.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// A prompt.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    /// A prompt with a context.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A prompt that does not fit.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// An answer that could not go on.
    #[error("question {question}: {source}")]
    Answer {
        /// Its number in the set, counted from 1.
        question: usize,
        /// Why.
        source: DecodeError,
    },
    /// The file that keeps the results.
    #[error("cannot keep results in {path}: {source}; XDG_STATE_HOME names another folder")]
    State {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file that keeps the results is another program's.
    #[error("{path} has something else than results in line {line}; --fresh begins anew")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// Another run measures the same pair.
    #[error("another run of costeer tune measures this pair and keeps its results in {path}; wait for it, or end it")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// There is no folder for it.
    #[error("no home folder was found to keep results in; set HOME or XDG_STATE_HOME")]
    NoHome,
    /// No answer had a position.
    #[error("all answers were empty: the upstream ends its turn at once")]
    Nothing,
}
