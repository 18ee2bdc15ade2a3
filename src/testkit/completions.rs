use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::error::Refusal;
use super::generation::{Generated, Generation};
use super::request::Completion;
use super::server::{Body, ChoiceWriter, DemoServer, stream_events, whole};
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
            names: Names {
                server: Arc::clone(server),
                as_ids: request.return_tokens_as_token_ids,
                offset: 0,
            },
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

/// How tokens are called in log-probabilities.
struct Names {
    server: Arc<DemoServer>,
    as_ids: bool,
    /// Characters of all names so far: vLLM's `text_offset`.
    offset: usize,
}

impl Names {
    fn of(&self, token: TokenId) -> String {
        if self.as_ids {
            format!("token_id:{}", token.0)
        } else {
            // Lossy, as in vLLM: parts of characters and special tokens come out empty.
            let bytes = self.server.tokenizer.bytes().get(token);
            std::str::from_utf8(bytes).unwrap_or_default().to_owned()
        }
    }

    fn append(&mut self, generated: &Generated, logprobs: &mut LegacyLogprobs) {
        let Some(top) = &generated.top else {
            return;
        };
        let name = self.of(generated.token);
        // The sampled token comes first, whether it is among the likeliest or not.
        let mut listed = Map::new();
        listed.insert(name.clone(), json!(generated.logprob));
        for (id, logprob) in top {
            listed.entry(self.of(*id)).or_insert_with(|| json!(logprob));
        }
        logprobs.text_offset.push(self.offset);
        self.offset += name.chars().count();
        logprobs.token_logprobs.push(generated.logprob);
        logprobs.tokens.push(name);
        logprobs.top_logprobs.push(Value::Object(listed));
    }
}

/// OpenAI's older shape of log-probabilities.
#[derive(Default)]
struct LegacyLogprobs {
    text_offset: Vec<usize>,
    token_logprobs: Vec<f32>,
    tokens: Vec<String>,
    top_logprobs: Vec<Value>,
}

impl LegacyLogprobs {
    fn json(self) -> Value {
        json!({
            "text_offset": self.text_offset,
            "token_logprobs": self.token_logprobs,
            "tokens": self.tokens,
            "top_logprobs": self.top_logprobs,
        })
    }
}
