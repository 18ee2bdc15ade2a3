use serde_json::Value;

use super::arguments::{of, schema, typed};
use super::call::ToolCall;
use super::span::{between, value};

/// Invocations, one after the other.
pub fn read(inside: &str, tools: &[Value]) -> Option<Vec<ToolCall>> {
    let (mut calls, mut rest) = (Vec::new(), inside);
    while !rest.trim().is_empty() {
        let (invocation, after) = between(rest, "<invoke name=", "</invoke>")?;
        let (name, mut body) = invocation.split_once('>')?;
        let name = name.trim().trim_matches('"');
        let mut found = Vec::new();
        while !body.trim().is_empty() {
            let (parameter, more) = between(body, "<parameter name=", "</parameter>")?;
            let (parameter, text) = parameter.split_once('>')?;
            let parameter = parameter.trim().trim_matches('"');
            let text = typed(schema(tools, name), parameter, value(text));
            found.push((parameter.to_owned(), text));
            body = more;
        }
        calls.push(ToolCall {
            name: name.to_owned(),
            arguments: of(&found),
        });
        rest = after;
    }
    Some(calls)
}
