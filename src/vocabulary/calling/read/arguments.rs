//! Arguments as JSON.

use serde_json::value::RawValue;
use serde_json::{Deserializer, Value};

/// `text` where it is a JSON object, as it is written.
pub fn object(text: &str) -> Option<String> {
    let text = text.trim();
    let is_object = text.starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok();
    is_object.then(|| text.to_owned())
}

/// The JSON object that `text` begins with, as it is written, and what comes after it.
pub fn first_object(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let mut values = Deserializer::from_str(text).into_iter::<&RawValue>();
    let first = values.next()?.ok().filter(|_| text.starts_with('{'))?.get().to_owned();
    Some((first, text.get(values.byte_offset()..)?))
}

/// A JSON object of values that are JSON already.
pub fn of(arguments: &[(String, String)]) -> String {
    let entry = |(name, value): &(String, String)| format!("{}: {value}", Value::from(name.as_str()));
    let entries: Vec<String> = arguments.iter().map(entry).collect();
    format!("{{{}}}", entries.join(", "))
}

/// What the tool of this name wants its arguments to be; `None` where there is no such tool.
pub fn schema<'a>(tools: &'a [Value], name: &str) -> Option<&'a Value> {
    let functions = tools.iter().map(|tool| &tool["function"]);
    let mut named = functions.filter(|function| function["name"] == name);
    named.next().map(|function| &function["parameters"])
}

/// A value that is written as bare text, as JSON of the type that `schema`, of all arguments, has for `name`.
pub fn typed(schema: Option<&Value>, name: &str, text: &str) -> String {
    let as_text = || Value::from(text).to_string();
    let Some(wanted) = schema.and_then(|schema| schema["properties"].get(name)) else {
        return as_text();
    };
    let types = types(wanted);
    let bare = text.trim();
    // What may be a text is one, unless it can only be something else.
    if types.contains(&"string") {
        let is_null = bare == "null" && types.contains(&"null");
        return if is_null { bare.to_owned() } else { as_text() };
    }
    match bare {
        // As Python writes them.
        "True" => "true".to_owned(),
        "False" => "false".to_owned(),
        "None" => "null".to_owned(),
        _ if serde_json::from_str::<&RawValue>(bare).is_ok() => bare.to_owned(),
        _ => as_text(),
    }
}

/// The types that a schema names, at its top or as alternatives.
fn types(schema: &Value) -> Vec<&str> {
    let alternatives = ["anyOf", "oneOf"].iter().filter_map(|name| schema[*name].as_array());
    let inner = alternatives.flatten().map(|one| &one["type"]);
    let named = [&schema["type"]].into_iter().chain(inner);
    named
        .flat_map(|types| match types {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            other => Vec::from_iter(other.as_str()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_of_the_type_that_the_tool_wants() {
        let schema = json!({"properties": {
            "text": {"type": "string"}, "count": {"type": "integer"}, "flag": {"type": "boolean"}, "any": {},
            "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "list": {"type": ["array", "null"]},
        }});
        for (name, text, wanted) in [
            ("text", "12", "\"12\""),
            ("text", " a\"b ", "\" a\\\"b \""),
            ("count", "12345678901234567890123", "12345678901234567890123"),
            ("count", "a dozen", "\"a dozen\""),
            ("flag", "True", "true"),
            ("any", "{\"a\": 1}", "{\"a\": 1}"),
            ("any", "a", "\"a\""),
            ("maybe", "null", "null"),
            ("maybe", "5", "\"5\""),
            ("list", "[1]", "[1]"),
            ("unheard of", "5", "\"5\""),
        ] {
            assert_eq!(typed(Some(&schema), name, text), wanted, "{name}");
        }
        assert_eq!(typed(None, "text", "5"), "\"5\"");
    }
}
