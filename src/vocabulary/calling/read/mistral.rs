use super::arguments::first_object;
use super::call::ToolCall;
use super::json;

const OPEN: &str = "[TOOL_CALLS]";

/// A list of JSON objects, or in newer models names with JSON, with the mark before each; and the text that comes after them.
pub fn read(inside: &str) -> Option<(Vec<ToolCall>, &str)> {
    if inside.trim_start().starts_with(['[', '{']) {
        return Some(json::read(inside));
    }
    let (mut calls, mut rest) = (Vec::new(), inside);
    loop {
        let (call, after) = first(rest)?;
        calls.push(call);
        match after.trim_start().strip_prefix(OPEN) {
            Some(next) => rest = next,
            None => return Some((calls, after)),
        }
    }
}

fn first(text: &str) -> Option<(ToolCall, &str)> {
    let (name, rest) = text.split_at(text.find('{')?);
    let (arguments, after) = first_object(rest)?;
    let name = name.trim_end().strip_suffix("[ARGS]").unwrap_or(name);
    let name = name.split("[CALL_ID]").next().unwrap_or_default().trim();
    let name = Some(name)
        .filter(|name| !name.is_empty() && !name.contains(char::is_whitespace))?
        .to_owned();
    Some((ToolCall { name, arguments }, after))
}
