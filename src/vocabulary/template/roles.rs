//! Chats for templates that do not take every order of roles.

use std::ops::Deref;

use zeroize::Zeroize;

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
        match merged.last_mut().filter(|last| last.role == message.role) {
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
