use serde::Deserialize;

use crate::steering::Sampling;
use crate::testkit::error::Refusal;
use crate::testkit::server::DemoServer;

/// What both endpoints take. Fields it does not know are ignored, as vLLM does.
#[derive(Deserialize)]
pub struct Common {
    pub model: Option<String>,
    pub max_tokens: Option<usize>,
    pub max_completion_tokens: Option<usize>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub seed: Option<i64>,
    #[serde(default)]
    pub stream: bool,
    pub stream_options: Option<StreamOptions>,
    #[serde(default)]
    pub return_token_ids: bool,
}

/// What a stream is to hold beside its answer.
#[derive(Deserialize)]
pub struct StreamOptions {
    #[serde(default)]
    pub include_usage: bool,
}

/// vLLM's default length of a completion.
const DEFAULT_MAX_TOKENS: usize = 16;

impl Common {
    /// Checks what can be checked without the model.
    pub fn check(&self, server: &DemoServer) -> Result<(), Refusal> {
        if let Some(name) = self.model.as_deref().filter(|name| *name != server.name) {
            return Err(Refusal::unknown_model(name, &server.name));
        }
        if self.max_tokens == Some(0) || self.max_completion_tokens == Some(0) {
            return Err(Refusal::bad(
                "max_tokens",
                "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)",
            ));
        }
        if self
            .temperature
            .is_some_and(|temperature| !(0.0..=100.0).contains(&temperature))
        {
            return Err(Refusal::bad("temperature", "temperature must be non-negative."));
        }
        if self.top_p.is_some_and(|top_p| !(top_p > 0.0 && top_p <= 1.0)) {
            return Err(Refusal::bad("top_p", "top_p must be in (0, 1]."));
        }
        Ok(())
    }

    /// vLLM's defaults where the request says nothing.
    pub fn sampling(&self) -> Sampling {
        Sampling {
            temperature: self.temperature.unwrap_or(1.0),
            top_p: self.top_p.unwrap_or(1.0),
            seed: self.seed.map_or_else(rand::random, i64::cast_unsigned),
            ..Sampling::default()
        }
    }

    /// Tokens of a completion.
    pub fn completion_tokens(&self) -> usize {
        self.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS)
    }

    /// Tokens of a chat answer: all that fit, where the request does not say.
    pub fn chat_tokens(&self) -> usize {
        self.max_completion_tokens.or(self.max_tokens).unwrap_or(usize::MAX)
    }

    pub fn include_usage(&self) -> bool {
        self.stream_options
            .as_ref()
            .is_some_and(|options| options.include_usage)
    }
}
