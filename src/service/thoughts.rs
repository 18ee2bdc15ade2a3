use std::fmt;
use std::sync::Arc;

use crate::context::PrivateIds;
use crate::decode::Reasoning;
use crate::settings::Settings;
use crate::vocabulary::{Alignment, Thinking, TokenId, Tokenizer, VocabularyError};

/// How the two models mark their thoughts, and what is done about those of the upstream's model.
pub struct Thoughts {
    upstream: Option<Arc<Thinking>>,
    local: Option<Arc<Thinking>>,
    reasoning: Reasoning,
}

impl Thoughts {
    /// As configured, or as the chat templates say.
    pub fn find(settings: &Settings, alignment: &Alignment) -> Self {
        let thinking = |tokenizer: &Tokenizer, markers: &[String]| match markers {
            [open, close] => Some(Arc::new(Thinking::named(tokenizer, open, close))),
            _ => Thinking::find(tokenizer).map(Arc::new),
        };
        Self {
            upstream: thinking(alignment.upstream(), &settings.upstream.thinking_markers),
            local: thinking(alignment.local(), &settings.local.thinking_markers),
            reasoning: settings.steering.reasoning,
        }
    }

    /// Of the upstream's model, in answers to chats; texts are gone on with as they are.
    pub fn upstream(&self, is_chat: bool) -> Option<Arc<Thinking>> {
        self.upstream.clone().filter(|_| is_chat)
    }

    /// The small model's prompt as it ends behind a thought without words. Where the upstream's thoughts are steered, it stays as
    /// it is.
    ///
    /// # Errors
    /// [`VocabularyError::Encode`] when the tokenizer gives up.
    pub fn closed(&self, tokenizer: &Tokenizer, mut prompt: Vec<TokenId>) -> Result<Vec<TokenId>, VocabularyError> {
        if let Some(thinking) = self.closing() {
            let (kept, more) = thinking.closed(tokenizer, &prompt)?;
            prompt.truncate(kept);
            prompt.extend(more);
        }
        Ok(prompt)
    }

    /// The same for the prompt with the private text.
    ///
    /// # Errors
    /// [`VocabularyError::Encode`] when the tokenizer gives up.
    pub fn closed_private(&self, tokenizer: &Tokenizer, prompt: PrivateIds) -> Result<PrivateIds, VocabularyError> {
        let Some(thinking) = self.closing() else {
            return Ok(prompt);
        };
        let closed = thinking.closed(tokenizer, prompt.ids());
        let (kept, more) = closed.map_err(VocabularyError::without_words)?;
        Ok(prompt.ended_by(kept, &more))
    }

    /// The most tokens that closing a prompt may add.
    pub fn most_added(&self) -> usize {
        self.closing().map_or(0, Thinking::most_added)
    }

    fn closing(&self) -> Option<&Thinking> {
        self.local.as_deref().filter(|_| self.reasoning == Reasoning::Plain)
    }
}

impl fmt::Display for Thoughts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let described = |thinking: &Option<Arc<Thinking>>| match thinking {
            Some(thinking) => format!("{} ({:?} to {:?})", thinking.family, thinking.open, thinking.close),
            None => "no marks of thoughts known".to_owned(),
        };
        let (upstream, local) = (described(&self.upstream), described(&self.local));
        write!(formatter, "upstream's model: {upstream}; local model: {local}")
    }
}
