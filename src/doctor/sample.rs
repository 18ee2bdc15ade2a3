use std::sync::Arc;

use crate::vocabulary::{ChatMessage, Role};

/// A chat that any template takes.
pub fn sample() -> Arc<[ChatMessage]> {
    Arc::new([
        ChatMessage::new(Role::System, "You are a helpful assistant."),
        ChatMessage::new(Role::User, "Please introduce yourself in three sentences."),
    ])
}
