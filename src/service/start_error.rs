use std::net::SocketAddr;
use std::path::PathBuf;

use crate::local::LocalError;
use crate::store::StoreError;
use crate::upstream::UpstreamError;
use crate::vocabulary::VocabularyError;

/// Why the proxy cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The local model.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The listener is open to others, and nothing keeps them out.
    #[error(
        "server.listen = \"{listen}\" can be reached from other machines, and there is no server.api_key, so that everybody there could use \
         this proxy; set a key, listen on 127.0.0.1, or set server.open = true if that is meant"
    )]
    Open {
        /// The address.
        listen: SocketAddr,
    },
    /// A tokenizer.
    #[error("{setting}: {source}")]
    Vocabulary {
        /// The configuration key.
        setting: &'static str,
        /// What is wrong.
        source: VocabularyError,
    },
    /// The two vocabularies are said to be identical, and are not.
    #[error(
        "vocabulary.alignment = \"identical\", but upstream.tokenizer and local.model have different vocabularies; set it to \
         \"auto\", or take both models from one family"
    )]
    DifferentVocabularies,
    /// The upstream that is there at the start has not the vocabulary that it is taken to have.
    #[error(transparent)]
    Upstream(UpstreamError),
    /// The file with the default private context.
    #[error("context.file = \"{path}\" cannot be read: {source}")]
    ContextFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The store with the profiles.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The template of the private text.
    #[error("context.template: {0}")]
    Template(String),
    /// The HTTP client.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
    /// The configured key has characters that no header may have.
    #[error("upstream.api_key has characters that cannot be sent in a header")]
    ApiKey,
    /// The configured strength is out of range.
    #[error("steering.strength is out of range")]
    Strength,
}
