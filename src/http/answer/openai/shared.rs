//! What an answer in one body and one in parts have in common.

use serde_json::Value;

use super::logprobs::logprobs;
use crate::decode::Finish;
use crate::http::answer::piece::AnswerToken;
use crate::service::Options;
use crate::wire::{Envelope, Shape};

/// What all parts of the answers share.
pub fn envelope(shape: Shape, options: &Options) -> Envelope {
    Envelope::new(shape, options.model.as_deref().unwrap_or_default()).fingerprinted()
}

/// The log-probabilities of these tokens; null where the request does not ask for them.
pub fn logprobs_of(options: &Options, shape: Shape, tokens: &[AnswerToken]) -> Value {
    options.logprobs.is_some().then(|| logprobs(shape, tokens)).into()
}

/// Why an answer ended, in OpenAI's words.
pub fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::Calls => "tool_calls",
    }
}
