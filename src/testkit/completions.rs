use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::body::Body;
use super::error::Refusal;
use super::generation::{Generated, Generation};
use super::legacy::{LegacyLogprobs, Names};
use super::request::Completion;
use super::server::DemoServer;
use super::stream::{ChoiceWriter, stream_events};
use super::whole::whole;
use crate::vocabulary::TokenId;
use crate::wire::{Envelope, Shape};

/// `POST /v1/completions`.
pub async fn completions(
    State(server): State<Arc<DemoServer>>,
    Body(request): Body<Completion>,
) -> Result<Response, Refusal> {
    request.common.check(&server)?;
    let prompt = request.prompt_ids(&server)?;
    let selection = request.selection(&server)?;
    let lists_candidates = request.logprobs.is_some();
    server.pacing.request().await;
    let generation = Generation::start(
        &server,
        &prompt,
        request.common.completion_tokens(),
        selection,
        request.common.sampling(),
    );
    let mut generation = generation.await?;
    let envelope = Envelope::new(Shape::Completion, &server.name);
    let mut writer = Writer::new(&request, &server, prompt);
    if request.common.stream {
        let include_usage = request.common.include_usage();
        return Ok(stream_events(server, generation, envelope, writer, include_usage));
    }
    let mut text = String::new();
    let mut tokens = Vec::new();
    let mut logprobs = LegacyLogprobs::default();
    let mut finish_reason = None;
    while let Some(generated) = generation.next(&server).await? {
        text.push_str(&generated.text);
        tokens.push(generated.token.0);
        finish_reason = generated.finish_reason;
        writer.names.append(&generated, &mut logprobs);
    }
    let logprobs = lists_candidates.then(|| logprobs.json()).into();
    let mut choice = Shape::Completion.choice(0, &text, logprobs, finish_reason);
    choice["stop_reason"] = Value::Null;
    choice["token_ids"] = writer.ids.then_some(tokens).into();
    choice["prompt_logprobs"] = Value::Null;
    choice["prompt_token_ids"] = writer.prompt_ids().into();
    Ok(Json(whole(&envelope, choice, generation.usage())).into_response())
}

/// Writes each token as an event.
struct Writer {
    names: Names,
    prompt: Vec<TokenId>,
    ids: bool,
    logprobs: bool,
    begun: bool,
}

impl Writer {
    fn new(request: &Completion, server: &Arc<DemoServer>, prompt: Vec<TokenId>) -> Self {
        Self {
            names: Names::new(Arc::clone(server), request.return_tokens_as_token_ids),
            prompt,
            ids: request.common.return_token_ids,
            logprobs: request.logprobs.is_some(),
            begun: false,
        }
    }

    /// The prompt's ids, where they were asked for; vLLM gives them once.
    fn prompt_ids(&mut self) -> Option<Vec<u32>> {
        let first = !std::mem::replace(&mut self.begun, true);
        (self.ids && first).then(|| self.prompt.iter().map(|id| id.0).collect())
    }
}

impl ChoiceWriter for Writer {
    fn choice(&mut self, generated: &Generated) -> Value {
        let mut logprobs = LegacyLogprobs::default();
        self.names.append(generated, &mut logprobs);
        let logprobs = self.logprobs.then(|| logprobs.json()).into();
        let text = Some(generated.text.as_str());
        let mut choice = Shape::Completion.part_choice(0, text, logprobs, generated.finish_reason);
        choice["stop_reason"] = Value::Null;
        choice["prompt_token_ids"] = self.prompt_ids().into();
        choice["token_ids"] = self.ids.then(|| vec![generated.token.0]).into();
        choice
    }
}
