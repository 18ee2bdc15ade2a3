//! Log-probabilities of an answer's tokens (OpenAI API reference).

use serde_json::{Map, Value, json};

use crate::http::answer::piece::{AnswerToken, ListedToken};
use crate::wire::Shape;

/// The log-probabilities of these tokens.
pub fn logprobs(shape: Shape, tokens: &[AnswerToken]) -> Value {
    match shape {
        Shape::Chat => json!({"content": rows(tokens), "refusal": null}),
        Shape::Completion => columns(tokens),
    }
}

/// A row for each token, with the likeliest in its place.
pub fn rows(tokens: &[AnswerToken]) -> Vec<Value> {
    let row = |token: &ListedToken| {
        json!({
            "token": name(token),
            "logprob": finite(token.logprob),
            "bytes": token.bytes,
        })
    };
    let rows = tokens.iter().map(|token| {
        let mut whole = row(&token.picked);
        whole["top_logprobs"] = token.best.iter().map(row).collect();
        whole
    });
    rows.collect()
}

/// The older form: columns instead of rows. Tokens are keys there, so of two that look the same the likelier stays.
fn columns(tokens: &[AnswerToken]) -> Value {
    let column = |value: fn(&AnswerToken) -> Value| -> Value { tokens.iter().map(value).collect() };
    json!({
        "tokens": column(|token| name(&token.picked).into()),
        "token_logprobs": column(|token| finite(token.picked.logprob).into()),
        "top_logprobs": column(|token| {
            let mut best = Map::new();
            for one in &token.best {
                best.entry(name(one)).or_insert_with(|| finite(one.logprob).into());
            }
            Value::Object(best)
        }),
        "text_offset": column(|token| token.offset.into()),
    })
}

fn name(token: &ListedToken) -> String {
    String::from_utf8_lossy(&token.bytes).into_owned()
}

/// JSON has no infinity; OpenAI and vLLM write this for what cannot happen.
fn finite(logprob: f64) -> f64 {
    logprob.max(-9999.0)
}
