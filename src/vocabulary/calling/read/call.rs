/// A tool that the model calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The function's name.
    pub name: String,
    /// A JSON object, as text.
    pub arguments: String,
}

/// A part of what is written from the first call's beginning on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A call.
    Call(ToolCall),
    /// Text for people.
    Text(String),
    /// What the model thinks in between.
    Thought(String),
}
