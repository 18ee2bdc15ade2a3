use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Deserializer, Value};

use super::arguments::object;
use super::call::ToolCall;

/// Objects and lists of them, one after the other.
pub fn read(text: &str) -> Option<Vec<ToolCall>> {
    let (mut calls, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        let mut values = Deserializer::from_str(rest).into_iter::<&RawValue>();
        let value = values.next()?.ok()?.get();
        rest = rest.get(values.byte_offset()..)?;
        if value.starts_with('[') {
            for one in serde_json::from_str::<Vec<&RawValue>>(value).ok()? {
                calls.push(call(one.get(), true)?);
            }
        } else {
            calls.push(call(value, true)?);
        }
        rest = rest.trim_start_matches(|next: char| next.is_ascii_whitespace() || matches!(next, ',' | ';'));
    }
    Some(calls)
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
