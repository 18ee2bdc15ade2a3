//! What a field may mean, and at which values it asks for what happens anyway.

use serde_json::Value;

use crate::service::Options;
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

/// Whether a value asks for nothing in a request with these options.
pub type Effect = fn(&Value, &Options) -> bool;

pub fn zero(value: &Value, _: &Options) -> bool {
    value.as_f64() == Some(0.0) || off(value)
}

pub fn one(value: &Value, _: &Options) -> bool {
    value.as_f64() == Some(1.0)
}

/// Servers have 0 or a number below it for "off".
pub fn not_positive(value: &Value, options: &Options) -> bool {
    zero(value, options) || value.as_f64().is_some_and(|number| number <= 0.0)
}

/// For what is off at -1, 0 and 1: the sampler takes shares of all.
pub fn zero_or_one(value: &Value, options: &Options) -> bool {
    one(value, options) || not_positive(value, options)
}

pub fn no(value: &Value, options: &Options) -> bool {
    zero(value, options) || empty(value, options)
}

pub fn yes(value: &Value, _: &Options) -> bool {
    value.as_bool() == Some(true)
}

pub fn empty(value: &Value, _: &Options) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

pub fn never(_: &Value, _: &Options) -> bool {
    false
}

/// As many candidates as answers leave nothing to choose from.
pub fn one_for_each_choice(value: &Value, options: &Options) -> bool {
    value.as_f64() == Some(options.choices as f64)
}

pub fn without_penalties(_: &Value, options: &Options) -> bool {
    let Penalties {
        presence,
        frequency,
        repetition,
        ..
    } = options.penalties;
    presence == 0.0 && frequency == 0.0 && repetition == 1.0
}

/// -1 is the whole answer, which penalties count here.
pub fn whole_or_without_penalties(value: &Value, options: &Options) -> bool {
    value.as_f64() == Some(-1.0) || without_penalties(value, options)
}

/// The same where 0 is the whole answer, too.
pub fn zero_is_whole(value: &Value, options: &Options) -> bool {
    zero(value, options) || whole_or_without_penalties(value, options)
}

pub fn yes_or_without_penalties(value: &Value, options: &Options) -> bool {
    yes(value, options) || without_penalties(value, options)
}

/// Thoughts come apart from the answer, as all but "none" want them.
pub fn apart(value: &Value, _: &Options) -> bool {
    matches!(value.as_str(), Some("auto" | "deepseek" | "parsed"))
}

pub fn text_alone(value: &Value, _: &Options) -> bool {
    value.as_str() == Some("text") || value.as_array().is_some_and(|all| all.iter().all(|one| one == "text"))
}

fn off(value: &Value) -> bool {
    value.as_bool() == Some(false)
}
