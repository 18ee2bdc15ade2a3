use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::generation::Generated;
use super::server::DemoServer;
use crate::vocabulary::TokenId;

/// How tokens are called in log-probabilities.
pub struct Names {
    server: Arc<DemoServer>,
    /// As `token_id:7` instead of text.
    as_ids: bool,
    /// Characters of all names so far: vLLM's `text_offset`.
    offset: usize,
}

impl Names {
    /// As ids or as texts.
    pub fn new(server: Arc<DemoServer>, as_ids: bool) -> Self {
        Self {
            server,
            as_ids,
            offset: 0,
        }
    }

    fn of(&self, token: TokenId) -> String {
        if self.as_ids {
            format!("token_id:{}", token.0)
        } else {
            // Lossy, as in vLLM: parts of characters and special tokens come out empty.
            let bytes = self.server.tokenizer.bytes().get(token);
            std::str::from_utf8(bytes).unwrap_or_default().to_owned()
        }
    }

    /// Adds a row for `generated`, where candidates were asked for.
    pub fn append(&mut self, generated: &Generated, logprobs: &mut LegacyLogprobs) {
        let Some(top) = &generated.top else {
            return;
        };
        let name = self.of(generated.token);
        // The sampled token comes first, whether it is among the likeliest or not.
        let mut candidates = Map::new();
        candidates.insert(name.clone(), json!(generated.logprob));
        for (id, logprob) in top {
            candidates.entry(self.of(*id)).or_insert_with(|| json!(logprob));
        }
        logprobs.text_offset.push(self.offset);
        self.offset += name.chars().count();
        logprobs.token_logprobs.push(generated.logprob);
        logprobs.tokens.push(name);
        logprobs.top_logprobs.push(Value::Object(candidates));
    }
}

/// OpenAI's older shape of log-probabilities, with its columns in vLLM's order.
#[derive(Default)]
pub struct LegacyLogprobs {
    text_offset: Vec<usize>,
    token_logprobs: Vec<f32>,
    tokens: Vec<String>,
    top_logprobs: Vec<Value>,
}

impl LegacyLogprobs {
    pub fn json(self) -> Value {
        json!({
            "text_offset": self.text_offset,
            "token_logprobs": self.token_logprobs,
            "tokens": self.tokens,
            "top_logprobs": self.top_logprobs,
        })
    }
}
