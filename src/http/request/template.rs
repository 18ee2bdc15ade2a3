//! Fields that say how a chat template is to write the chat.

use serde_json::{Map, Value, json};

use super::typed::typed;
use crate::http::ApiError;
use crate::vocabulary::TemplateOptions;

/// What the chat itself decides.
const FIXED: [&str; 5] = [
    "messages",
    "tools",
    "documents",
    "add_generation_prompt",
    "continue_final_message",
];
/// How templates call the switch for thinking.
const SWITCHES: [&str; 2] = ["enable_thinking", "thinking"];

/// The fields that were read.
#[derive(Default)]
pub struct TemplateFields {
    given: Map<String, Value>,
    derived: Map<String, Value>,
}

impl TemplateFields {
    /// Reads one field that is no null; false for one that is not among them.
    ///
    /// # Errors
    /// 400 naming a field that is wrong.
    pub fn read(&mut self, field: &str, value: &Value) -> Result<bool, ApiError> {
        match field {
            "chat_template_kwargs" => self.given = given(field, value)?,
            "enable_thinking" | "thinking" => self.switch(thinks(field, value)?),
            "reasoning_effort" => self.effort(typed(field, value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// How much the model is to think.
    pub fn effort(&mut self, effort: String) {
        if effort == "none" {
            self.switch(false);
        }
        self.derived.insert("reasoning_effort".to_owned(), effort.into());
    }

    fn switch(&mut self, on: bool) {
        self.derived.extend(SWITCHES.map(|name| (name.to_owned(), json!(on))));
    }

    /// All of them for the template; what `chat_template_kwargs` says wins.
    pub fn options(self) -> TemplateOptions {
        TemplateOptions(self.derived).overridden_by(&TemplateOptions(self.given))
    }
}

fn given(field: &str, value: &Value) -> Result<Map<String, Value>, ApiError> {
    let given: Map<String, Value> = typed(field, value)?;
    match FIXED.iter().find(|name| given.contains_key(**name)) {
        Some(name) => Err(ApiError::invalid(
            format!("{field}.{name}"),
            "the chat decides this, not an option of its template",
        )),
        None => Ok(given),
    }
}

/// Whether the model is to think: true or false, or as some vendors write it, `{"type": "enabled"}`.
fn thinks(field: &str, value: &Value) -> Result<bool, ApiError> {
    let kind = value.get("type").and_then(Value::as_str);
    match (value.as_bool(), kind) {
        (Some(flag), _) => Ok(flag),
        (None, Some("disabled")) => Ok(false),
        (None, Some("enabled" | "adaptive" | "auto")) => Ok(true),
        (None, _) => {
            let wanted = "it must be true, false, or {\"type\": \"enabled\"} or {\"type\": \"disabled\"}";
            Err(ApiError::invalid(field, wanted))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, Value)]) -> Result<Value, String> {
        let mut read = TemplateFields::default();
        for (field, value) in fields {
            match read.read(field, value) {
                Ok(known) => assert!(known, "{field}"),
                Err(error) => return Err(error.body().to_string()),
            }
        }
        Ok(Value::Object(read.options().0))
    }

    #[test]
    fn the_ways_of_switching_thinking_mean_the_same() {
        let off = json!({"enable_thinking": false, "thinking": false});
        for (field, value) in [
            ("enable_thinking", json!(false)),
            ("thinking", json!(false)),
            ("thinking", json!({"type": "disabled"})),
        ] {
            assert_eq!(read(&[(field, value)]).unwrap(), off);
        }
        let effort = read(&[("reasoning_effort", json!("none"))]).unwrap();
        assert_eq!(effort["enable_thinking"], json!(false));
        assert_eq!(
            read(&[("reasoning_effort", json!("low"))]).unwrap(),
            json!({"reasoning_effort": "low"})
        );
    }

    #[test]
    fn the_templates_own_options_win_in_any_order() {
        let fields = [
            ("chat_template_kwargs", json!({"enable_thinking": true, "x": [1]})),
            ("enable_thinking", json!(false)),
        ];
        let wanted = json!({"enable_thinking": true, "thinking": false, "x": [1]});
        assert_eq!(read(&fields).unwrap(), wanted);
        let [first, second] = fields;
        assert_eq!(read(&[second, first]).unwrap(), wanted);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (field, value) in [
            ("chat_template_kwargs", json!("x")),
            ("chat_template_kwargs", json!({"add_generation_prompt": false})),
            ("enable_thinking", json!("yes")),
            ("thinking", json!({"type": "maybe"})),
            ("reasoning_effort", json!(3)),
        ] {
            let error = read(&[(field, value)]).unwrap_err();
            assert!(error.contains(field), "{error}");
        }
    }
}
