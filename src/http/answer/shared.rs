//! What an answer in one body and one in parts have in common.

use serde_json::Value;

use super::logprobs::logprobs;
use super::piece::AnswerToken;
use crate::decode::{Finish, Session};
use crate::service::SteeredRequest;
use crate::wire::{Envelope, Shape, Usage};

/// What all parts of the answers to `request` share.
pub fn envelope(shape: Shape, request: &SteeredRequest) -> Envelope {
    let model = request.options().model.as_deref().unwrap_or_default();
    Envelope::new(shape, model).fingerprinted()
}

/// Adds an answer to the tokens so far; prompts count once, however often they are answered.
pub fn count(usage: &mut Usage, session: &Session, first_of_its_prompt: bool) {
    if first_of_its_prompt {
        usage.prompt_tokens += session.prompt_tokens() as u64;
    }
    usage.completion_tokens += session.report().positions;
    if session.plan().thinking.is_some() {
        *usage.reasoning_tokens.get_or_insert(0) += session.report().reasoning;
    }
}

/// The log-probabilities of these tokens; null where the request does not ask for them.
pub fn logprobs_of(request: &SteeredRequest, shape: Shape, tokens: &[AnswerToken]) -> Value {
    let asked = request.options().logprobs.is_some();
    asked.then(|| logprobs(shape, tokens, request.token_bytes())).into()
}

/// Why an answer ended, in OpenAI's words.
pub fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
    }
}
