use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::body::Body;
use super::error::Refusal;
use super::generation::{Generated, Generation};
use super::logprobs::LogprobSelection;
use super::request::Chat;
use super::server::DemoServer;
use super::stream::{ChoiceWriter, stream_events};
use super::whole::whole;
use crate::wire::{Envelope, Shape};

/// `POST /v1/chat/completions`, without log-probabilities: what a proxy passes through.
pub async fn chat_completions(
    State(server): State<Arc<DemoServer>>,
    Body(request): Body<Chat>,
) -> Result<Response, Refusal> {
    request.common.check(&server)?;
    let prompt = request.prompt_ids(&server)?;
    server.pacing.request().await;
    let generation = Generation::start(
        &server,
        &prompt,
        request.common.chat_tokens(),
        LogprobSelection::Nothing,
        request.common.sampling(),
    );
    let mut generation = generation.await?;
    let envelope = Envelope::new(Shape::Chat, &server.name);
    if request.common.stream {
        let include_usage = request.common.include_usage();
        return Ok(stream_events(server, generation, envelope, Deltas, include_usage));
    }
    let mut content = String::new();
    let mut finish_reason = None;
    while let Some(generated) = generation.next(&server).await? {
        content.push_str(&generated.text);
        finish_reason = generated.finish_reason;
    }
    let mut choice = Shape::Chat.choice(0, &content, Value::Null, finish_reason);
    choice["stop_reason"] = Value::Null;
    Ok(Json(whole(&envelope, choice, generation.usage())).into_response())
}

/// Writes tokens as deltas.
struct Deltas;

impl ChoiceWriter for Deltas {
    fn choice(&mut self, generated: &Generated) -> Value {
        let finish_reason = generated.finish_reason;
        let mut choice = Shape::Chat.part_choice(0, Some(&generated.text), Value::Null, finish_reason);
        if finish_reason.is_some() {
            choice["stop_reason"] = Value::Null;
        }
        choice
    }
}
