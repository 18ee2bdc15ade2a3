use std::sync::Arc;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::PrivateContext;
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

/// What the client asks, as everybody may see it.
#[derive(Clone)]
pub enum PublicPrompt {
    /// Messages, to be written by the chat template.
    Chat(Arc<[ChatMessage]>),
    /// Text to be continued as it is.
    Text(String),
    /// The same in ids.
    Ids(Vec<TokenId>),
}

impl PublicPrompt {
    /// The prompt in ids, as the model of `tokenizer` expects it.
    ///
    /// # Errors
    /// A [`VocabularyError`] when the chat template refuses the messages.
    pub fn ids(&self, tokenizer: &Tokenizer) -> Result<Vec<TokenId>, VocabularyError> {
        match self {
            Self::Chat(messages) => tokenizer.chat_prompt(messages),
            Self::Text(text) => tokenizer.text_prompt(text),
            Self::Ids(ids) => Ok(ids.clone()),
        }
    }

    /// The messages, where there are any.
    pub fn chat(&self) -> Arc<[ChatMessage]> {
        match self {
            Self::Chat(messages) => Arc::clone(messages),
            Self::Text(_) | Self::Ids(_) => Arc::default(),
        }
    }
}

/// Composes the prompts of the two branches.
#[derive(Clone)]
pub struct Composer {
    /// Where the context goes.
    pub placement: Placement,
    /// The system message both branches get when the client sent none, so that Δ measures the context and nothing else.
    pub default_system: String,
}

/// The prompts of the two branches, as ids of the local model's vocabulary.
pub struct Branches {
    /// What the client sent.
    pub public: Vec<TokenId>,
    /// The same with the private context in it. As private as the context itself.
    pub private: Zeroizing<PrivateIds>,
}

/// Ids that spell private text; wiped when dropped.
pub struct PrivateIds(Vec<TokenId>);

impl PrivateIds {
    /// The ids, for the local model alone.
    pub fn ids(&self) -> &[TokenId] {
        &self.0
    }
}

impl zeroize::Zeroize for PrivateIds {
    fn zeroize(&mut self) {
        for id in &mut self.0 {
            id.0.zeroize();
        }
        self.0.clear();
    }
}

/// Between the context and the text it joins.
const SEPARATOR: &str = "\n\n";

impl Composer {
    /// Both branches' prompts for `prompt`. Where there are no messages, the context comes before the text.
    ///
    /// # Errors
    /// A [`VocabularyError`] when the chat template refuses the messages.
    pub fn branches(
        &self,
        tokenizer: &Tokenizer,
        prompt: &PublicPrompt,
        context: &PrivateContext,
    ) -> Result<Branches, VocabularyError> {
        let rest = match prompt {
            PublicPrompt::Chat(messages) => return self.chat_branches(tokenizer, messages, context),
            PublicPrompt::Text(text) => text.as_str(),
            PublicPrompt::Ids(_) => "",
        };
        let mut private = [context.expose(), SEPARATOR, rest].concat();
        let ids = tokenizer.text_prompt(&private);
        zeroize::Zeroize::zeroize(&mut private);
        let mut private = Zeroizing::new(PrivateIds(ids?));
        if let PublicPrompt::Ids(ids) = prompt {
            private.0.extend(ids);
        }
        Ok(Branches {
            public: prompt.ids(tokenizer)?,
            private,
        })
    }

    fn chat_branches(
        &self,
        tokenizer: &Tokenizer,
        messages: &[ChatMessage],
        context: &PrivateContext,
    ) -> Result<Branches, VocabularyError> {
        let public = self.with_system(messages);
        let private = self.with_context(public.clone(), context);
        let ids = tokenizer.chat_prompt(&private);
        for mut message in private {
            zeroize::Zeroize::zeroize(&mut message.content);
        }
        Ok(Branches {
            public: tokenizer.chat_prompt(&public)?,
            private: Zeroizing::new(PrivateIds(ids?)),
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
            // Without a user message there is no place before it; the system message always exists.
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
