use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::stream;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::chat::chat_completions;
use super::completions::completions;
use super::error::Refusal;
use super::generation::{Generated, Generation};
use super::request::Tokenize;
use super::slots::Slots;
use crate::local::{Engine, EngineOptions, LocalError, ModelSource};
use crate::vocabulary::{ModelFiles, Tokenizer};
use crate::wire::{DONE, Envelope, FINGERPRINT, Usage, events, now};

/// How much slower than it could be the server answers, to stand in for a remote one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pacing {
    /// Before every answer, like a network's round trip.
    pub delay: Duration,
    /// Before every token, like a big model's step.
    pub pace: Duration,
}

impl Pacing {
    /// Waits as long as a request takes to arrive.
    pub async fn request(&self) {
        pause(self.delay).await;
    }

    /// Waits as long as a token takes to compute.
    pub async fn token(&self) {
        pause(self.pace).await;
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// A model behind vLLM's HTTP shapes.
pub struct DemoServer {
    pub(super) name: String,
    pub(super) tokenizer: Tokenizer,
    pub(super) slots: Arc<Slots>,
    pub(super) context_length: usize,
    pub(super) pacing: Pacing,
    /// Tokens generated since the start.
    pub(super) generated: AtomicU64,
    /// Rows of the model's output, padding included; ids below it are accepted in prompts.
    pub(super) rows: usize,
}

/// Requests may be as long as a full window of ids written in decimal.
const MAX_BODY_BYTES: usize = 32 << 20;

impl DemoServer {
    /// Loads the model `slots` times, so that as many requests run side by side, and serves it as `name`.
    ///
    /// # Errors
    /// A [`LocalError`] naming the setting and the file.
    pub async fn load(
        source: &ModelSource,
        options: &EngineOptions,
        slots: usize,
        name: &str,
        pacing: Pacing,
    ) -> Result<Arc<Self>, LocalError> {
        let unusable = |reason: String| LocalError::Source {
            setting: source.setting(),
            value: source.written().to_owned(),
            reason,
        };
        let tokenizer = Tokenizer::load(source.folder()).map_err(|error| unusable(error.to_string()))?;
        let files = ModelFiles::read(source.folder()).map_err(|error| unusable(error.to_string()))?;
        let mut engines = Vec::with_capacity(slots);
        for _ in 0..slots {
            engines.push(Engine::load(source, options, tokenizer.end()).await?);
        }
        let known = engines.first().and_then(Engine::context_length);
        let context_length = known
            .or(files.context_length())
            .ok_or_else(|| unusable("config.json has no max_position_embeddings".into()))?;
        let rows = files.config.get("vocab_size").and_then(Value::as_u64);
        let rows = rows.and_then(|rows| usize::try_from(rows).ok());
        Ok(Arc::new(Self {
            name: name.to_owned(),
            rows: rows.unwrap_or(tokenizer.selectable().len()),
            tokenizer,
            slots: Slots::new(engines),
            context_length,
            pacing,
            generated: AtomicU64::new(0),
        }))
    }

    /// Tokens generated since the start, whether anybody read them or not.
    pub fn generated(&self) -> u64 {
        self.generated.load(Ordering::Relaxed)
    }

    /// All routes.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/v1/completions", post(completions))
            .route("/v1/chat/completions", post(chat_completions))
            .route("/v1/models", get(models))
            .route("/tokenize", post(tokenize))
            .route("/version", get(version))
            .route("/health", get(|| async {}))
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(self)
    }
}

async fn models(State(server): State<Arc<DemoServer>>) -> Json<Value> {
    Json(json!({
        "object": "list",
        "data": [{
            "id": server.name,
            "object": "model",
            "created": now(),
            "owned_by": "costeer",
            "root": server.name,
            "parent": null,
            "max_model_len": server.context_length,
        }],
    }))
}

/// `POST /tokenize`: the ids of a text or of a chat's prompt.
async fn tokenize(
    State(server): State<Arc<DemoServer>>,
    Body(request): Body<Tokenize>,
) -> Result<Json<Value>, Refusal> {
    let ids = request.ids(&server)?;
    Ok(Json(json!({
        "count": ids.len(),
        "max_model_len": server.context_length,
        "tokens": ids,
        "token_strs": null,
    })))
}

async fn version() -> Json<Value> {
    Json(json!({"version": env!("CARGO_PKG_VERSION"), "server": "costeer"}))
}

/// A JSON body whose refusal has vLLM's shape.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection @ JsonRejection::JsonDataError(_)) => Err(Refusal::bad("body", rejection.body_text())),
            Err(rejection) => Err(Refusal::bad(
                "body",
                format!("1 validation error: {}", rejection.body_text()),
            )),
        }
    }
}

/// A whole answer in one body. vLLM has the fingerprint after the choices.
pub fn whole(envelope: &Envelope, choice: Value, usage: Usage) -> Value {
    let mut body = envelope.whole(vec![choice]);
    body["system_fingerprint"] = FINGERPRINT.into();
    body["usage"] = usage.vllm();
    body
}

/// How one endpoint writes tokens into choices.
pub trait ChoiceWriter: Send + 'static {
    /// The choice of one token.
    fn choice(&mut self, generated: &Generated) -> Value;
}

/// Answers with one event for each token, as it is made. A client that goes away drops the stream, and with it the
/// generation.
pub fn stream_events(
    server: Arc<DemoServer>,
    generation: Generation,
    envelope: Envelope,
    writer: impl ChoiceWriter,
    include_usage: bool,
) -> Response {
    let opening = envelope.shape().opening(0);
    let opening = opening.map(|choice| envelope.part(vec![choice]).to_string());
    let state = Events {
        server,
        generation,
        envelope,
        writer,
        include_usage,
        ready: opening.into_iter().collect(),
        over: false,
    };
    let texts = stream::unfold(state, |mut state| async move { Some((state.next().await?, state)) });
    events(texts).into_response()
}

struct Events<W> {
    server: Arc<DemoServer>,
    generation: Generation,
    envelope: Envelope,
    writer: W,
    include_usage: bool,
    ready: VecDeque<String>,
    over: bool,
}

impl<W: ChoiceWriter> Events<W> {
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(data) = self.ready.pop_front() {
                return Some(data);
            }
            if self.over {
                return None;
            }
            match self.generation.next(&self.server).await {
                Ok(Some(generated)) => {
                    let choice = self.writer.choice(&generated);
                    self.ready.push_back(self.envelope.part(vec![choice]).to_string());
                }
                Ok(None) => {
                    self.over = true;
                    if self.include_usage {
                        let mut last = self.envelope.part(Vec::new());
                        last["usage"] = self.generation.usage().vllm();
                        self.ready.push_back(last.to_string());
                    }
                    self.ready.push_back(DONE.to_owned());
                }
                Err(refusal) => {
                    self.over = true;
                    self.ready.push_back(refusal.body().to_string());
                }
            }
        }
    }
}
