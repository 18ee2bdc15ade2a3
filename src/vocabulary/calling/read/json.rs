use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Deserializer, Value};

use super::arguments::object;
use super::call::ToolCall;

/// Objects and lists of them, one after the other, and the text that comes after them.
pub fn read(text: &str) -> (Vec<ToolCall>, &str) {
    let (mut calls, mut rest) = (Vec::new(), text);
    while let Some((more, after)) = first(between(rest)) {
        calls.extend(more);
        rest = after;
    }
    let is_over = between(rest).is_empty();
    (calls, if is_over { "" } else { rest })
}

/// `text` without what may stand between calls.
fn between(text: &str) -> &str {
    text.trim_start_matches(|next: char| next.is_ascii_whitespace() || matches!(next, ',' | ';'))
}

/// The calls of the object or list that `text` begins with, and what comes after it.
fn first(text: &str) -> Option<(Vec<ToolCall>, &str)> {
    let mut values = Deserializer::from_str(text).into_iter::<&RawValue>();
    let value = values.next()?.ok()?.get();
    let calls = if value.starts_with('[') {
        let list = serde_json::from_str::<Vec<&RawValue>>(value).ok()?;
        list.into_iter().map(|one| call(one.get(), true)).collect()
    } else {
        call(value, true).map(|one| vec![one])
    };
    Some((calls?, text.get(values.byte_offset()..)?))
}

/// One call. Where it may be wrapped, its name and arguments may stand in a field `function`.
fn call(text: &str, may_be_wrapped: bool) -> Option<ToolCall> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    let of = |names: &[&str]| names.iter().find_map(|name| fields.get(*name)).map(|value| value.get());
    if let Some(inner) = of(&["function"]).filter(|inner| may_be_wrapped && inner.starts_with('{')) {
        return call(inner, false);
    }
    let name: String = serde_json::from_str(of(&["name", "tool_name", "function"])?).ok()?;
    let arguments = match of(&["arguments", "parameters"]) {
        None | Some("null") => "{}".to_owned(),
        // An object, or one that is written as a text.
        Some(value) => match serde_json::from_str(value).ok()? {
            Value::String(text) => object(&text)?,
            Value::Object(_) => value.to_owned(),
            _ => return None,
        },
    };
    (!name.is_empty()).then_some(ToolCall { name, arguments })
}
