use crate::vocabulary::ToolCall;

/// A call in an answer.
#[derive(Clone, Debug)]
pub struct AnswerCall {
    /// Its number in the answer; the first is 0.
    pub index: usize,
    /// What the client names it by when it sends the result.
    pub id: String,
    /// The function's name.
    pub name: String,
    /// A JSON object, as text.
    pub arguments: String,
}

impl AnswerCall {
    /// With an id of its own.
    pub fn new(index: usize, call: ToolCall) -> Self {
        Self {
            index,
            id: format!("call_{}", uuid::Uuid::new_v4().simple()),
            name: call.name,
            arguments: call.arguments,
        }
    }
}
