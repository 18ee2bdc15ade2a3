use std::net::SocketAddr;
use std::path::PathBuf;

use super::explain::ExplainError;
use crate::local::LocalError;
use crate::service::{ServiceError, StartError};
use crate::settings::SettingsError;
use crate::setup::SetupError;
use crate::store::StoreError;
use crate::store::import::ImportError;
use crate::token::TokenError;
use crate::tune::TuneError;
use crate::vocabulary::VocabularyError;

/// Why a command ended early. Shown to the person as it is.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The proxy could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A model could not be loaded.
    #[error(transparent)]
    Model(#[from] LocalError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({source}); choose another with {setting}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The setting or flag it came from.
        setting: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Serving broke.
    #[error("serving failed: {0}")]
    Serve(std::io::Error),
    /// The terminal or pipe is gone.
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    /// `log.filter` does not parse.
    #[error("log.filter: {0}")]
    Log(#[from] tracing_subscriber::filter::ParseError),
    /// A running proxy is not ready.
    #[error("not ready: {0}")]
    NotReady(String),
    /// A tokenizer or a chat template.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The private text of a question.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// An answer and its trace.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// A pair could not be tuned.
    #[error(transparent)]
    Tune(#[from] TuneError),
    /// Something to import.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A new configuration.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file; - is standard input.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The arguments ask for something that is not there.
    #[error("{0}")]
    Usage(String),
    /// The showcase got no answer.
    #[error("the showcase failed: {0}")]
    Showcase(String),
}
