use serde_json::Value;

use super::arguments::{of, schema, typed};
use super::call::ToolCall;
use super::span::between;

/// A name, and keys and values in turn.
pub fn read(inside: &str, tools: &[Value]) -> Option<Vec<ToolCall>> {
    let names = inside.find("<arg_key>").unwrap_or(inside.len());
    let (name, mut rest) = inside.split_at(names);
    let name = name.trim();
    let is_name = !name.is_empty() && !name.contains(['<', '{', '\n']);
    let mut found = Vec::new();
    while !rest.trim().is_empty() {
        let (key, after) = between(rest, "<arg_key>", "</arg_key>")?;
        let (value, after) = between(after, "<arg_value>", "</arg_value>")?;
        let key = key.trim();
        found.push((key.to_owned(), typed(schema(tools, name), key, value)));
        rest = after;
    }
    is_name.then(|| {
        vec![ToolCall {
            name: name.to_owned(),
            arguments: of(&found),
        }]
    })
}
