//! How chats and completions are written (OpenAI API reference).

use serde_json::{Map, Value, json};

use super::piece::Listed;
use crate::decode::Finish;
use crate::vocabulary::{TokenBytes, TokenId};

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/completions`.
    Completion,
}

impl Shape {
    /// What ids begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Chat => "chatcmpl",
            Self::Completion => "cmpl",
        }
    }

    /// The name of a whole answer.
    pub fn object(self) -> &'static str {
        match self {
            Self::Chat => "chat.completion",
            Self::Completion => "text_completion",
        }
    }

    /// The name of a part of a stream.
    pub fn part(self) -> &'static str {
        match self {
            Self::Chat => "chat.completion.chunk",
            Self::Completion => "text_completion",
        }
    }

    /// What comes first in a stream: a chat says who speaks.
    pub fn opening(self, index: usize) -> Option<Value> {
        let delta = json!({"role": "assistant", "content": ""});
        let opening = || json!({"index": index, "delta": delta, "logprobs": null, "finish_reason": null});
        (self == Self::Chat).then(opening)
    }

    /// One choice of a whole answer.
    pub fn choice(self, index: usize, text: &str, logprobs: Value, finish: Option<Finish>) -> Value {
        let finish_reason = finish.map(finish_reason);
        match self {
            Self::Chat => json!({
                "index": index,
                "message": {"role": "assistant", "content": text, "refusal": null},
                "logprobs": logprobs,
                "finish_reason": finish_reason,
            }),
            Self::Completion => json!({
                "index": index,
                "text": text,
                "logprobs": logprobs,
                "finish_reason": finish_reason,
            }),
        }
    }

    /// One choice of a part of a stream.
    pub fn delta(self, index: usize, text: &str, logprobs: Value, finish: Option<Finish>) -> Value {
        match self {
            Self::Chat => {
                let delta = if text.is_empty() {
                    json!({})
                } else {
                    json!({"content": text})
                };
                json!({
                    "index": index,
                    "delta": delta,
                    "logprobs": logprobs,
                    "finish_reason": finish.map(finish_reason),
                })
            }
            Self::Completion => self.choice(index, text, logprobs, finish),
        }
    }

    /// The log-probabilities of these tokens.
    pub fn logprobs(self, listed: &[Listed], bytes: &TokenBytes) -> Value {
        match self {
            Self::Chat => chat_logprobs(listed, bytes),
            Self::Completion => completion_logprobs(listed, bytes),
        }
    }
}

fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
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
