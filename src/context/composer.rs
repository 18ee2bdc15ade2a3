use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use super::{PrivateContext, PrivateIds, PublicPrompt, Template};
use crate::vocabulary::{ChatMessage, Role, TokenId, Tokenizer, VocabularyError};

/// Where the context stands in the private branch's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// After the system message's own text.
    System,
    /// Before the last user message's own text, as in the paper.
    User,
}

/// Composes the prompts of the two branches.
#[derive(Clone)]
pub struct Composer {
    /// How the private text is composed.
    pub template: Template,
    /// Tokens the context may take.
    pub budget: usize,
    /// Tokens of one document.
    pub document_tokens: usize,
    /// Where the context goes.
    pub placement: Placement,
    /// The system message that both branches get when the client sent none. Both get the same one, so that Δ measures the context alone.
    pub default_system: String,
}

/// Between the context and the text it joins.
const SEPARATOR: &str = "\n\n";

impl Composer {
    /// The public branch's prompt.
    ///
    /// # Errors
    /// A [`VocabularyError`] when the chat template refuses the messages.
    pub fn public(&self, tokenizer: &Tokenizer, prompt: &PublicPrompt) -> Result<Vec<TokenId>, VocabularyError> {
        match prompt {
            PublicPrompt::Chat(messages) => tokenizer.chat_prompt(&self.with_system(messages)),
            PublicPrompt::Text(_) | PublicPrompt::Ids(_) => prompt.ids(tokenizer),
        }
    }

    /// The private branch's prompt. Where there are no messages, the context comes before the text.
    ///
    /// # Errors
    /// A [`VocabularyError`] when the chat template refuses the messages.
    pub fn private(
        &self,
        tokenizer: &Tokenizer,
        prompt: &PublicPrompt,
        context: &PrivateContext,
    ) -> Result<PrivateIds, VocabularyError> {
        let rest = match prompt {
            PublicPrompt::Chat(messages) => {
                let private = self.with_context(self.with_system(messages), context);
                let ids = tokenizer.chat_prompt(&private);
                for mut message in private {
                    message.content.zeroize();
                }
                return ids.map(PrivateIds::new).map_err(VocabularyError::without_words);
            }
            PublicPrompt::Text(text) => text.as_str(),
            PublicPrompt::Ids(_) => "",
        };
        let text = Zeroizing::new([context.expose(), SEPARATOR, rest].concat());
        let ids = tokenizer.text_prompt(&text).map_err(VocabularyError::without_words)?;
        let private = PrivateIds::new(ids);
        Ok(match prompt {
            PublicPrompt::Ids(ids) => private.followed_by(ids),
            _ => private,
        })
    }

    fn with_system(&self, messages: &[ChatMessage]) -> Vec<ChatMessage> {
        let has_system = messages.first().is_some_and(|first| first.role == Role::System);
        let default = (!has_system).then(|| ChatMessage::new(Role::System, self.default_system.clone()));
        default.into_iter().chain(messages.iter().cloned()).collect()
    }

    fn with_context(&self, mut messages: Vec<ChatMessage>, context: &PrivateContext) -> Vec<ChatMessage> {
        let last_user = messages.iter().rposition(|message| message.role == Role::User);
        match (self.placement, last_user) {
            (Placement::User, Some(index)) => {
                if let Some(message) = messages.get_mut(index) {
                    message.content = [context.expose(), SEPARATOR, &message.content].concat();
                }
            }
            // Without a user message the context goes into the system message, which always exists.
            (Placement::System | Placement::User, _) => {
                if let Some(message) = messages.first_mut() {
                    message.content = [&message.content, SEPARATOR, context.expose()].concat();
                }
            }
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composer(placement: Placement) -> Composer {
        Composer {
            template: Template::compile(None).unwrap(),
            budget: 1000,
            document_tokens: 100,
            placement,
            default_system: "Be kind.".into(),
        }
    }

    fn texts(messages: &[ChatMessage]) -> Vec<&str> {
        messages.iter().map(|message| message.content.as_str()).collect()
    }

    #[test]
    fn the_default_system_message_comes_only_where_there_is_none() {
        let question = [ChatMessage::new(Role::User, "Hello")];
        assert_eq!(
            texts(&composer(Placement::System).with_system(&question)),
            ["Be kind.", "Hello"]
        );
        let own = [
            ChatMessage::new(Role::System, "Mine."),
            ChatMessage::new(Role::User, "Hello"),
        ];
        assert_eq!(
            texts(&composer(Placement::System).with_system(&own)),
            ["Mine.", "Hello"]
        );
    }

    #[test]
    fn each_placement_changes_one_message() {
        let context = PrivateContext::new("I am Ada.".into());
        let chat = || {
            vec![
                ChatMessage::new(Role::System, "Sys."),
                ChatMessage::new(Role::User, "One"),
                ChatMessage::new(Role::Assistant, "Two"),
                ChatMessage::new(Role::User, "Three"),
            ]
        };
        let system = composer(Placement::System).with_context(chat(), &context);
        assert_eq!(texts(&system), ["Sys.\n\nI am Ada.", "One", "Two", "Three"]);
        let user = composer(Placement::User).with_context(chat(), &context);
        assert_eq!(texts(&user), ["Sys.", "One", "Two", "I am Ada.\n\nThree"]);
    }
}
