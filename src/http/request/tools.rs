//! Tools that an answer may call, and calls that clients send back.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::RequestError;
use super::typed::{Object, typed, wanted};
use crate::http::ApiError;
use crate::structure::ForcedCall;

/// A tool, or a call of one. Both are kept as the client has written them, because chat templates read them so.
#[derive(Deserialize)]
struct Tool<F> {
    #[serde(rename = "type")]
    kind: Option<String>,
    function: Option<F>,
    #[serde(flatten)]
    _object: Object,
}

/// A function has a name.
#[derive(Deserialize)]
struct Function {
    #[serde(rename = "name")]
    _name: Name,
    #[serde(flatten)]
    _object: Object,
}

/// A call has arguments as well.
#[derive(Deserialize)]
struct Called {
    #[serde(rename = "name")]
    _name: Name,
    #[serde(rename = "arguments")]
    _arguments: Option<Arguments>,
    #[serde(flatten)]
    _object: Object,
}

/// A name of a function.
pub struct Name(pub String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Some(Self(name))
            .filter(|name| !name.0.is_empty())
            .ok_or_else(|| wanted("a text that is not empty"))
    }
}

struct Arguments;

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let arguments = Value::deserialize(deserializer)?;
        let is_known = arguments.is_string() || arguments.is_object();
        is_known.then_some(Self).ok_or_else(|| wanted("a JSON object, as text"))
    }
}

/// Checks the tools in `tools`.
///
/// # Errors
/// [`RequestError`] naming the first that is wrong, or is no function.
pub fn check_tools(tools: &[Value]) -> Result<(), RequestError> {
    check_all::<Function>("tools", tools)
}

/// Checks the calls of a message, which stand at `at`.
///
/// # Errors
/// [`RequestError`] naming the first that is wrong, or calls no function.
pub fn check_calls(at: &str, calls: &Value) -> Result<(), RequestError> {
    check_all::<Called>(at, &typed::<Vec<Value>>(at, calls)?)
}

fn check_all<'de, F: Deserialize<'de>>(at: &str, tools: &'de [Value]) -> Result<(), RequestError> {
    for (index, tool) in tools.iter().enumerate() {
        let at = format!("{at}[{index}]");
        let Tool::<F> { kind, function, .. } = typed(&at, tool)?;
        if kind.is_some_and(|kind| kind != "function") {
            return Err(not_function(format!("{at}.type")));
        }
        function.ok_or_else(|| ApiError::invalid(format!("{at}.function"), "it is missing"))?;
    }
    Ok(())
}

/// For tools that somebody else would have to run.
pub fn not_function(field: String) -> RequestError {
    RequestError::Unsteerable {
        field,
        reason: "only tools of the type function are supported, which the client runs itself",
    }
}

/// Whether an answer calls tools.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// As the model likes.
    #[default]
    Auto,
    /// No.
    None,
    /// Yes.
    Forced(ForcedCall),
}

/// Reads the field `tool_choice`: a word, or a function of this name.
///
/// # Errors
/// [`RequestError`] where the value means nothing, or something other than a function.
pub fn choice(value: &Value, name: Option<&str>) -> Result<Choice, RequestError> {
    match (value.as_str(), value["type"].as_str(), name) {
        (Some("auto"), ..) => Ok(Choice::Auto),
        (Some("none"), ..) => Ok(Choice::None),
        (Some("required"), ..) => Ok(Choice::Forced(ForcedCall::Any)),
        (None, None | Some("function"), Some(name)) => Ok(Choice::Forced(ForcedCall::Function(name.to_owned()))),
        (None, Some(kind), _) if kind != "function" => Err(not_function("tool_choice.type".to_owned())),
        _ => Err(ApiError::invalid("tool_choice", "it must be auto, none, required, or a function").into()),
    }
}
