use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use secrecy::SecretString;

use super::prompts::Composed;
use super::shelf::Shelf;
use super::start::{
    StartError, Vocabularies, alignment, composer, default_context, default_profile, load_lanes, own_token, replicas,
};
use super::{ApiError, ChatRequest, Options};
use crate::context::{Composer, PrivateContext, PublicPrompt, Sources};
use crate::decode::{Exactness, GateRule, Limits, Plan, Session};
use crate::local::{Lane, LocalModel};
use crate::settings::{OnUnsteerable, Settings};
use crate::steering::{Cap, Rule, Strength};
use crate::store::{ProfileName, StoreError};
use crate::upstream::{Caller, Prefix, Replicas, Upstream};
use crate::vocabulary::{Alignment, ChatMessage, Role, TokenBytes, TokenId};

/// How often upstreams that do not answer are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Everything the handlers share.
pub struct Proxy {
    pub(super) replicas: Replicas,
    pub(super) max_body_bytes: usize,
    /// What clients must bring, if anything.
    pub(super) api_key: Option<SecretString>,
    /// What stands for the person whose machine this is, where there is no key.
    pub(super) token: Option<SecretString>,
    /// Origins whose pages may call; `*` is all.
    pub(super) cors_origins: Vec<String>,
    /// Names under which it may be asked for, beside those of this machine.
    pub(super) hosts: Vec<String>,
    /// Headers that the upstream may see beside the usual ones.
    pub(super) pass_headers: Vec<HeaderName>,
    /// How long an answer that passes through may pause.
    pub(super) idle_timeout: Duration,
    /// Answers of one request: prompts times choices.
    pub(super) max_answers: usize,
    /// Whether `/metrics` is among the routes, and not on a listener of its own.
    pub(super) serves_metrics: bool,
    draining: AtomicBool,
    on_unsteerable: OnUnsteerable,
    pub(super) default_context: Option<PrivateContext>,
    pub(super) default_profile: Option<ProfileName>,
    /// Whether OpenAI's field `user` may name a profile.
    pub(super) user_field: bool,
    /// Whether texts may mark a part as private.
    pub(super) private_tags: bool,
    /// Documents of a profile's history for one answer.
    pub(super) history: usize,
    pub(super) shelf: Shelf,
    /// Whether only this machine can reach the listener, so that profiles and the page may be served.
    pub(super) is_local: bool,
    upstream: Arc<dyn Upstream>,
    pub(super) local: Arc<dyn LocalModel>,
    pub(super) alignment: Arc<Alignment>,
    pub(super) composer: Composer,
    rule: Rule,
    exactness: Exactness,
    forced_stop: Option<f64>,
    gate: GateRule,
    pub(super) limits: Limits,
}

impl Proxy {
    /// Loads tokenizers and the local model. The upstream need not be up yet.
    ///
    /// # Errors
    /// A [`StartError`] naming the setting and the file.
    pub async fn load(settings: &Settings) -> Result<Arc<Self>, StartError> {
        let server = &settings.server;
        if !server.listen.ip().is_loopback() && server.api_key.is_none() && !server.open {
            return Err(StartError::Open { listen: server.listen });
        }
        let vocabularies = Vocabularies::load(settings).await?;
        let alignment = alignment(settings, &vocabularies)?;
        tracing::info!(kind = %alignment.kind(), "{}", alignment.overlap());
        let replicas = replicas(settings, &vocabularies.upstream)?;
        let shelf = Shelf::new(&settings.store);
        if shelf.exists() {
            // A wrong key should not wait for somebody's question.
            shelf.with(|_| Ok(())).await?;
        }
        let rule = Rule {
            strength: settings.steering.default_strength().ok_or(StartError::Strength)?,
            delta_floor: settings.steering.delta_floor,
            plausibility: settings.steering.plausibility,
            cap: Cap::new(settings.steering.max_shift),
        };
        let lanes = load_lanes(settings, &vocabularies).await?;
        Ok(Arc::new(Self {
            max_body_bytes: settings.server.max_body_bytes,
            token: own_token(settings).await,
            api_key: settings.server.api_key.clone(),
            cors_origins: settings.server.cors_origins.clone(),
            hosts: settings
                .server
                .hosts
                .iter()
                .map(|host| host.to_ascii_lowercase())
                .collect(),
            // Checked with the rest of the configuration.
            pass_headers: settings
                .upstream
                .pass_headers
                .iter()
                .filter_map(|name| name.parse().ok())
                .collect(),
            idle_timeout: settings.upstream.idle_timeout,
            max_answers: settings.steering.max_answers,
            serves_metrics: settings.server.metrics_listen.is_none(),
            draining: AtomicBool::new(false),
            on_unsteerable: settings.steering.on_unsteerable,
            default_context: default_context(settings)?,
            default_profile: default_profile(settings),
            user_field: settings.context.user_field,
            private_tags: settings.context.private_tags,
            history: settings.context.history,
            shelf,
            is_local: settings.server.listen.ip().is_loopback(),
            upstream: Arc::new(replicas.clone()),
            replicas,
            local: Arc::new(lanes),
            alignment,
            composer: composer(settings)?,
            rule,
            exactness: settings.steering.exactness,
            forced_stop: settings.steering.forced_stop(),
            gate: settings.steering.gate(),
            limits: Limits {
                max_tokens: settings.steering.max_tokens,
                lookahead: settings.upstream.lookahead(),
                top_k: settings.upstream.top_k,
            },
        }))
    }

