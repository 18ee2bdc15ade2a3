use super::arguments::object;
use super::call::ToolCall;
use super::json;

/// A list of JSON objects, or in newer models names with JSON, with the mark before each.
pub fn read(inside: &str) -> Option<Vec<ToolCall>> {
    if inside.trim_start().starts_with(['[', '{']) {
        return json::read(inside);
    }
    inside.split("[TOOL_CALLS]").map(call).collect()
}

fn call(text: &str) -> Option<ToolCall> {
    let (name, arguments) = text
        .split_once("[ARGS]")
        .or_else(|| Some(text.split_at(text.find('{')?)))?;
    let name = name.split("[CALL_ID]").next().unwrap_or_default().trim();
    Some(ToolCall {
        name: Some(name).filter(|name| !name.is_empty())?.to_owned(),
        arguments: object(arguments)?,
    })
}
