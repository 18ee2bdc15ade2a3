//! What a field may mean, and at which values it asks for what happens anyway.

use serde_json::Value;

use crate::context::PublicPrompt;
use crate::service::PublicRequest;
use crate::steering::Penalties;

/// What a field of another server's means here.
#[derive(Clone, Copy)]
pub enum Meaning {
    /// The same as this one of ours.
    Is(&'static str),
    /// Nothing about the tokens of an answer, or nothing by itself.
    Nothing,
    /// Something that steered decoding does not do, which the text says, but for values that ask for nothing.
    Unless(Effect, &'static str),
}

/// Whether a value asks for nothing in this request.
pub type Effect = fn(&Value, &PublicRequest) -> bool;

pub fn zero(value: &Value, _: &PublicRequest) -> bool {
    value.as_f64() == Some(0.0) || off(value)
}

pub fn one(value: &Value, _: &PublicRequest) -> bool {
    value.as_f64() == Some(1.0)
}

/// Servers have 0 or a number below it for "off".
pub fn not_positive(value: &Value, request: &PublicRequest) -> bool {
    zero(value, request) || value.as_f64().is_some_and(|number| number <= 0.0)
}

/// For what is off at -1, 0 and 1: the sampler takes shares of all.
pub fn zero_or_one(value: &Value, request: &PublicRequest) -> bool {
    one(value, request) || not_positive(value, request)
}

pub fn no(value: &Value, request: &PublicRequest) -> bool {
    zero(value, request) || empty(value, request)
}

pub fn yes(value: &Value, _: &PublicRequest) -> bool {
    value.as_bool() == Some(true)
}

pub fn empty(value: &Value, _: &PublicRequest) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

pub fn never(_: &Value, _: &PublicRequest) -> bool {
    false
}

/// As many candidates as answers leave nothing to choose from.
pub fn one_for_each_choice(value: &Value, request: &PublicRequest) -> bool {
    value.as_f64() == Some(request.options.choices as f64)
}

pub fn without_penalties(_: &Value, request: &PublicRequest) -> bool {
    let Penalties {
        presence,
        frequency,
        repetition,
        ..
    } = request.options.penalties;
    presence == 0.0 && frequency == 0.0 && repetition == 1.0
}

/// -1 is the whole answer, which penalties count here.
pub fn whole_or_without_penalties(value: &Value, request: &PublicRequest) -> bool {
    value.as_f64() == Some(-1.0) || without_penalties(value, request)
}

/// The same where 0 is the whole answer, too.
pub fn zero_is_whole(value: &Value, request: &PublicRequest) -> bool {
    zero(value, request) || whole_or_without_penalties(value, request)
}

pub fn yes_or_without_penalties(value: &Value, request: &PublicRequest) -> bool {
    yes(value, request) || without_penalties(value, request)
}

/// Thoughts come apart from the answer, as all but "none" want them.
pub fn apart(value: &Value, _: &PublicRequest) -> bool {
    matches!(value.as_str(), Some("auto" | "deepseek" | "parsed"))
}

pub fn text_alone(value: &Value, _: &PublicRequest) -> bool {
    value.as_str() == Some("text") || value.as_array().is_some_and(|all| all.iter().all(|one| one == "text"))
}

/// Special tokens are written here as usual: a chat's by its template alone, before a text by its tokenizer, and none for ids.
pub fn as_usual(value: &Value, request: &PublicRequest) -> bool {
    request.prompts.iter().all(|prompt| match prompt {
        PublicPrompt::Chat(_) => no(value, request),
        PublicPrompt::Text(_) => yes(value, request),
        PublicPrompt::Ids(_) => value.is_boolean(),
    })
}

fn off(value: &Value) -> bool {
    value.as_bool() == Some(false)
}
