use serde_json::{Map, Value};

/// Parts that are tried alone, at most: each is compiled.
const MOST_TRIED: usize = 60;

/// Keywords whose value is a schema, a list of schemas, or schemas by name.
const PARTS: [&str; 11] = [
    "properties",
    "patternProperties",
    "additionalProperties",
    "items",
    "prefixItems",
    "additionalItems",
    "anyOf",
    "oneOf",
    "allOf",
    "$defs",
    "definitions",
];

/// Why `schema` cannot be used, with the path to the smallest part that `compiles` refuses by itself; `reason` is that of the whole.
pub fn located(schema: &Value, reason: &str, compiles: &impl Fn(&Value) -> Result<(), String>) -> String {
    let mut reason = reason.to_owned();
    let mut path = String::new();
    let mut here = schema;
    let mut tried = 0;
    while let Some((at, part, why)) = parts(here)
        .into_iter()
        .take_while(|_| {
            tried += 1;
            tried <= MOST_TRIED
        })
        .find_map(|(at, part)| {
            let why = compiles(&whole(part, schema)).err()?;
            Some((at, part, why))
        })
    {
        path.push_str(&at);
        (here, reason) = (part, why);
    }
    let reason = in_words(&reason);
    match path.strip_prefix('.') {
        Some(path) => format!("at {path}: {reason}"),
        None => reason,
    }
}

/// A part with what it may refer to.
fn whole(part: &Value, schema: &Value) -> Value {
    let mut part = part.clone();
    if let Value::Object(fields) = &mut part {
        for name in ["$schema", "$defs", "definitions"] {
            if let (Some(definitions), None) = (schema.get(name), fields.get(name)) {
                fields.insert(name.to_owned(), definitions.clone());
            }
        }
    }
    part
}

/// The schemas right below this one, with their paths.
fn parts(schema: &Value) -> Vec<(String, &Value)> {
    let Some(fields) = schema.as_object() else {
        return Vec::new();
    };
    let found = PARTS.iter().filter_map(|name| Some((*name, fields.get(*name)?)));
    found.flat_map(|(name, value)| below(name, value)).collect()
}

fn below<'a>(name: &str, value: &'a Value) -> Vec<(String, &'a Value)> {
    let by_name = |parts: &'a Map<String, Value>| parts.iter().map(|(key, part)| (format!(".{name}.{key}"), part));
    match (name, value) {
        ("properties" | "patternProperties" | "$defs" | "definitions", Value::Object(parts)) => {
            by_name(parts).collect()
        }
        (_, Value::Object(_)) => vec![(format!(".{name}"), value)],
        (_, Value::Array(parts)) => {
            let numbered = parts.iter().enumerate();
            numbered
                .map(|(index, part)| (format!(".{name}[{index}]"), part))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// What the library says, as people would, in one line.
pub fn in_words(reason: &str) -> String {
    // Of a regular expression it shows a picture first.
    let said = reason.lines().find_map(|line| line.trim().strip_prefix("error: "));
    let reason = said.or_else(|| reason.lines().next()).unwrap_or_default().trim();
    if let Some(keys) = reason.strip_prefix("Unimplemented keys: ") {
        let keys = keys.trim_matches(['[', ']']);
        return format!("JSON schema's {keys} cannot be enforced; leave it out");
    }
    if reason.starts_with("oneOf constraints are not supported") {
        return "JSON schema's \"oneOf\" can be enforced only where its parts exclude each other; use \"anyOf\""
            .to_owned();
    }
    // Of some the library writes out all that it has made of them.
    reason.chars().take(MOST_SAID).collect()
}

/// Characters of a reason.
const MOST_SAID: usize = 200;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Refuses whatever has the keyword `not` in it.
    fn refuses(schema: &Value) -> Result<(), String> {
        let text = schema.to_string();
        let refused = || "Unimplemented keys: [\"not\"]\nmore".to_owned();
        (!text.contains("\"not\"")).then_some(()).ok_or_else(refused)
    }

    #[test]
    fn the_smallest_part_is_named() {
        let schema = json!({"type": "object", "properties": {
            "fine": {"type": "string"},
            "list": {"type": "array", "items": {"anyOf": [{"type": "null"}, {"not": {}}]}},
        }});
        let wanted = "at properties.list.items.anyOf[1]: JSON schema's \"not\" cannot be enforced; leave it out";
        assert_eq!(located(&schema, "all of it", &refuses), wanted);
    }

    #[test]
    fn what_is_wrong_at_the_top_has_no_path() {
        let schema = json!({"not": {}, "properties": {"fine": {"type": "string"}}});
        let reason = refuses(&schema).unwrap_err();
        assert!(located(&schema, &reason, &refuses).starts_with("JSON schema's \"not\""));
    }
}
