//! Chats for templates that do not take every order of roles.

use std::borrow::Cow;

use crate::vocabulary::{ChatMessage, Role};

/// Between messages that become one.
pub const BETWEEN: &str = "\n\n";

/// The chat for a template that knows no system role: what the system says stands before the first thing that the user says, or is
/// a message of the user's where there is none.
pub fn without_system(chat: &[ChatMessage]) -> Cow<'_, [ChatMessage]> {
    if chat.iter().all(|message| message.role != Role::System) {
        return Cow::Borrowed(chat);
    }
    Cow::Owned(alternating(chat.iter().map(as_user)))
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
pub fn merged(chat: &[ChatMessage]) -> Vec<ChatMessage> {
    // A template that is so strict takes what the system says at the beginning alone.
    let leading = chat.iter().take_while(|message| message.role == Role::System).count();
    let (leading, later) = chat.split_at(leading);
    alternating(leading.iter().cloned().chain(later.iter().map(as_user)))
}

/// The chat for a template that takes neither system messages nor two messages of one role in a row.
pub fn plain_roles(chat: &[ChatMessage]) -> Vec<ChatMessage> {
    merged(&without_system(chat))
}

fn alternating(chat: impl Iterator<Item = ChatMessage>) -> Vec<ChatMessage> {
    let mut merged: Vec<ChatMessage> = Vec::new();
    for message in chat {
        match merged.last_mut().filter(|last| last.role == message.role) {
            Some(last) => last.content = [&last.content, BETWEEN, &message.content].concat(),
            None => merged.push(message),
        }
    }
    merged
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

    proptest! {
        #[test]
        fn nothing_is_lost_and_roles_take_turns(chat in chats()) {
            let chat: Vec<_> = chat.into_iter().map(|(role, text)| ChatMessage::new(role, text)).collect();
            for fitted in [without_system(&chat).into_owned(), merged(&chat)] {
                prop_assert_eq!(words(&fitted), words(&chat));
            }
            let systems = |chat: &[ChatMessage]| chat.iter().filter(|message| message.role == Role::System).count();
            prop_assert_eq!(systems(&without_system(&chat)), 0);
            let fitted = merged(&chat);
            prop_assert!(systems(&fitted) <= 1);
            prop_assert!(fitted.windows(2).all(|pair| pair[0].role != pair[1].role));
        }
    }
}
