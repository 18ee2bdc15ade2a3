//! Tools that an answer may call, and calls that clients send back.

use serde_json::Value;

use super::RequestError;
use crate::http::ApiError;
use crate::structure::ForcedCall;

/// The functions of the field `tools`, as the client has defined them.
///
/// # Errors
/// [`RequestError`] naming the first that is wrong, or is no function.
pub fn tools(value: &Value) -> Result<Vec<Value>, RequestError> {
    let list = value
        .as_array()
        .ok_or_else(|| ApiError::invalid("tools", "it must be a list"))?;
    for (index, tool) in list.iter().enumerate() {
        check_type(tool, &format!("tools[{index}]"))?;
        named(tool, &format!("tools[{index}]"))?;
    }
    Ok(list.clone())
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

/// Reads the field `tool_choice`.
///
/// # Errors
/// [`RequestError`] where the value means nothing.
pub fn choice(value: &Value) -> Result<Choice, RequestError> {
    match (value.as_str(), value["function"]["name"].as_str()) {
        (Some("auto"), _) => Ok(Choice::Auto),
        (Some("none"), _) => Ok(Choice::None),
        (Some("required"), _) => Ok(Choice::Forced(ForcedCall::Any)),
        (None, Some(name)) => Ok(Choice::Forced(ForcedCall::Function(name.to_owned()))),
        _ => Err(ApiError::invalid("tool_choice", "it must be auto, none, required, or a function").into()),
    }
}

/// Checks the calls of a message, which `field` names.
///
/// # Errors
/// [`RequestError`] naming the first that is wrong, or calls no function.
pub fn check_calls(field: &str, value: &Value) -> Result<(), RequestError> {
    let list = value
        .as_array()
        .ok_or_else(|| ApiError::invalid(field, "it must be a list"))?;
    for (index, call) in list.iter().enumerate() {
        let at = format!("{field}[{index}]");
        check_type(call, &at)?;
        let function = named(call, &at)?;
        let arguments = function.get("arguments");
        if !arguments.is_none_or(|arguments| arguments.is_string() || arguments.is_object() || arguments.is_null()) {
            let wanted = "they must be a JSON object, as text";
            return Err(ApiError::invalid(format!("{at}.function.arguments"), wanted).into());
        }
    }
    Ok(())
}

fn check_type(tool: &Value, at: &str) -> Result<(), RequestError> {
    match tool.get("type").filter(|kind| !kind.is_null()) {
        None => Ok(()),
        Some(kind) if kind == "function" => Ok(()),
        Some(_) => Err(RequestError::Unsteerable {
            field: format!("{at}.type"),
            reason: "only functions are supported",
        }),
    }
}

/// The function, which must have a name.
fn named<'a>(tool: &'a Value, at: &str) -> Result<&'a Value, ApiError> {
    let function = tool.get("function");
    let name = function.and_then(|function| function["name"].as_str());
    match (function, name.is_some_and(|name| !name.is_empty())) {
        (Some(function), true) => Ok(function),
        _ => Err(ApiError::invalid(
            format!("{at}.function.name"),
            "it must be a text that is not empty",
        )),
    }
}
