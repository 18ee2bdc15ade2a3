use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use secrecy::ExposeSecret;

use super::{ApiError, ChatRequest};
use crate::context::{Composer, PrivateContext};
use crate::decode::{Exactness, GateRule, Limits, Plan, Session};
use crate::local::{EngineOptions, LaneLimits, Lanes, LocalError, LocalModel, ModelSource, tokenizer_directory};
use crate::settings::{Device, OnUnsteerable, Settings};
use crate::steering::{Rule, Sampling, Strength};
use crate::upstream::{Timeouts, Upstream, Vllm};
use crate::vocabulary::{ModelFiles, Tokenizer, VocabularyError};

/// Why the proxy cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The local model.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// A tokenizer.
    #[error("{setting}: {source}")]
    Vocabulary {
        /// The configuration key.
        setting: &'static str,
        /// What is wrong.
        source: VocabularyError,
    },
    /// The two vocabularies differ.
    #[error(
        "upstream.tokenizer and local.model have different vocabularies; the two models must share one (take both from \
         one family)"
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

/// Everything the handlers share.
pub struct Proxy {
    pub(super) client: Client,
    pub(super) upstream_url: String,
    /// The configured key as a header, which takes the place of the client's own.
    pub(super) authorization: Option<HeaderValue>,
    pub(super) max_body_bytes: usize,
    on_unsteerable: OnUnsteerable,
    pub(super) default_context: Option<PrivateContext>,
    upstream: Arc<dyn Upstream>,
    upstream_tokenizer: Arc<Tokenizer>,
    local: Arc<dyn LocalModel>,
    local_tokenizer: Arc<Tokenizer>,
    composer: Composer,
    rule: Rule,
    exactness: Exactness,
    gate: GateRule,
    limits: Limits,
}

impl Proxy {
    /// Loads tokenizers and the local model. The upstream need not be up yet.
    ///
    /// # Errors
    /// A [`StartError`] naming the setting and the file.
    pub async fn load(settings: &Settings) -> Result<Arc<Self>, StartError> {
        let local = &settings.local;
        let source = ModelSource::locate("local.model", &local.model).await?;
        let files = match &local.tokenizer {
            Some(value) => tokenizer_directory("local.tokenizer", value).await?,
            None => source.folder().to_owned(),
        };
        let local_tokenizer = tokenizer("local.model", &files)?;
        let upstream_tokenizer = match &settings.upstream.tokenizer {
            Some(value) => {
                let setting = "upstream.tokenizer";
                tokenizer(setting, &tokenizer_directory(setting, value).await?)?
            }
            None => Arc::clone(&local_tokenizer),
        };
        if !local_tokenizer.same_vocabulary(&upstream_tokenizer) {
            return Err(StartError::DifferentVocabularies);
        }
        let timeouts = Timeouts {
            first_token: settings.upstream.first_token_timeout,
            idle: settings.upstream.idle_timeout,
        };
        let client = http_client(settings)?;
        let authorization = authorization(settings)?;
        let upstream = Vllm::new(client.clone(), &settings.upstream.url, authorization.clone(), timeouts);
        let rule = Rule {
            strength: settings.steering.default_strength().ok_or(StartError::Strength)?,
            delta_floor: settings.steering.delta_floor,
            plausibility: settings.steering.plausibility,
        };
        let lanes = load_lanes(settings, &source, &files, &local_tokenizer).await?;
        Ok(Arc::new(Self {
            client,
            upstream_url: settings.upstream.url.trim_end_matches('/').to_owned(),
            authorization: authorization.clone(),
            max_body_bytes: settings.server.max_body_bytes,
            on_unsteerable: settings.steering.on_unsteerable,
            default_context: default_context(settings)?,
            upstream: Arc::new(upstream),
            upstream_tokenizer,
            local: Arc::new(lanes),
            local_tokenizer,
            composer: Composer {
                placement: settings.context.placement,
                default_system: settings.context.default_system.clone(),
            },
            rule,
            exactness: settings.steering.exactness,
            gate: settings.steering.gate(),
            limits: Limits {
                max_tokens: settings.steering.max_tokens,
                lookahead: settings.upstream.lookahead(),
                top_k: settings.upstream.top_k,
            },
        }))
    }

