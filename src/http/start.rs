//! Loading what the proxy runs on: tokenizers, the small model, the way to the upstreams.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::context::{Composer, PrivateContext, Template};
use crate::local::{EngineOptions, LaneLimits, Lanes, LocalError, ModelSource, tokenizer_directory};
use crate::settings::{Device, Settings};
use crate::store::{ProfileName, StoreError};
use crate::token;
use crate::upstream::{Connection, Replicas, Retries, Server, Timeouts, bearer};
use crate::vocabulary::{Alignment, ModelFiles, Tokenizer, VocabularyError};

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

/// The two vocabularies a session speaks in, and where the local one was found.
pub struct Vocabularies {
    /// The local model's files.
    pub source: ModelSource,
    /// Where its tokenizer is.
    pub files: PathBuf,
    /// Of the local model.
    pub local: Arc<Tokenizer>,
    /// Of the upstream's model.
    pub upstream: Arc<Tokenizer>,
}

impl Vocabularies {
    /// Reads both tokenizers.
    ///
    /// # Errors
    /// A [`StartError`] naming the setting and the file.
    pub async fn load(settings: &Settings) -> Result<Self, StartError> {
        let local = &settings.local;
        let source = ModelSource::locate("local.model", &local.model).await?;
        let files = match &local.tokenizer {
            Some(value) => tokenizer_directory("local.tokenizer", value).await?,
            None => source.folder().to_owned(),
        };
        let local = tokenizer("local.model", &files)?;
        let upstream = match &settings.upstream.tokenizer {
            Some(value) => {
                let setting = "upstream.tokenizer";
                tokenizer(setting, &tokenizer_directory(setting, value).await?)?
            }
            None => Arc::clone(&local),
        };
        Ok(Self {
            source,
            files,
            local,
            upstream,
        })
    }
}

/// Brings the two vocabularies together as configured.
///
/// # Errors
/// [`StartError::DifferentVocabularies`].
pub fn alignment(settings: &Settings, vocabularies: &Vocabularies) -> Result<Arc<Alignment>, StartError> {
    let (upstream, local) = (Arc::clone(&vocabularies.upstream), Arc::clone(&vocabularies.local));
    let alignment = Alignment::new(settings.vocabulary.alignment, upstream, local);
    alignment.map(Arc::new).ok_or(StartError::DifferentVocabularies)
}

/// The configured upstreams. None of them need be up yet.
///
/// # Errors
/// A [`StartError`] naming the setting.
pub fn replicas(settings: &Settings, tokenizer: &Arc<Tokenizer>) -> Result<Replicas, StartError> {
    let upstream = &settings.upstream;
    let timeouts = Timeouts {
        connect: upstream.connect_timeout,
        first_token: upstream.first_token_timeout,
        idle: upstream.idle_timeout,
        whole: upstream.answer_timeout,
    };
    let authorization = authorization(settings)?;
    // Checked with the rest of the configuration.
    let header = upstream.affinity_header.as_deref();
    let header = header.and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok());
    let servers = upstream.urls.iter().map(|url| {
        let connection = Connection::new(url, authorization.clone(), header.clone(), timeouts)?;
        Ok(Server::new(connection, upstream.driver, Arc::clone(tokenizer)))
    });
    let servers = servers.collect::<Result<Vec<_>, StartError>>()?;
    let retries = Retries {
        rounds: upstream.retries,
    };
    Ok(Replicas::new(servers, retries))
}

fn authorization(settings: &Settings) -> Result<Option<HeaderValue>, StartError> {
    let Some(key) = &settings.upstream.api_key else {
        return Ok(None);
    };
    bearer(key.expose_secret()).map(Some).ok_or(StartError::ApiKey)
}

fn tokenizer(setting: &'static str, files: &Path) -> Result<Arc<Tokenizer>, StartError> {
    let loaded = Tokenizer::load(files);
    loaded
        .map(Arc::new)
        .map_err(|source| StartError::Vocabulary { setting, source })
}

/// Loads the local model.
///
/// # Errors
/// A [`StartError`] naming the setting and the file.
pub async fn load_lanes(settings: &Settings, vocabularies: &Vocabularies) -> Result<Arc<Lanes>, StartError> {
    let local = &settings.local;
    let model_files = ModelFiles::read(&vocabularies.files).map_err(|source| StartError::Vocabulary {
        setting: "local.model",
        source,
    })?;
    let options = EngineOptions {
        precision: local.dtype,
        quantisation: local.quantisation.clone(),
        force_cpu: local.device == Device::Cpu,
    };
    let limits = LaneLimits {
        lanes: local.lanes,
        queue: local.queue,
        patience: local.queue_timeout,
    };
    let lanes = Lanes::load(
        &vocabularies.source,
        &options,
        limits,
        vocabularies.local.end(),
        model_files.context_length(),
    );
    Ok(lanes.await?)
}

/// How private text is composed and placed.
///
/// # Errors
/// [`StartError::Template`].
pub fn composer(settings: &Settings) -> Result<Composer, StartError> {
    let context = &settings.context;
    Ok(Composer {
        template: Template::compile(context.template.as_deref()).map_err(StartError::Template)?,
        budget: context.budget,
        document_tokens: context.document_tokens,
        placement: context.placement,
        default_system: context.default_system.clone(),
    })
}

/// The private context of requests that bring none, if one is configured.
///
/// # Errors
/// [`StartError::ContextFile`].
pub fn default_context(settings: &Settings) -> Result<Option<PrivateContext>, StartError> {
    let context = &settings.context;
    let text = match (&context.text, &context.file) {
        (Some(text), _) => text.expose_secret().to_owned(),
        (None, Some(file)) => std::fs::read_to_string(file).map_err(|source| StartError::ContextFile {
            path: file.into(),
            source,
        })?,
        (None, None) => return Ok(None),
    };
    Ok(Some(PrivateContext::new(text)).filter(|context| !context.is_blank()))
}

/// The profile of requests that name none, if one is configured.
pub fn default_profile(settings: &Settings) -> Option<ProfileName> {
    // Checked with the rest of the configuration.
    settings
        .context
        .profile
        .as_deref()
        .and_then(|name| ProfileName::new(name).ok())
}

/// The token that stands for the person whose machine this is, where no `server.api_key` does. Without a place for it there is none, and
/// what is stored is for programs of this process' own user alone.
pub async fn own_token(settings: &Settings) -> Option<SecretString> {
    if settings.server.api_key.is_some() {
        return None;
    }
    let path = token::path(&settings.store.file().ok()?);
    let made = tokio::task::spawn_blocking(move || token::load_or_make(&path))
        .await
        .ok()?;
    made.inspect_err(|error| tracing::warn!(%error, "there is no token for profiles and configured contexts"))
        .ok()
}
