//! Objects that have the properties that their schema names, and no others.
//!
//! JSON schema allows any others where a schema does not say `additionalProperties`. Most schemas do not say it, nobody wants others there,
//! and a small model goes on with them until the answer is cut. What is valid under the closed schema is valid under the one that was sent.

use serde_json::{Map, Value, json};

/// Keywords whose value is schemas by name.
const NAMED: [&str; 3] = ["properties", "$defs", "definitions"];

/// Keywords whose value is a schema, or a list of schemas.
const NESTED: [&str; 7] = [
    "items",
    "prefixItems",
    "additionalItems",
    "additionalProperties",
    "anyOf",
    "oneOf",
    "allOf",
];

/// Keywords that say what an object has. Where two of them meet, its properties are those of both, and neither may be closed.
const WHOLES: [&str; 6] = ["properties", "$ref", "anyOf", "oneOf", "allOf", "if"];

/// Keywords that say more of an object's properties than their names.
const MORE: [&str; 8] = [
    "additionalProperties",
    "unevaluatedProperties",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
];

/// The schema with its objects closed; `None` where none is to be closed, or where objects are put together from several parts.
pub fn closed(schema: &Value) -> Option<Value> {
    let mut closed = schema.clone();
    close(&mut closed).filter(|any| *any).map(|_| closed)
}

/// Whether any was closed.
fn close(schema: &mut Value) -> Option<bool> {
    let Value::Object(fields) = schema else {
        return Some(false);
    };
    if is_put_together(fields) {
        return None;
    }
    let mut any = is_open(fields);
    if any {
        fields.insert("additionalProperties".to_owned(), json!(false));
    }
    for (name, value) in fields {
        let parts: Vec<&mut Value> = match value {
            Value::Object(parts) if NAMED.contains(&name.as_str()) => parts.values_mut().collect(),
            Value::Array(parts) if NESTED.contains(&name.as_str()) => parts.iter_mut().collect(),
            part if NESTED.contains(&name.as_str()) => vec![part],
            _ => Vec::new(),
        };
        for part in parts {
            any |= close(part)?;
        }
    }
    Some(any)
}

fn is_put_together(fields: &Map<String, Value>) -> bool {
    let wholes = WHOLES.iter().filter(|name| fields.contains_key(**name)).count();
    let several = |parts: &Value| parts.as_array().is_some_and(|parts| parts.len() > 1);
    wholes > 1 || fields.get("allOf").is_some_and(several)
}

/// Whether an object names its properties, all that it must have among them, and says no more about them.
fn is_open(fields: &Map<String, Value>) -> bool {
    let Some(Value::Object(properties)) = fields.get("properties") else {
        return false;
    };
    let mut required = fields.get("required").and_then(Value::as_array).into_iter().flatten();
    let is_named = |name: &Value| name.as_str().is_some_and(|name| properties.contains_key(name));
    required.all(is_named) && !MORE.iter().any(|name| fields.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_that_name_their_properties_have_no_others() {
        let leaf = json!({"type": "object", "properties": {"properties": {"const": {"properties": {}}}}});
        let schema = json!({
            "type": "object",
            "properties": {"leaves": {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/leaf"}, {"type": "null"}]}}},
            "required": ["leaves"],
            "$defs": {"leaf": leaf},
        });
        let closed = closed(&schema).unwrap();
        for path in ["", "/$defs/leaf"] {
            assert_eq!(closed.pointer(path).unwrap()["additionalProperties"], false, "{path}");
        }
        // Values are no schemas.
        let value = "/$defs/leaf/properties/properties/const";
        assert_eq!(closed.pointer(value), schema.pointer(value));
    }

    #[test]
    fn whoever_wants_others_gets_them() {
        let properties = json!({"a": {"type": "null"}});
        for schema in [
            json!({"type": "object"}),
            json!({"properties": properties, "additionalProperties": true}),
            json!({"properties": properties, "additionalProperties": {"type": "string"}}),
            json!({"properties": properties, "patternProperties": {"^b": {}}}),
            json!({"properties": properties, "required": ["a", "b"]}),
            json!({"properties": properties, "minProperties": 2}),
            json!({"properties": properties, "$ref": "#/$defs/b", "$defs": {"b": {"properties": {"b": {}}}}}),
            json!({"allOf": [{"properties": properties}, {"properties": {"b": {}}}]}),
            json!({"properties": properties, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}),
            json!(true),
        ] {
            assert_eq!(closed(&schema), None, "{schema}");
        }
    }
}
