use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Shape, StructureError};
use crate::vocabulary::ToolCall;

/// What an answer has to call, where a request says that it must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForcedCall {
    /// This function. The answer is its arguments.
    Function(String),
    /// Any of the tools. The answer is a list of names and parameters.
    Any,
}

/// Calls of an answer that has to call something, at most.
const MOST_CALLS: usize = 8;

impl ForcedCall {
    /// What an answer looks like that calls some of `tools`, which are in OpenAI's form; more than one where calls may be `parallel`.
    ///
    /// # Errors
    /// [`StructureError::Unusable`] where there is no such tool.
    pub fn shape(&self, tools: &[Value], parallel: bool) -> Result<Shape, StructureError> {
        let function = |tool: &Value| tool["function"].clone();
        let schema = match self {
            Self::Function(name) => {
                let named = tools.iter().map(function).find(|function| &function["name"] == name);
                let missing = || StructureError::unusable("no tool has the name of this function");
                parameters(&named.ok_or_else(missing)?)
            }
            Self::Any if tools.is_empty() => return Err(StructureError::unusable("there are no tools")),
            Self::Any => {
                let functions = tools.iter().map(function).enumerate();
                let calls: Vec<Value> = functions.map(|(place, function)| call(&function, place)).collect();
                json!({
                    "type": "array",
                    "items": {"anyOf": calls},
                    "minItems": 1,
                    "maxItems": if parallel { MOST_CALLS } else { 1 },
                })
            }
        };
        Ok(Shape::Json(schema))
    }

    /// The calls of an answer. One that was cut short has those that are whole, or the arguments of its function as far as they came.
    pub fn read(&self, answer: &str) -> Vec<ToolCall> {
        match self {
            Self::Function(name) => vec![ToolCall {
                name: name.clone(),
                arguments: answer.to_owned(),
            }],
            Self::Any => {
                let call = |call: Written| ToolCall {
                    name: call.name,
                    arguments: call.parameters.get().to_owned(),
                };
                whole_items(answer).into_iter().map(call).collect()
            }
        }
    }
}

/// A call as an answer has it. Its arguments stay as they are written, because numbers that are read and written again may be others.
#[derive(serde::Deserialize)]
struct Written<'a> {
    name: String,
    #[serde(borrow)]
    parameters: &'a RawValue,
}

/// What is whole of a list in JSON, which may be cut short.
fn whole_items(list: &str) -> Vec<Written<'_>> {
    let mut rest = list.trim_start().strip_prefix('[').unwrap_or_default();
    let mut items = Vec::new();
    loop {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        let Some(Ok(item)) = values.next() else {
            return items;
        };
        items.push(item);
        let after = rest.get(values.byte_offset()..).unwrap_or_default().trim_start();
        rest = after.strip_prefix(',').unwrap_or(after);
    }
}

/// The schema of a function's arguments: none, where it says nothing of them.
fn parameters(function: &Value) -> Value {
    match function.get("parameters") {
        Some(Value::Object(parameters)) if !parameters.is_empty() => Value::Object(parameters.clone()),
        _ => json!({"type": "object", "properties": {}, "additionalProperties": false}),
    }
}

/// The schema of a call among others, at this place in the list of them.
fn call(function: &Value, place: usize) -> Value {
    let mut parameters = parameters(function);
    move_references(&mut parameters, &format!("#/items/anyOf/{place}/properties/parameters"));
    json!({
        "type": "object",
        "properties": {"name": {"const": function["name"]}, "parameters": parameters},
        "required": ["name", "parameters"],
        "additionalProperties": false,
    })
}

/// Has references of a schema within itself start at `root`, which is where it stands now.
fn move_references(schema: &mut Value, root: &str) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(target) if key == "$ref" && target.starts_with('#') => {
                        target.replace_range(..1, root);
                    }
                    value => move_references(value, root),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| move_references(value, root)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools() -> Vec<Value> {
        let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        vec![
            json!({"type": "function", "function": {"name": "weather", "parameters": schema}}),
            json!({"type": "function", "function": {"name": "time"}}),
        ]
    }

    #[test]
    fn a_named_function_is_called_with_its_arguments() {
        let forced = ForcedCall::Function("weather".into());
        let wanted = Shape::Json(tools()[0]["function"]["parameters"].clone());
        assert_eq!(forced.shape(&tools(), true).unwrap(), wanted);
        let calls = forced.read("{\"city\": \"Oslo\"}");
        assert_eq!(calls[0].name, "weather");
        assert_eq!(calls[0].arguments, "{\"city\": \"Oslo\"}");
        assert!(ForcedCall::Function("missing".into()).shape(&tools(), true).is_err());
    }

    #[test]
    fn references_within_a_schema_are_found_where_it_stands_now() {
        let schema = json!({"properties": {"a": {"$ref": "#/$defs/City"}}, "$defs": {"City": {"type": "string"}}});
        let tool = json!({"type": "function", "function": {"name": "weather", "parameters": schema}});
        let Shape::Json(schema) = ForcedCall::Any.shape(&[tools()[1].clone(), tool], true).unwrap() else {
            unreachable!();
        };
        let reference = schema
            .pointer("/items/anyOf/1/properties/parameters/properties/a/$ref")
            .unwrap();
        let target = schema.pointer(&reference.as_str().unwrap()[1..]).unwrap();
        assert_eq!(target, &json!({"type": "string"}));
    }

    #[test]
    fn any_of_them_is_called_by_its_name() {
        let Shape::Json(schema) = ForcedCall::Any.shape(&tools(), false).unwrap() else {
            unreachable!()
        };
        assert_eq!(schema["maxItems"], 1);
        assert_eq!(schema["items"]["anyOf"][1]["properties"]["name"]["const"], "time");
        let calls = ForcedCall::Any.read("[{\"name\": \"time\", \"parameters\": {}}]");
        assert_eq!((calls[0].name.as_str(), calls[0].arguments.as_str()), ("time", "{}"));
        assert!(ForcedCall::Any.read("[{\"name\": \"ti").is_empty());
        // To the last letter as they are written.
        let written = "{\"a\": 1.0, \"b\": 1e3, \"c\": 123456789012345678901234567890, \"d\": 0.10,\n\"e\": \"\\u00e9\", \"a\": 2}";
        let answer = format!(
            "[{{\"name\": \"ti\\u006de\", \"parameters\": {written} }}, {{\"name\": \"x\", \"parameters\": [ 1.50 ]}}]"
        );
        let calls = ForcedCall::Any.read(&answer);
        assert_eq!((calls[0].name.as_str(), calls[0].arguments.as_str()), ("time", written));
        assert_eq!(calls[1].arguments, "[ 1.50 ]");
        let two =
            "[{\"name\": \"time\", \"parameters\": {}}, {\"name\": \"weather\", \"parameters\": {\"city\": \"Oslo\"}}]";
        let found: Vec<usize> = (0..=two.len())
            .map(|cut| ForcedCall::Any.read(&two[..cut]).len())
            .collect();
        assert!(
            found.is_sorted() && found.contains(&1) && found.last() == Some(&2),
            "{found:?}"
        );
        assert!(ForcedCall::Any.shape(&[], true).is_err());
    }
}
