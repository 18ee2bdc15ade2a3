use serde::Serialize;
use serde_json::{Map, Value};

/// Who speaks in a chat message, as far as a chat template can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions that stand above the conversation (`developer` counts as this).
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A tool that the model has called.
    Tool,
}

impl Role {
    /// As APIs and templates call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// One message of plain text: what chat templates of text models take.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// What was said.
    pub content: String,
    /// What else the client said of it, such as `name`; templates that know a field write it.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

impl ChatMessage {
    /// A message of `role` that says `content`.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
            fields: Map::new(),
        }
    }

    /// Calls of tools that the model has written, as the client sends them back.
    pub fn calls(&self) -> Option<&Vec<Value>> {
        self.fields.get(TOOL_CALLS).and_then(Value::as_array)
    }

    /// Its texts: what was said, and what else the client said of it in texts, which a template may write.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let others = self.fields.values().flat_map(texts_of);
        [self.content.as_str()].into_iter().chain(others)
    }
}

/// The field of a message that has its calls.
pub const TOOL_CALLS: &str = "tool_calls";

/// All texts in a value, but for the names of its fields.
pub fn texts_of(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts_of).collect(),
        Value::Object(fields) => fields.values().flat_map(texts_of).collect(),
        _ => Vec::new(),
    }
}

/// Options of a chat template, by name, such as `enable_thinking`. A template ignores those that it does not know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplateOptions(pub Map<String, Value>);

impl TemplateOptions {
    /// These, and `others`, which win.
    pub fn overridden_by(&self, others: &Self) -> Self {
        let mut all = self.0.clone();
        all.extend(others.0.clone());
        Self(all)
    }
}
