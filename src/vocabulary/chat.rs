use serde::Serialize;

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
}

/// One message of plain text: what chat templates of text models take.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// What was said.
    pub content: String,
}

impl ChatMessage {
    /// A message of `role` that says `content`.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
        }
    }
}
