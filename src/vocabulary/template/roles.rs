//! Chats for templates that do not take every order of roles.

use std::ops::Deref;

use zeroize::Zeroize;

use crate::vocabulary::chat::TOOL_CALLS;
use crate::vocabulary::{ChatMessage, Role};

/// Between messages that become one.
pub const BETWEEN: &str = "\n\n";

/// A chat in another form. It may have private text, so its messages are wiped when it is dropped.
pub struct Fitted(Vec<ChatMessage>);

impl Deref for Fitted {
    type Target = [ChatMessage];

    fn deref(&self) -> &[ChatMessage] {
        &self.0
    }
}

impl Drop for Fitted {
    fn drop(&mut self) {
        for message in &mut self.0 {
            message.content.zeroize();
        }
    }
}

/// The chat for a template that knows no system role: what the system says stands before the first thing that the user says, or is
/// a message of the user's where there is none. `None` where the system says nothing.
pub fn without_system(chat: &[ChatMessage]) -> Option<Fitted> {
    let has_system = chat.iter().any(|message| message.role == Role::System);
    has_system.then(|| alternating(chat.iter().map(as_user)))
}

/// The chat for a template that writes no calls: without them and without what tools say. `None` where there is nothing of that.
pub fn without_calls(chat: &[ChatMessage]) -> Option<Fitted> {
    let is_of_calls = |message: &ChatMessage| message.role == Role::Tool || message.calls().is_some();
    if !chat.iter().any(is_of_calls) {
        return None;
    }
    let is_said = |message: &&ChatMessage| {
        message.role != Role::Tool && (message.calls().is_none() || !message.content.trim().is_empty())
    };
    let said = chat.iter().filter(is_said).map(|message| {
        let mut message = message.clone();
        message.fields.shift_remove(TOOL_CALLS);
        message
    });
    Some(Fitted(said.collect()))
}

/// The message, said by the user where the system said it.
fn as_user(message: &ChatMessage) -> ChatMessage {
    let role = match message.role {
        Role::System => Role::User,
        other => other,
    };
    ChatMessage {
        role,
        ..message.clone()
    }
}

/// The chat for a template in which roles must take turns: messages of the same role that follow each other become one.
pub fn merged(chat: &[ChatMessage]) -> Fitted {
    // A template that is so strict takes what the system says at the beginning alone.
    let leading = chat.iter().take_while(|message| message.role == Role::System).count();
    let (leading, later) = chat.split_at(leading);
    alternating(leading.iter().cloned().chain(later.iter().map(as_user)))
}

/// A public chat for a template that takes neither system messages nor two messages of one role in a row.
pub fn plain_roles(chat: &[ChatMessage]) -> Vec<ChatMessage> {
    let fitted = without_system(chat);
    merged(fitted.as_deref().unwrap_or(chat)).to_vec()
}

fn alternating(chat: impl Iterator<Item = ChatMessage>) -> Fitted {
    let mut merged: Vec<ChatMessage> = Vec::new();
    for mut message in chat {
        // What a tool says belongs to one call.
        let stands_alone = message.role == Role::Tool || message.calls().is_some();
        let last = merged.last_mut().filter(|last| !stands_alone && last.calls().is_none());
        match last.filter(|last| last.role == message.role) {
            Some(last) => {
                let both = [&last.content, BETWEEN, &message.content].concat();
                std::mem::replace(&mut last.content, both).zeroize();
                message.content.zeroize();
            }
            None => merged.push(message),
        }
    }
    Fitted(merged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chats() -> impl Strategy<Value = Vec<(Role, String)>> {
        let role = prop::sample::select(vec![Role::System, Role::User, Role::Assistant]);
        prop::collection::vec((role, "[a-c]{1,3}"), 0..8)
    }

    fn words(chat: &[ChatMessage]) -> String {
        chat.iter()
            .map(|message| message.content.as_str())
            .collect::<Vec<_>>()
            .join(BETWEEN)
    }

    #[test]
    fn calls_and_what_tools_say_are_left_out_together() {
        let mut called = ChatMessage::new(Role::Assistant, "");
        called
            .fields
            .insert(TOOL_CALLS.to_owned(), serde_json::json!([{"id": "1"}]));
        let mut announced = called.clone();
        announced.content = "Let me look.".to_owned();
        let chat = [
            ChatMessage::new(Role::User, "A"),
            called,
            ChatMessage::new(Role::Tool, "x"),
            announced,
            ChatMessage::new(Role::Tool, "y"),
            ChatMessage::new(Role::Tool, "z"),
            ChatMessage::new(Role::Assistant, "B"),
        ];
        let plain = without_calls(&chat).unwrap();
        assert_eq!(words(&plain), "A\n\nLet me look.\n\nB");
        assert!(plain.iter().all(|message| message.calls().is_none()));
        // Where they are written, each stands for itself.
        assert_eq!(merged(&chat).len(), chat.len());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_roles_take_turns(chat in chats()) {
            let chat: Vec<_> = chat.into_iter().map(|(role, text)| ChatMessage::new(role, text)).collect();
            let systems = |chat: &[ChatMessage]| chat.iter().filter(|message| message.role == Role::System).count();
            let without = without_system(&chat);
            prop_assert_eq!(without.is_some(), systems(&chat) > 0);
            if let Some(without) = without {
                prop_assert_eq!(systems(&without), 0);
                prop_assert_eq!(words(&without), words(&chat));
            }
            prop_assert_eq!(words(&merged(&chat)), words(&chat));
            let plain = plain_roles(&chat);
            prop_assert_eq!((systems(&plain), words(&plain)), (0, words(&chat)));
            prop_assert!(plain.windows(2).all(|pair| pair[0].role != pair[1].role));
            let fitted = merged(&chat);
            prop_assert!(systems(&fitted) <= 1);
            prop_assert!(fitted.windows(2).all(|pair| pair[0].role != pair[1].role));
        }
    }
}
