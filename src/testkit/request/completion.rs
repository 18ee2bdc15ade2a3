use serde::Deserialize;

use super::common::Common;
use super::ids::text_ids;
use crate::testkit::error::Refusal;
use crate::testkit::logprobs::LogprobSelection;
use crate::testkit::server::DemoServer;
use crate::vocabulary::TokenId;

/// `POST /v1/completions`.
#[derive(Deserialize)]
pub struct Completion {
    #[serde(flatten)]
    pub common: Common,
    pub prompt: Prompt,
    pub logprobs: Option<i64>,
    pub logprob_token_ids: Option<Vec<u32>>,
    #[serde(default)]
    pub return_tokens_as_token_ids: bool,
}

/// A prompt as text or as ids.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Prompt {
    Text(String),
    Ids(Vec<u32>),
}

impl Completion {
    /// The prompt as ids.
    pub fn prompt_ids(&self, server: &DemoServer) -> Result<Vec<TokenId>, Refusal> {
        let ids = match &self.prompt {
            Prompt::Text(text) => text_ids(text, server)?,
            Prompt::Ids(ids) => ids.iter().copied().map(TokenId).collect(),
        };
        if ids.is_empty() {
            return Err(Refusal::bad("prompt", "You must pass at least one prompt"));
        }
        match ids.iter().find(|id| id.index() >= server.rows) {
            Some(id) => Err(Refusal::bad(
                "prompt",
                format!("Token id {} is out of vocabulary", id.0),
            )),
            None => Ok(ids),
        }
    }

    /// Which candidates to list; −1 lists the vocabulary, as in vLLM with `--max-logprobs -1`.
    pub fn selection(&self, server: &DemoServer) -> Result<LogprobSelection, Refusal> {
        let Some(k) = self.logprobs else {
            return match self.logprob_token_ids {
                Some(_) => Err(Refusal::bad(
                    "logprob_token_ids",
                    "logprob_token_ids needs logprobs to be set.",
                )),
                None => Ok(LogprobSelection::Nothing),
            };
        };
        if let Some(ids) = &self.logprob_token_ids {
            return match ids.iter().find(|id| **id as usize >= server.rows) {
                Some(id) => Err(Refusal::bad(
                    "logprob_token_ids",
                    format!("Token id {id} is out of vocabulary"),
                )),
                None => Ok(LogprobSelection::These(ids.iter().copied().map(TokenId).collect())),
            };
        }
        if k == -1 {
            return Ok(LogprobSelection::Top(usize::MAX));
        }
        usize::try_from(k)
            .map(LogprobSelection::Top)
            .map_err(|_| Refusal::bad("logprobs", format!("logprobs must be non-negative or -1, got {k}.")))
    }
}
