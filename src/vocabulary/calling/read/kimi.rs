use super::arguments::object;
use super::call::ToolCall;
use super::span::between;

/// Calls between Kimi's tokens: `functions.NAME:NUMBER` and JSON.
pub fn read(inside: &str) -> Option<Vec<ToolCall>> {
    let (mut calls, mut rest) = (Vec::new(), inside);
    while !rest.trim().is_empty() {
        let (call, after) = between(rest, "<|tool_call_begin|>", "<|tool_call_end|>")?;
        let (id, arguments) = call.split_once("<|tool_call_argument_begin|>")?;
        let id = id.trim();
        let id = id.strip_prefix("functions.").unwrap_or(id);
        let name = id.rsplit_once(':').map_or(id, |(name, _)| name);
        calls.push(ToolCall {
            name: Some(name).filter(|name| !name.is_empty())?.to_owned(),
            arguments: object(arguments)?,
        });
        rest = after;
    }
    Some(calls)
}
