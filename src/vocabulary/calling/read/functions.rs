use serde_json::Value;

use super::arguments::{object, of, schema, typed};
use super::call::ToolCall;
use super::span::{between, value};

const OPEN: &str = "<function=";
const CLOSE: &str = "</function>";

/// Functions, with marks around them in `written`, or without in `inside`.
pub fn read(written: &str, inside: &str, tools: &[Value]) -> Option<Vec<ToolCall>> {
    let (mut calls, mut rest) = (Vec::new(), if written.starts_with(OPEN) { written } else { inside });
    while !rest.trim().is_empty() {
        let (function, after) = between(rest, OPEN, CLOSE)?;
        let (name, body) = function.split_once('>')?;
        calls.push(call(name.trim().trim_matches('"'), body, tools)?);
        rest = after;
    }
    Some(calls)
}

fn call(name: &str, body: &str, tools: &[Value]) -> Option<ToolCall> {
    if name.is_empty() {
        return None;
    }
    let arguments = match object(body) {
        Some(arguments) => arguments,
        None => parameters(body, schema(tools, name))?,
    };
    Some(ToolCall {
        name: name.to_owned(),
        arguments,
    })
}

fn parameters(body: &str, schema: Option<&Value>) -> Option<String> {
    let (mut found, mut rest) = (Vec::new(), body);
    while !rest.trim().is_empty() {
        let (parameter, after) = between(rest, "<parameter=", "</parameter>")?;
        let (name, text) = parameter.split_once('>')?;
        found.push((name.to_owned(), typed(schema, name, value(text))));
        rest = after;
    }
    Some(of(&found))
}
