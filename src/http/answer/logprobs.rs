//! Log-probabilities of an answer's tokens (OpenAI API reference).

use serde_json::{Map, Value, json};

use super::piece::Listed;
use crate::vocabulary::{TokenBytes, TokenId};
use crate::wire::Shape;

/// The log-probabilities of these tokens.
pub fn logprobs(shape: Shape, listed: &[Listed], bytes: &TokenBytes) -> Value {
    match shape {
        Shape::Chat => chat_logprobs(listed, bytes),
        Shape::Completion => completion_logprobs(listed, bytes),
    }
}

fn chat_logprobs(listed: &[Listed], bytes: &TokenBytes) -> Value {
    let entry = |token: TokenId, logprob: f64| {
        json!({
            "token": name(bytes.get(token)),
            "logprob": finite(logprob),
            "bytes": bytes.get(token),
        })
    };
    let content = listed.iter().map(|listed| {
        let mut whole = entry(listed.token, listed.listing.logprob);
        let best = listed
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
fn completion_logprobs(listed: &[Listed], bytes: &TokenBytes) -> Value {
    let columns = |value: fn(&Listed, &TokenBytes) -> Value| -> Value {
        listed.iter().map(|listed| value(listed, bytes)).collect()
    };
    json!({
        "tokens": columns(|listed, bytes| name(bytes.get(listed.token)).into()),
        "token_logprobs": columns(|listed, _| finite(listed.listing.logprob).into()),
        "top_logprobs": columns(|listed, bytes| {
            let mut best = Map::new();
            for (token, logprob) in &listed.listing.best {
                best.entry(name(bytes.get(*token))).or_insert_with(|| finite(*logprob).into());
            }
            Value::Object(best)
        }),
        "text_offset": columns(|listed, _| listed.offset.into()),
    })
}

fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// JSON has no infinity; OpenAI and vLLM write this for what cannot happen.
fn finite(logprob: f64) -> f64 {
    logprob.max(-9999.0)
}
