use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::defaults::Defaults;
use super::model::load_model;
use super::prompts::Prompts;
use super::upstreams::replicas;
use super::{StartError, StoreHandle, Structures, Vocabularies};
use reqwest::header::HeaderValue;

use crate::context::Sources;
use crate::decode::{BypassRule, Exactness, Reasoning, SessionLimits, Tools};
use crate::local::{LocalError, LocalModel, Owner, Slot};
use crate::settings::Settings;
use crate::steering::{Cap, Rule};
use crate::store::{ProfileName, StoreError};
use crate::upstream::{Caller, Replicas, Upstream};
use crate::vocabulary::{TokenBytes, TokenId};

/// Everything that steered answers need, loaded once.
pub struct Service {
    pub(super) replicas: Replicas,
    /// The same, as sessions see them.
    pub(super) upstream: Arc<dyn Upstream>,
    local: Arc<dyn LocalModel>,
    /// Where the small model's tokenizer is.
    tokenizer_files: PathBuf,
    /// The upstream is taken to have the local model's.
    pub(super) vocabulary_is_assumed: bool,
    pub(super) prompts: Arc<Prompts>,
    pub(super) structures: Structures,
    store: StoreHandle,
    /// Documents of a profile's history for one answer.
    history: usize,
    defaults: Defaults,
    pub(super) steering: Steering,
    pub(super) limits: SessionLimits,
}

/// How tokens are picked where a request says nothing.
pub(super) struct Steering {
    pub(super) rule: Rule,
    pub(super) exactness: Exactness,
    pub(super) forced_stop: Option<f64>,
    pub(super) bypass: BypassRule,
    pub(super) reasoning: Reasoning,
    pub(super) tools: Tools,
}

impl Service {
    /// Loads tokenizers and the local model. The upstream need not be up yet.
    ///
    /// # Errors
    /// A [`StartError`] naming the setting and the file.
    pub async fn load(settings: &Settings) -> Result<Arc<Self>, StartError> {
        let vocabularies = Vocabularies::load(settings).await?;
        let alignment = vocabularies.alignment(settings)?;
        let structures = Structures::new(Arc::clone(alignment.upstream()));
        tracing::info!(kind = %alignment.kind(), "{}", alignment.overlap());
        let replicas = replicas(settings, &vocabularies.upstream)?;
        let store = StoreHandle::new(&settings.store);
        if store.exists() {
            // A wrong key should not wait for somebody's question.
            store.with(|_| Ok(())).await?;
        }
        let defaults = Defaults::load(settings)?;
        let rule = Rule {
            strength: settings.steering.default_strength().ok_or(StartError::Strength)?,
            delta_floor: settings.steering.delta_floor,
            plausibility: settings.steering.plausibility,
            cap: Cap::new(settings.steering.max_shift),
        };
        let local = load_model(settings, &vocabularies).await?;
        tracing::info!("{}", local.description());
        let prompts = Prompts::new(settings, alignment, local.context_length())?;
        tracing::info!("thinking: {}", prompts.thoughts());
        tracing::info!("tools: {}", prompts.toolset());
        Ok(Arc::new(Self {
            prompts: Arc::new(prompts),
            structures,
            upstream: Arc::new(replicas.clone()),
            replicas,
            local,
            tokenizer_files: vocabularies.files,
            vocabulary_is_assumed: settings.upstream.tokenizer.is_none(),
            store,
            history: settings.context.history,
            defaults,
            steering: Steering {
                rule,
                exactness: settings.steering.exactness,
                forced_stop: settings.steering.forced_stop(),
                bypass: settings.steering.bypass(),
                reasoning: settings.steering.reasoning,
                tools: settings.steering.tools,
            },
            limits: SessionLimits {
                max_tokens: settings.steering.max_tokens,
                lookahead: settings.upstream.lookahead(),
                top_k: settings.upstream.top_k,
            },
        }))
    }

    /// The upstream's servers, for what passes through.
    pub fn replicas(&self) -> &Replicas {
        &self.replicas
    }

    /// The profiles.
    pub fn store(&self) -> &StoreHandle {
        &self.store
    }

    /// What writes prompts.
    pub fn prompts(&self) -> &Arc<Prompts> {
        &self.prompts
    }

    /// What computes the small model, and how much of it there is.
    pub fn engine(&self) -> String {
        self.local.description()
    }

    /// Where the small model's tokenizer is.
    pub fn tokenizer_files(&self) -> &Path {
        &self.tokenizer_files
    }

    /// How tokens are picked where a request says nothing.
    pub fn rule(&self) -> &Rule {
        &self.steering.rule
    }

    /// What applies where a request names nothing.
    pub fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// `sources` with what the profile and its history have for the question.
    ///
    /// # Errors
    /// [`StoreError::NoSuchProfile`], or why the store cannot be used.
    pub async fn recall(&self, name: &ProfileName, sources: Sources) -> Result<Sources, StoreError> {
        let count = self.history;
        self.store
            .of(name, move |store, name| sources.recalled(store, name, count))
            .await
    }

    /// Room for the sessions of one request. What is computed for it is remembered for callers with the same credential.
    ///
    /// # Errors
    /// [`LocalError::Busy`] when none came free.
    pub async fn slot(&self, caller: &Caller) -> Result<Arc<dyn Slot>, LocalError> {
        self.local.slot(owner(caller)).await
    }

    /// Room for one more of them, where some is free.
    pub fn free_slot(&self, caller: &Caller) -> Option<Arc<dyn Slot>> {
        self.local.free_slot(owner(caller))
    }

    /// The bytes behind every token of an answer.
    pub fn token_bytes(&self) -> &TokenBytes {
        self.prompts.alignment().upstream().bytes()
    }

    /// A token of an answer for people to read.
    pub fn shown(&self, id: TokenId) -> String {
        self.prompts.alignment().upstream().shown(id)
    }
}

/// Whose what is computed for `caller` is.
fn owner(caller: &Caller) -> Owner {
    let credential = caller.authorization.as_ref().map(HeaderValue::as_bytes);
    credential.map_or_else(Owner::default, Owner::of)
}