    /// What becomes of a request that has something private and cannot be steered because of `field`: the reason to give
    /// in a header when it is passed on all the same.
    ///
    /// # Errors
    /// 400 naming the field, unless `steering.on_unsteerable` is "pass".
    pub(super) fn unsteerable(&self, field: &str, reason: &str) -> Result<HeaderValue, ApiError> {
        match self.on_unsteerable {
            OnUnsteerable::Error => Err(ApiError::unsteerable(field, reason)),
            OnUnsteerable::Pass => Ok(HeaderValue::from_str(&format!("{field}: {reason}"))
                .unwrap_or(HeaderValue::from_static("the request cannot be steered"))),
        }
    }

    /// Opens a steered session for `request`.
    ///
    /// # Errors
    /// 400 when a prompt does not fit the local model's window, naming both numbers; whatever opening the session says.
    pub async fn open_session(
        &self,
        request: &ChatRequest,
        context: &PrivateContext,
        strength: Option<Strength>,
        authorization: Option<HeaderValue>,
    ) -> Result<Session, ApiError> {
        let branches = self
            .composer
            .branches(&self.local_tokenizer, &request.messages, context)?;
        let upstream_prompt = self.upstream_tokenizer.chat_prompt(&request.messages)?;
        let room = self.room(branches.public.len(), branches.private.ids().len())?;
        let wanted = request.max_tokens.unwrap_or(self.limits.max_tokens);
        let plan = Plan {
            model: request.model.clone(),
            authorization,
            upstream_prompt,
            rule: Rule {
                strength: strength.unwrap_or(self.rule.strength),
                ..self.rule
            },
            sampling: Sampling {
                temperature: request.temperature,
                top_p: request.top_p,
                seed: request.seed,
            },
            exactness: self.exactness,
            gate: self.gate,
            limits: Limits {
                max_tokens: wanted.min(room),
                ..self.limits
            },
        };
        let session = Session::open(
            Arc::clone(&self.upstream),
            self.local.as_ref(),
            Arc::clone(&self.local_tokenizer),
            &branches.public,
            branches.private.ids(),
            plan,
        );
        Ok(session.await?)
    }

    /// Tokens left for the answer in the local model's window; at least one.
    fn room(&self, public: usize, private: usize) -> Result<usize, ApiError> {
        let window = self.local.context_length();
        if public >= window {
            return Err(ApiError::too_long(
                "messages",
                format!("the messages are {public} tokens long, and the local model holds {window} with the answer"),
            ));
        }
        if private >= window {
            return Err(ApiError::too_long(
                "context",
                format!(
                    "the messages with the private context are {private} tokens long ({public} without it), and the \
                     local model holds {window} with the answer; shorten the context or choose a model with a longer \
                     window (local.model)"
                ),
            ));
        }
        Ok(window - public.max(private))
    }
}

/// A client that goes where it is told and nowhere else: no redirects, and no system proxy on the way to this machine.
fn http_client(settings: &Settings) -> Result<Client, reqwest::Error> {
    let upstream = &settings.upstream;
    let mut builder = Client::builder()
        .connect_timeout(upstream.connect_timeout)
        .redirect(Policy::none())
        .tcp_nodelay(true);
    let host = Url::parse(&upstream.url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    if host.is_some_and(|host| host == "localhost" || host.starts_with("127.") || host == "[::1]") {
        builder = builder.no_proxy();
    }
    builder.build()
}

fn authorization(settings: &Settings) -> Result<Option<HeaderValue>, StartError> {
    let Some(key) = &settings.upstream.api_key else {
        return Ok(None);
    };
    let mut value =
        HeaderValue::from_str(&format!("Bearer {}", key.expose_secret())).map_err(|_| StartError::ApiKey)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn tokenizer(setting: &'static str, files: &Path) -> Result<Arc<Tokenizer>, StartError> {
    let loaded = Tokenizer::load(files);
    loaded
        .map(Arc::new)
        .map_err(|source| StartError::Vocabulary { setting, source })
}

async fn load_lanes(
    settings: &Settings,
    source: &ModelSource,
    files: &Path,
    tokenizer: &Tokenizer,
) -> Result<Arc<Lanes>, StartError> {
    let local = &settings.local;
    let model_files = ModelFiles::read(files).map_err(|source| StartError::Vocabulary {
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
    let lanes = Lanes::load(source, &options, limits, tokenizer.end(), model_files.context_length());
    Ok(lanes.await?)
}

fn default_context(settings: &Settings) -> Result<Option<PrivateContext>, StartError> {
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
