use serde_json::{Value, json};

/// What an answer may look like.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// JSON that is valid under this JSON schema.
    Json(Value),
    /// A text that the regular expression matches from its beginning to its end.
    Regex(String),
    /// One of these texts.
    Choice(Vec<String>),
    /// A text of this grammar: llama.cpp's GBNF where it has `::=`, otherwise Lark's.
    Grammar(String),
}

impl Shape {
    /// Any JSON object.
    pub fn any_object() -> Self {
        Self::Json(json!({"type": "object"}))
    }
}