    /// Whether a request may be for `host` although it is no name of this machine's. Where the listener is open to others, a key keeps
    /// strangers out whatever they call it; without one, a name with a dot in it might be a page's that has taken our address.
    pub(super) fn takes_host(&self, host: &str) -> bool {
        let is_address = host.parse::<std::net::IpAddr>().is_ok();
        !self.is_local && (self.api_key.is_some() || is_address || !host.contains('.'))
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

    /// Opens a steered session for the first answer to `request`.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub async fn open_session(
        self: &Arc<Self>,
        request: &ChatRequest,
        context: &PrivateContext,
        strength: Option<Strength>,
        authorization: Option<HeaderValue>,
    ) -> Result<Session, ApiError> {
        let caller = Caller {
            model: request.options.model.clone(),
            authorization,
            ..Caller::default()
        };
        let prompt = PublicPrompt::Chat(request.messages.clone().into());
        let lane = self.lane().await?;
        let asked = Arc::new((prompt, Sources::from(context.clone())));
        self.open(asked, &request.options, strength, caller, lane).await
    }

    /// Opens a steered session for one answer to a prompt.
    ///
    /// # Errors
    /// 400 when the prompt does not fit a model's window, naming both numbers; whatever opening the session says.
    pub(super) async fn open(
        self: &Arc<Self>,
        asked: Arc<(PublicPrompt, Sources)>,
        options: &Options,
        strength: Option<Strength>,
        caller: Caller,
        lane: Arc<dyn Lane>,
    ) -> Result<Session, ApiError> {
        let (proxy, max_tokens) = (Arc::clone(self), options.max_tokens);
        let ((Composed { public, private, .. }, upstream_prompt), chat) = self
            .apart(move || {
                let (prompt, sources) = &*asked;
                let composed = proxy.compose(prompt, sources, max_tokens)?;
                let upstream_prompt = prompt.ids(proxy.alignment.upstream())?;
                Ok(((composed, upstream_prompt), prompt.chat()))
            })
            .await?;
        self.known("prompt", upstream_prompt.iter().map(|id| id.index()))?;
        self.known("logit_bias", options.penalties.bias.keys().copied())?;
        let local_room = self.room(public.len(), private.ids().len())?;
        let upstream_room = self.upstream_room(&caller, upstream_prompt.len()).await?;
        let wanted = options.max_tokens.unwrap_or(self.limits.max_tokens);
        let plan = Plan {
            caller,
            prompt: Prefix::new(chat, upstream_prompt),
            rule: Rule {
                strength: strength.unwrap_or(self.rule.strength),
                ..self.rule
            },
            sampling: options.sampling,
            penalties: options.penalties.clone(),
            list: options.logprobs,
            traced: options.traced,
            exactness: self.exactness,
            forced_stop: self.forced_stop,
            gate: self.gate,
            limits: Limits {
                max_tokens: wanted.min(upstream_room),
                ..self.limits
            },
            local_room,
        };
        let session = Session::open(
            Arc::clone(&self.upstream),
            lane,
            &self.alignment,
            &public,
            private.ids(),
            plan,
        );
        Ok(session.await?)
    }

    /// `sources` with what the profile and its history have for the question.
    ///
    /// # Errors
    /// [`StoreError::NoSuchProfile`], or why the store cannot be used.
    pub(super) async fn recall(&self, name: &ProfileName, sources: Sources) -> Result<Sources, StoreError> {
        let count = self.history;
        self.shelf
            .of(name, move |store, name| sources.recalled(store, name, count))
            .await
    }

    /// Room for the sessions of one request.
    ///
    /// # Errors
    /// 429 when none came free.
    pub(super) async fn lane(&self) -> Result<Arc<dyn Lane>, ApiError> {
        Ok(self.local.lane().await?)
    }

    /// The bytes behind every token of an answer.
    pub(super) fn token_bytes(&self) -> &TokenBytes {
        self.alignment.upstream().bytes()
    }

    /// A token of an answer for people to read.
    pub(super) fn shown(&self, id: TokenId) -> String {
        self.alignment.upstream().shown(id)
    }

    /// Tokens left for the answer in the upstream's window, as far as it says how long that is; at least one.
    async fn upstream_room(&self, caller: &Caller, prompt: usize) -> Result<usize, ApiError> {
        let description = self.replicas.describe(caller).await?;
        let model = description.model(caller.model.as_deref());
        match model.and_then(|model| model.context_length) {
            Some(window) if prompt >= window => Err(ApiError::too_long(
                "messages",
                format!(
                    "the messages are {prompt} tokens long, and the upstream's model holds {window} with the answer"
                ),
            )),
            Some(window) => Ok(window - prompt),
            None => Ok(usize::MAX),
        }
    }

    /// From now on it says that it is not ready.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether it is about to end.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Looks at the upstreams now and then, as long as none of them is well: whether the proxy is ready must not depend on
    /// somebody's request. Runs until it is dropped.
    pub async fn watch_upstreams(&self) {
        let mut looks = tokio::time::interval(LOOK_AGAIN);
        loop {
            looks.tick().await;
            if !self.replicas.any_is_well() {
                self.meet_upstreams().await;
            }
        }
    }

    /// Asks all upstreams what they are and how they write a chat, and logs it, so that whoever starts the proxy knows before
    /// the first request.
    pub async fn meet_upstreams(&self) {
        let caller = Caller::default();
        let chat: Arc<[ChatMessage]> = Arc::new([ChatMessage::new(Role::User, "Hello!")]);
        let Ok(ours) = self.alignment.upstream().chat_prompt(&chat) else {
            return;
        };
        for server in self.replicas.servers() {
            match server.prompt(Arc::clone(&chat), caller.clone()).await {
                Ok(Some(theirs)) if theirs != ours => tracing::warn!(
                    url = %server.connection().url(),
                    "the server writes a chat in other ids than we do; is upstream.tokenizer its model's? \
                     (costeer doctor says more)"
                ),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "an upstream is not there yet"),
            }
        }
    }
}
