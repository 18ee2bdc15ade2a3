use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use super::template::Parts;
use super::{Chat, ContextError, PrivateContext, PrivateIds, PublicPrompt, Sources, Template};
use crate::vocabulary::{ChatMessage, Role, SystemRole, TokenId, Tokenizer, VocabularyError};

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
    /// The system message that both branches get when the client sent none and the chat template cannot do without; none where it is
    /// empty. Both get the same one, so that Δ measures the context alone.
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
            PublicPrompt::Chat(chat) => {
                let messages = self.with_system(&chat.messages, tokenizer.system_role());
                chat.ids(tokenizer, &messages)
            }
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
            PublicPrompt::Chat(chat) => {
                let private = self.private_chat(tokenizer, chat, context);
                let ids = chat.ids(tokenizer, &private);
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

    /// A chat with a text in it that everybody may see, where and as a private context would stand in it. It takes no
    /// [`PrivateContext`], so that none can be shown by it.
    ///
    /// # Errors
    /// [`ContextError::Template`].
    pub fn openly(&self, tokenizer: &Tokenizer, chat: &Chat, text: &str) -> Result<Chat, ContextError> {
        let text = PrivateContext::new(text.to_owned());
        let sources = Sources::asked(PublicPrompt::Chat(chat.clone()).query(), Some(text), Vec::new());
        let text = self.template.render(&Parts {
            given: &sources.given,
            query: sources.query.as_private_str(),
            ..Parts::default()
        })?;
        Ok(Chat {
            messages: self.private_chat(tokenizer, chat, &text).into(),
            ..chat.clone()
        })
    }

    /// The private branch's messages.
    fn private_chat(&self, tokenizer: &Tokenizer, chat: &Chat, context: &PrivateContext) -> Vec<ChatMessage> {
        let messages = self.with_system(&chat.messages, tokenizer.system_role());
        // What the template says by itself where nobody speaks as the system, it must say beside the context, too.
        let own = || tokenizer.own_system(&chat.options).unwrap_or_default();
        self.with_context(messages, own, context)
    }

    /// The chat, with a system message where the template needs one.
    fn with_system(&self, messages: &[ChatMessage], role: SystemRole) -> Vec<ChatMessage> {
        let lacks = role == SystemRole::Needed && !self.default_system.is_empty() && !begins_with_system(messages);
        let default = lacks.then(|| ChatMessage::new(Role::System, self.default_system.clone()));
        default.into_iter().chain(messages.iter().cloned()).collect()
    }

    /// The chat with the context. Where it needs a system message that is not there, that says `own` first.
    fn with_context(
        &self,
        mut messages: Vec<ChatMessage>,
        own: impl FnOnce() -> String,
        context: &PrivateContext,
    ) -> Vec<ChatMessage> {
        let last_user = messages.iter().rposition(|message| message.role == Role::User);
        match (self.placement, last_user) {
            (Placement::User, Some(index)) => {
                if let Some(message) = messages.get_mut(index) {
                    message.content = [context.expose(), SEPARATOR, &message.content].concat();
                }
            }
            // Without a user message the context goes into the system message.
            (Placement::System | Placement::User, _) => {
                if !begins_with_system(&messages) {
                    messages.insert(0, ChatMessage::new(Role::System, own()));
                }
                if let Some(message) = messages.first_mut() {
                    let separator = if message.content.is_empty() { "" } else { SEPARATOR };
                    message.content = [&message.content, separator, context.expose()].concat();
                }
            }
        }
        messages
    }
}

fn begins_with_system(messages: &[ChatMessage]) -> bool {
    messages.first().is_some_and(|first| first.role == Role::System)
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
    fn the_default_system_message_comes_only_where_it_is_needed_and_there_is_none() {
        let question = [ChatMessage::new(Role::User, "Hello")];
        let own = [
            ChatMessage::new(Role::System, "Mine."),
            ChatMessage::new(Role::User, "Hello"),
        ];
        let usual = composer(Placement::System);
        assert_eq!(
            texts(&usual.with_system(&question, SystemRole::Needed)),
            ["Be kind.", "Hello"]
        );
        assert_eq!(texts(&usual.with_system(&own, SystemRole::Needed)), ["Mine.", "Hello"]);
        for role in [SystemRole::Taken, SystemRole::Refused] {
            assert_eq!(texts(&usual.with_system(&question, role)), ["Hello"]);
        }
        let none = Composer {
            default_system: String::new(),
            ..composer(Placement::System)
        };
        assert_eq!(texts(&none.with_system(&question, SystemRole::Needed)), ["Hello"]);
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
        let placed = |placement, chat| composer(placement).with_context(chat, || "Own.".into(), &context);
        let system = placed(Placement::System, chat());
        assert_eq!(texts(&system), ["Sys.\n\nI am Ada.", "One", "Two", "Three"]);
        let user = placed(Placement::User, chat());
        assert_eq!(texts(&user), ["Sys.", "One", "Two", "I am Ada.\n\nThree"]);
        let without = placed(Placement::System, chat().split_off(1));
        assert_eq!(texts(&without), ["Own.\n\nI am Ada.", "One", "Two", "Three"]);
        let nobody = placed(Placement::User, Vec::new());
        assert_eq!(texts(&nobody), ["Own.\n\nI am Ada."]);
    }
}
