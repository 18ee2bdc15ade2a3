use std::sync::Arc;

use serde_json::Value;

use crate::vocabulary::{ChatMessage, Role, TemplateOptions, TokenId, Tokenizer, VocabularyError, texts_of};

/// Messages, and how the client wants them written.
#[derive(Clone, Default)]
pub struct Chat {
    /// The messages.
    pub messages: Arc<[ChatMessage]>,
    /// What the client sets of the chat template's options.
    pub options: TemplateOptions,
    /// The tools that the answer may call, as the client has defined them.
    pub tools: Arc<[Value]>,
    /// Whether the answer goes on with the last message, which is one of the assistant's.
    pub continued: bool,
}

impl Chat {
    /// Messages alone.
    pub fn new(messages: impl Into<Arc<[ChatMessage]>>) -> Self {
        Self {
            messages: messages.into(),
            ..Self::default()
        }
    }

    /// Whether there are tools, or what was said with some.
    pub fn has_tools(&self) -> bool {
        let is_plain = |message: &ChatMessage| message.role != Role::Tool && message.calls().is_none();
        !self.tools.is_empty() || !self.messages.iter().all(is_plain)
    }

    /// The prompt in ids for `messages`, which are this chat's as a model may see them.
    ///
    /// # Errors
    /// A [`VocabularyError`] when the chat template refuses the messages.
    pub fn ids(&self, tokenizer: &Tokenizer, messages: &[ChatMessage]) -> Result<Vec<TokenId>, VocabularyError> {
        if self.continued {
            tokenizer.begun_prompt(messages, &self.tools, &self.options)
        } else {
            tokenizer.chat_prompt_with(messages, &self.tools, &self.options)
        }
    }
}

/// The public part of what the client asks.
#[derive(Clone)]
pub enum PublicPrompt {
    /// Messages, to be written by the chat template.
    Chat(Chat),
    /// Text to be continued as it is.
    Text(String),
    /// The same in ids.
    Ids(Vec<TokenId>),
}

impl PublicPrompt {
    /// Leaves the tools out, where the answer need not know of them.
    pub fn forget_tools(&mut self) {
        if let Self::Chat(chat) = self {
            chat.tools = Arc::default();
        }
    }

    /// The prompt in ids, as the model of `tokenizer` expects it.
    ///
    /// # Errors
    /// A [`VocabularyError`] when the chat template refuses the messages.
    pub fn ids(&self, tokenizer: &Tokenizer) -> Result<Vec<TokenId>, VocabularyError> {
        match self {
            Self::Chat(chat) => chat.ids(tokenizer, &chat.messages),
            Self::Text(text) => tokenizer.text_prompt(text),
            Self::Ids(ids) => Ok(ids.clone()),
        }
    }

    /// What is asked: the last message of the user, or the whole text.
    pub fn query(&self) -> &str {
        match self {
            Self::Chat(chat) => {
                let last = chat.messages.iter().rfind(|message| message.role == Role::User);
                last.map_or("", |message| message.content.as_str())
            }
            Self::Text(text) => text,
            Self::Ids(_) => "",
        }
    }

    /// Its texts, which have not been cut into tokens yet.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Chat(chat) => {
                let said = chat.messages.iter().flat_map(ChatMessage::texts);
                said.chain(chat.tools.iter().flat_map(texts_of)).collect()
            }
            Self::Text(text) => vec![text],
            Self::Ids(_) => Vec::new(),
        }
    }

    /// Whether the answer begins with the prompt's end, and is not the rest of one; nor of a text.
    pub fn opens_answer(&self) -> bool {
        matches!(self, Self::Chat(chat) if !chat.continued)
    }

    /// What the assistant has begun to say, where the answer goes on with it.
    pub fn begun(&self) -> Option<&str> {
        match self {
            Self::Chat(chat) if chat.continued => chat.messages.last().map(|message| message.content.as_str()),
            _ => None,
        }
    }

    /// The messages, where there are any.
    pub fn chat(&self) -> Arc<[ChatMessage]> {
        match self {
            Self::Chat(chat) => Arc::clone(&chat.messages),
            Self::Text(_) | Self::Ids(_) => Arc::default(),
        }
    }
}
