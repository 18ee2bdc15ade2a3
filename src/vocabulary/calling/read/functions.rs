use serde_json::Value;

use super::arguments::{object, of, schema, typed};
use super::call::ToolCall;
use super::span::{between, last, value};

const OPEN: &str = "<function=";
const CLOSE: &str = "</function>";
const PARAMETER: &str = "<parameter=";

/// Functions, with marks around them in `written`, or without in `inside`. Where the marks around them are closed, the last one need
/// not be.
pub fn read(written: &str, inside: &str, is_closed: bool, tools: &[Value]) -> Option<Vec<ToolCall>> {
    let (mut calls, mut rest) = (Vec::new(), if written.starts_with(OPEN) { written } else { inside });
    while !rest.trim().is_empty() {
        let unclosed = || Some((last(rest, OPEN).filter(|_| is_closed)?, ""));
        let (function, after) = between(rest, OPEN, CLOSE).or_else(unclosed)?;
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

/// The parameter that `text` begins with. Some models leave its end out where another one begins on the next line, or none follows.
fn parameter(text: &str) -> Option<(&str, &str)> {
    let all = last(text, PARAMETER)?;
    let next = all.find("\n<parameter=").unwrap_or(all.len());
    match all.split_once("</parameter>") {
        Some((parameter, after)) if parameter.len() <= next => Some((parameter, after)),
        _ => Some(all.split_at(next)),
    }
}

fn parameters(body: &str, schema: Option<&Value>) -> Option<String> {
    let (mut found, mut rest) = (Vec::new(), body);
    while !rest.trim().is_empty() {
        let (parameter, after) = parameter(rest)?;
        let (name, text) = parameter.split_once('>')?;
        let name = name.trim().trim_matches('"');
        found.push((name.to_owned(), typed(schema, name, value(text))));
        rest = after;
    }
    Some(of(&found))
}
