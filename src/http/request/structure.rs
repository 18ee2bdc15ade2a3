//! Fields that say what an answer must look like: OpenAI's, vLLM's and llama.cpp's.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::RequestError;
use super::typed::{Object, typed};
use crate::http::ApiError;
use crate::structure::{Shape, Structure};

/// The format of an answer: OpenAI's chats name a schema in an object of its own, and its responses, llama.cpp's clients and Anthropic put
/// it beside the type.
#[derive(Deserialize)]
pub struct Format {
    #[serde(rename = "type")]
    kind: String,
    json_schema: Option<NamedSchema>,
    schema: Option<Value>,
    #[serde(flatten)]
    _object: Object,
}

#[derive(Deserialize)]
struct NamedSchema {
    schema: Option<Value>,
    #[serde(flatten)]
    _object: Object,
}

/// The fields that were read.
#[derive(Default)]
pub struct StructureFields {
    found: Option<Structure>,
}

impl StructureFields {
    /// Reads one field that is no null; false for one that is not among them.
    ///
    /// # Errors
    /// [`RequestError`] naming a field that is wrong, or one that asks for what another has asked for already.
    pub fn read(&mut self, field: &str, value: &Value) -> Result<bool, RequestError> {
        match field {
            "response_format" => self.format(field, typed(field, value)?)?,
            "structured_outputs" => self.structured_outputs(&typed(field, value)?)?,
            "guided_decoding_backend" => {
                typed::<String>(field, value)?;
            }
            "json_schema" => self.want(field, schema(field, value)?)?,
            // llama.cpp's clients send it empty.
            "grammar" if value.as_str() == Some("") => {}
            "grammar" => self.want(field, Shape::Grammar(typed(field, value)?))?,
            _ => match field
                .strip_prefix("guided_")
                .and_then(|kind| Some((kind, shape(kind, field, value)?)))
            {
                Some((_, shape)) => self.want(field, shape?)?,
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    /// Reads a format, which stands at `at`.
    ///
    /// # Errors
    /// As for [`StructureFields::read`].
    pub fn format(&mut self, at: &str, format: Format) -> Result<(), RequestError> {
        let path = |rest: &str| format!("{at}.{rest}");
        let (field, given) = match (format.kind.as_str(), format.json_schema) {
            ("text", _) => return Ok(()),
            ("json_schema", Some(named)) => (path("json_schema.schema"), named.schema),
            ("json_schema", None) => (path("schema"), format.schema),
            // llama.cpp's clients put a schema beside either type.
            ("json_object", _) if format.schema.is_some() => (path("schema"), format.schema),
            ("json_object", _) => return Ok(self.want(at, Shape::any_object())?),
            _ => {
                return Err(RequestError::Unsteerable {
                    field: path("type"),
                    reason: "steered answers can be text, json_object or json_schema",
                });
            }
        };
        let given = given.ok_or_else(|| ApiError::invalid(&field, "there is no schema"))?;
        let shape = schema(&field, &given)?;
        Ok(self.want(field, shape)?)
    }

    /// What they ask for together.
    pub fn structure(self) -> Option<Structure> {
        self.found
    }

    fn want(&mut self, field: impl Into<String>, shape: Shape) -> Result<(), ApiError> {
        let field = field.into();
        if let Some(found) = &self.found {
            let other = &found.field;
            return Err(ApiError::invalid(
                field,
                format!("{other} says already what the answer must look like"),
            ));
        }
        self.found = Some(Structure::new(field, shape));
        Ok(())
    }

    fn structured_outputs(&mut self, wanted: &Map<String, Value>) -> Result<(), RequestError> {
        for (name, value) in wanted.iter().filter(|(_, value)| !value.is_null()) {
            let field = format!("structured_outputs.{name}");
            match shape(name, &field, value) {
                Some(shape) => self.want(field, shape?)?,
                None if name == "json_object" => {
                    if typed(&field, value)? {
                        self.want(field, Shape::any_object())?;
                    }
                }
                // They say what happens anyway.
                None if name == "disable_fallback" || value == &Value::Bool(false) => {}
                None => {
                    return Err(RequestError::Unsteerable {
                        field,
                        reason: "steered answers can be held to json, json_object, regex, choice or grammar alone",
                    });
                }
            }
        }
        Ok(())
    }
}

/// vLLM's four kinds; `None` for another.
fn shape(kind: &str, field: &str, value: &Value) -> Option<Result<Shape, ApiError>> {
    Some(match kind {
        "json" => schema(field, value),
        "regex" => typed(field, value).map(Shape::Regex),
        "grammar" => typed(field, value).map(Shape::Grammar),
        "choice" => typed(field, value).map(Shape::Choice),
        _ => return None,
    })
}

/// A JSON schema, which some clients send as a text.
fn schema(field: &str, value: &Value) -> Result<Shape, ApiError> {
    let wrong = || ApiError::invalid(field, "it must be a JSON schema: an object");
    match value {
        Value::Object(_) => Ok(Shape::Json(value.clone())),
        Value::String(text) => {
            let schema: Value = serde_json::from_str(text).map_err(|_| wrong())?;
            schema.is_object().then_some(Shape::Json(schema)).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(fields: &[(&str, Value)]) -> Result<Option<Structure>, String> {
        let mut read = StructureFields::default();
        for (field, value) in fields {
            match read.read(field, value) {
                Ok(known) => assert!(known, "{field}"),
                Err(RequestError::Invalid(error)) => {
                    return Err(error.body()["error"]["param"].as_str().unwrap().to_owned());
                }
                Err(RequestError::Unsteerable { field, .. }) => return Err(format!("unsteerable {field}")),
            }
        }
        Ok(read.structure())
    }

    #[test]
    fn each_way_of_asking_is_understood() {
        let schema = json!({"type": "object"});
        let json = || Shape::Json(schema.clone());
        for (field, value, at, shape) in [
            (
                "response_format",
                json!({"type": "json_object"}),
                "response_format",
                json(),
            ),
            (
                "response_format",
                json!({"type": "json_object", "schema": schema}),
                "response_format.schema",
                json(),
            ),
            (
                "response_format",
                json!({"type": "json_schema", "schema": schema}),
                "response_format.schema",
                json(),
            ),
            (
                "response_format",
                json!({"type": "json_schema", "json_schema": {"name": "x", "strict": true, "schema": schema}}),
                "response_format.json_schema.schema",
                json(),
            ),
            ("guided_json", schema.clone(), "guided_json", json()),
            ("guided_json", json!("{\"type\": \"object\"}"), "guided_json", json()),
            ("guided_regex", json!("a+"), "guided_regex", Shape::Regex("a+".into())),
            (
                "guided_choice",
                json!(["a", "b"]),
                "guided_choice",
                Shape::Choice(vec!["a".into(), "b".into()]),
            ),
            (
                "guided_grammar",
                json!("start: \"a\""),
                "guided_grammar",
                Shape::Grammar("start: \"a\"".into()),
            ),
            (
                "structured_outputs",
                json!({"regex": "a+", "json": null}),
                "structured_outputs.regex",
                Shape::Regex("a+".into()),
            ),
            (
                "structured_outputs",
                json!({"json_object": true}),
                "structured_outputs.json_object",
                json(),
            ),
            (
                "grammar",
                json!("root ::= \"a\""),
                "grammar",
                Shape::Grammar("root ::= \"a\"".into()),
            ),
            ("json_schema", schema.clone(), "json_schema", json()),
        ] {
            assert_eq!(
                read(&[(field, value)]).unwrap(),
                Some(Structure::new(at, shape)),
                "{at}"
            );
        }
    }

    #[test]
    fn what_asks_for_nothing_is_accepted() {
        for (field, value) in [
            ("response_format", json!({"type": "text"})),
            ("grammar", json!("")),
            ("structured_outputs", json!({"disable_any_whitespace": false})),
            ("guided_decoding_backend", json!("auto")),
        ] {
            assert_eq!(read(&[(field, value)]).unwrap(), None, "{field}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (field, value, wanted) in [
            ("response_format", json!("json"), "response_format"),
            ("response_format", json!({}), "response_format.type"),
            (
                "response_format",
                json!({"type": "json_schema"}),
                "response_format.schema",
            ),
            (
                "response_format",
                json!({"type": "json_schema", "json_schema": {}}),
                "response_format.json_schema.schema",
            ),
            (
                "response_format",
                json!({"type": "structural_tag"}),
                "unsteerable response_format.type",
            ),
            ("guided_json", json!(3), "guided_json"),
            ("guided_choice", json!(["a", 3]), "guided_choice[1]"),
            (
                "structured_outputs",
                json!({"structural_tag": "x"}),
                "unsteerable structured_outputs.structural_tag",
            ),
            (
                "structured_outputs",
                json!({"whitespace_pattern": " ?"}),
                "unsteerable structured_outputs.whitespace_pattern",
            ),
        ] {
            assert_eq!(read(&[(field, value)]).unwrap_err(), wanted, "{field}");
        }
        let twice = [("guided_regex", json!("a")), ("grammar", json!("root ::= \"a\""))];
        assert_eq!(read(&twice).unwrap_err(), "grammar");
    }
}
