use std::time::Duration;

use reqwest::header::HeaderMap;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::values::{
    adaptive_or_number, header_lines, json_object, millis, none_or_many, one_or_many, optional, optional_secret,
    template_options,
};
use crate::decode::Lookahead;
use crate::upstream::Driver;
use crate::vocabulary::TemplateOptions;

/// `[upstream]`: the big model's server.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Base addresses, with or without `/v1`; any of them can continue any answer.
    #[serde(rename = "url", deserialize_with = "one_or_many")]
    pub urls: Vec<String>,
    /// How they are spoken to.
    pub driver: Driver,
    /// `None` when empty.
    #[serde(deserialize_with = "optional_secret")]
    pub api_key: Option<SecretString>,
    /// `None` when empty: the local model's.
    #[serde(deserialize_with = "optional")]
    pub tokenizer: Option<String>,
    /// Rendered into every chat of it.
    #[serde(deserialize_with = "template_options")]
    pub template_kwargs: TemplateOptions,
    /// What begins and ends a thought; empty where the chat template says so.
    #[serde(deserialize_with = "none_or_many")]
    pub thinking_markers: Vec<String>,
    /// The header that says to which session a request belongs; `None` when empty.
    #[serde(deserialize_with = "optional")]
    pub affinity_header: Option<String>,
    /// Headers of clients that it may see beside the usual ones.
    #[serde(deserialize_with = "none_or_many")]
    pub pass_headers: Vec<String>,
    /// What is added to every request.
    #[serde(deserialize_with = "header_lines")]
    pub headers: HeaderMap,
    /// What is added to the JSON body of every request.
    #[serde(deserialize_with = "json_object")]
    pub extra_body: Map<String, Value>,
    /// How often all addresses are tried again when none answers.
    pub retries: usize,
    /// Candidates a position.
    pub top_k: usize,
    /// Positions a request; `None` where it adapts.
    #[serde(deserialize_with = "adaptive_or_number")]
    lookahead: Option<usize>,
    /// The most positions a request where it adapts.
    max_lookahead: usize,
    /// Positions computed for nothing where it adapts, as a share of those used.
    max_waste: f64,
    /// For a connection.
    #[serde(rename = "connect_timeout_ms", deserialize_with = "millis")]
    pub connect_timeout: Duration,
    /// For the first token.
    #[serde(rename = "first_token_timeout_ms", deserialize_with = "millis")]
    pub first_token_timeout: Duration,
    /// Between tokens.
    #[serde(rename = "idle_timeout_ms", deserialize_with = "millis")]
    pub idle_timeout: Duration,
    /// For an answer that passes through in one piece.
    #[serde(rename = "answer_timeout_ms", deserialize_with = "millis")]
    pub answer_timeout: Duration,
}

impl Upstream {
    /// Positions to ask for in one request.
    pub fn lookahead(&self) -> Lookahead {
        match self.lookahead {
            Some(positions) => Lookahead::Fixed(positions),
            None => Lookahead::Adaptive {
                most: self.max_lookahead,
                waste: self.max_waste,
            },
        }
    }
}
