use super::arguments::object;
use super::call::ToolCall;
use super::span::between;

/// Calls between DeepSeek's tokens: `NAME<sep>JSON`, or in older models `function<sep>NAME` and the JSON in a fence.
pub fn read(inside: &str) -> Option<Vec<ToolCall>> {
    let (mut calls, mut rest) = (Vec::new(), inside);
    while !rest.trim().is_empty() {
        let (call, after) = between(rest, "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>")?;
        let (first, second) = call.split_once("<｜tool▁sep｜>")?;
        let (name, arguments) = match second.split_once("```json") {
            Some((name, fenced)) if first.trim() == "function" => (name, fenced.trim_end().strip_suffix("```")?),
            _ => (first, second),
        };
        calls.push(ToolCall {
            name: Some(name.trim()).filter(|name| !name.is_empty())?.to_owned(),
            arguments: object(arguments)?,
        });
        rest = after;
    }
    Some(calls)
}
