//! Log-probabilities of an answer's tokens (OpenAI API reference).

use serde_json::{Map, Value, json};

use super::piece::AnswerToken;
use crate::vocabulary::{TokenBytes, TokenId};
use crate::wire::Shape;

/// The log-probabilities of these tokens.
pub fn logprobs(shape: Shape, tokens: &[AnswerToken], bytes: &TokenBytes) -> Value {
    match shape {
        Shape::Chat => chat_logprobs(tokens, bytes),
        Shape::Completion => completion_logprobs(tokens, bytes),
    }
}

fn chat_logprobs(tokens: &[AnswerToken], bytes: &TokenBytes) -> Value {
    let entry = |token: TokenId, logprob: f64| {
        json!({
            "token": name(bytes.get(token)),
            "logprob": finite(logprob),
            "bytes": bytes.get(token),
        })
    };
    let content = tokens.iter().map(|token| {
        let mut whole = entry(token.token, token.listing.logprob);
        let best = token
            .listing
            .best
            .iter()
            .map(|(token, logprob)| entry(*token, *logprob));
        whole["top_logprobs"] = best.collect();
        whole
    });
    json!({"content": content.collect::<Vec<_>>(), "refusal": null})
}

/// The older form: columns instead of rows. Tokens are keys there, so of two that look the same the likelier stays.
fn completion_logprobs(tokens: &[AnswerToken], bytes: &TokenBytes) -> Value {
    let columns = |value: fn(&AnswerToken, &TokenBytes) -> Value| -> Value {
        tokens.iter().map(|token| value(token, bytes)).collect()
    };
    json!({
        "tokens": columns(|token, bytes| name(bytes.get(token.token)).into()),
        "token_logprobs": columns(|token, _| finite(token.listing.logprob).into()),
        "top_logprobs": columns(|token, bytes| {
            let mut best = Map::new();
            for (token, logprob) in &token.listing.best {
                best.entry(name(bytes.get(*token))).or_insert_with(|| finite(*logprob).into());
            }
            Value::Object(best)
        }),
        "text_offset": columns(|token, _| token.offset.into()),
    })
}

fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// JSON has no infinity; OpenAI and vLLM write this for what cannot happen.
fn finite(logprob: f64) -> f64 {
    logprob.max(-9999.0)
}
