use std::fmt;
use std::sync::Arc;

use crate::context::PrivateIds;
use crate::decode::Reasoning;
use crate::settings::Settings;
use crate::vocabulary::{Alignment, ChatMessage, Opening, Role, Thinking, TokenId, Tokenizer, VocabularyError};

/// How the two models mark their thoughts, and what is done about those of the upstream's model.
pub struct Thoughts {
    upstream: Option<Arc<Thinking>>,
    local: Option<Arc<Thinking>>,
    reasoning: Reasoning,
    /// How a prompt of the upstream's leaves the answer, where its model thinks.
    opening: Option<Opening>,
    /// The upstream's chat template speaks of reasoning, and no known family's marks are in it.
    marks_are_unknown: bool,
}

impl Thoughts {
    /// As configured, or as the chat templates say.
    pub fn find(settings: &Settings, alignment: &Alignment) -> Self {
        let thinking = |tokenizer: &Tokenizer, markers: &[String]| match markers {
            [open, close] => Some(Arc::new(Thinking::named(tokenizer, open, close))),
            _ => Thinking::find(tokenizer).map(Arc::new),
        };
        let mut upstream = thinking(alignment.upstream(), &settings.upstream.thinking_markers);
        if upstream.is_none() && settings.upstream.tokenizer.is_none() {
            // The server's chat template may be another than the local model's. Its tokens say what it can.
            upstream = Thinking::of_vocabulary(alignment.upstream()).map(Arc::new);
        }
        let opening = upstream.as_ref().and_then(|thinking| {
            let question = [ChatMessage::new(Role::User, "What now?")];
            let prompt = alignment.upstream().chat_prompt(&question).ok()?;
            Some(thinking.opening(alignment.upstream(), &prompt))
        });
        let template = alignment.upstream().template_source();
        Self {
            marks_are_unknown: upstream.is_none() && template.contains("reasoning_content"),
            upstream,
            opening,
            local: thinking(alignment.local(), &settings.local.thinking_markers),
            reasoning: settings.steering.reasoning,
        }
    }

    /// Whether the upstream's model seems to think, and nobody knows how it marks that: its thoughts would be steered as answers.
    pub fn has_unknown_marks(&self) -> bool {
        self.marks_are_unknown
    }

    /// Of the upstream's model, where an answer begins; texts and begun answers are gone on with as they are.
    pub fn upstream(&self, opens_answer: bool) -> Option<Arc<Thinking>> {
        self.upstream.clone().filter(|_| opens_answer)
    }

    /// Whether what the upstream's model has begun to say ends within a thought, which must not be gone on with as an answer.
    pub fn is_thought(&self, begun: &str) -> bool {
        self.upstream.as_ref().is_some_and(|thinking| {
            let behind = begun.rfind(&thinking.open).and_then(|open| begun.get(open..));
            !thinking.open.is_empty() && behind.is_some_and(|thought| !thought.contains(&thinking.close))
        })
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

    /// What makes a chat's prompt of the upstream's end behind a thought without words: how many of its tokens stay, and what comes
    /// after them.
    ///
    /// # Errors
    /// [`VocabularyError::Encode`] when the tokenizer gives up.
    pub fn closed_upstream(
        &self,
        tokenizer: &Tokenizer,
        prompt: &[TokenId],
    ) -> Result<(usize, Vec<TokenId>), VocabularyError> {
        let thinking = self.upstream.as_ref().filter(|_| self.reasoning == Reasoning::Plain);
        thinking.map_or_else(
            || Ok((prompt.len(), Vec::new())),
            |thinking| thinking.closed(tokenizer, prompt),
        )
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
            Some(thinking) => format!("{}, {:?} to {:?}", thinking.family, thinking.open, thinking.close),
            None => "no marks of thoughts known".to_owned(),
        };
        let begins = match self.opening {
            Some(Opening::Thought) => ", thinking is on: prompts begin a thought",
            Some(Opening::Answer) => ", thinking is off: prompts end behind a thought",
            Some(Opening::Free) => ", thinking is up to the model",
            None => "",
        };
        let closes = match self.closing() {
            Some(_) => ", begins behind an empty thought",
            None => "",
        };
        write!(
            formatter,
            "upstream's model: {}{begins}; local model: {}{closes}",
            described(&self.upstream),
            described(&self.local)
        )
    }
}
