//! Fields that say what an answer must look like: OpenAI's, vLLM's and llama.cpp's.

use serde_json::{Map, Value};

use super::RequestError;
use super::read::{flag, text};
use crate::http::ApiError;
use crate::structure::{Shape, Structure};

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
            "response_format" => {
                if let Some((field, shape)) = response_format(value)? {
                    self.want(field, shape)?;
                }
            }
            "structured_outputs" => self.structured_outputs(value)?,
            "guided_decoding_backend" => {
                text(field, value)?;
            }
            "json_schema" => self.want(field, schema(field, value)?)?,
            // llama.cpp's clients send it empty.
            "grammar" if value.as_str() == Some("") => {}
            "grammar" => self.want(field, Shape::Grammar(text(field, value)?.to_owned()))?,
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

    fn structured_outputs(&mut self, value: &Value) -> Result<(), RequestError> {
        for (name, value) in object("structured_outputs", value)?
            .iter()
            .filter(|(_, value)| !value.is_null())
        {
            let field = format!("structured_outputs.{name}");
            match shape(name, &field, value) {
                Some(shape) => self.want(field, shape?)?,
                None if name == "json_object" => {
                    if flag(&field, value)? {
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
        "regex" => text(field, value).map(|regex| Shape::Regex(regex.to_owned())),
        "grammar" => text(field, value).map(|grammar| Shape::Grammar(grammar.to_owned())),
        "choice" => choices(field, value),
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

fn choices(field: &str, value: &Value) -> Result<Shape, ApiError> {
    let texts = value.as_array().and_then(|choices| {
        let texts = choices.iter().map(|choice| choice.as_str().map(str::to_owned));
        texts.collect::<Option<Vec<String>>>()
    });
    texts
        .map(Shape::Choice)
        .ok_or_else(|| ApiError::invalid(field, "it must be a list of strings"))
}

/// OpenAI's field, with the path to what it wants; `None` for plain text.
fn response_format(value: &Value) -> Result<Option<(String, Shape)>, RequestError> {
    let field = "response_format";
    let format = object(field, value)?;
    let path = |rest: &str| format!("{field}.{rest}");
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(None),
        // llama.cpp's clients put a schema beside either type.
        Some("json_object") => match format.get("schema").filter(|schema| !schema.is_null()) {
            Some(given) => Ok(Some((path("schema"), schema(&path("schema"), given)?))),
            None => Ok(Some((field.to_owned(), Shape::any_object()))),
        },
        Some("json_schema") => {
            let named = format.get("json_schema").filter(|named| !named.is_null());
            let (at, given) = match named {
                Some(named) => {
                    let named = object(&path("json_schema"), named)?;
                    (path("json_schema.schema"), named.get("schema"))
                }
                None => (path("schema"), format.get("schema")),
            };
            let given = given.ok_or_else(|| ApiError::invalid(at.clone(), "there is no schema"))?;
            let shape = schema(&at, given)?;
            Ok(Some((at, shape)))
        }
        Some(_) => Err(RequestError::Unsteerable {
            field: path("type"),
            reason: "steered answers can be text, json_object or json_schema",
        }),
        None => Err(ApiError::invalid(path("type"), "it must be text, json_object or json_schema").into()),
    }
}

fn object<'a>(field: &str, value: &'a Value) -> Result<&'a Map<String, Value>, ApiError> {
    let object = value.as_object();
    object.ok_or_else(|| ApiError::invalid(field, "it must be an object"))
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
            ("guided_choice", json!(["a", 3]), "guided_choice"),
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
