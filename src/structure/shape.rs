use serde_json::{Value, json};

use super::ForcedCall;

/// What a request wants its answer to look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    /// The field that asks for it.
    pub field: String,
    /// What it asks for.
    pub shape: Shape,
    /// What such an answer calls; `None` where it is the answer itself.
    pub call: Option<ForcedCall>,
}

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

impl Structure {
    /// `shape`, as `field` asks for it.
    pub fn new(field: impl Into<String>, shape: Shape) -> Self {
        Self {
            field: field.into(),
            shape,
            call: None,
        }
    }
}

impl Shape {
    /// Any JSON object.
    pub fn any_object() -> Self {
        Self::Json(json!({"type": "object"}))
    }
}
