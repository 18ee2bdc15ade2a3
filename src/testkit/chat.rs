use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::error::Refusal;
use super::generation::{Generated, Generation};
use super::logprobs::LogprobSelection;
use super::request::Chat;
use super::server::{Body, DemoServer, Envelope, Shape, stream_events};

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
    if request.common.stream {
        let envelope = Envelope::new("chatcmpl", "chat.completion.chunk", &server.name, prompt.len());
        let include_usage = request.common.include_usage();
        return Ok(stream_events(server, generation, envelope, Deltas, include_usage));
    }
    let envelope = Envelope::new("chatcmpl", "chat.completion", &server.name, prompt.len());
    let mut content = String::new();
    let mut tokens = 0;
    let mut finish_reason = None;
    while let Some(generated) = generation.next(&server).await? {
        content.push_str(&generated.text);
        tokens += 1;
        finish_reason = generated.finish_reason;
    }
    let choice = json!({
        "index": 0,
        "message": {"role": "assistant", "content": content, "refusal": null},
        "logprobs": null,
        "finish_reason": finish_reason,
        "stop_reason": null,
    });
    Ok(Json(envelope.whole(choice, tokens)).into_response())
}

/// Writes tokens as deltas; the role comes first and alone.
struct Deltas;

impl Shape for Deltas {
    fn opening(&mut self) -> Option<Value> {
        let delta = json!({"role": "assistant", "content": ""});
        Some(json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": null}))
    }

    fn choice(&mut self, generated: &Generated) -> Value {
        let mut choice = json!({
            "index": 0,
            "delta": {"content": generated.text},
            "logprobs": null,
            "finish_reason": generated.finish_reason,
        });
        if generated.finish_reason.is_some() {
            choice["stop_reason"] = Value::Null;
        }
        choice
    }
}
