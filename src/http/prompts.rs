//! The prompts of an answer: composed, cut into tokens, and measured against the models' windows.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::{ApiError, Proxy};
use crate::context::{Composition, ContextError, PrivateIds, PublicPrompt, Sources};
use crate::local::LocalError;
use crate::vocabulary::{AlignmentKind, TokenId, Tokenizer};

/// The private text of an answer, and both branches' prompts as ids of the local model's vocabulary.
pub(super) struct Composed {
    pub(super) composition: Composition,
    pub(super) public: Vec<TokenId>,
    pub(super) private: Zeroizing<PrivateIds>,
}

impl Proxy {
    /// Runs what computes for long, such as cutting long texts into tokens, where it keeps nobody else waiting.
    ///
    /// # Errors
    /// What `work` says.
    pub(super) async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let done = tokio::task::spawn_blocking(work).await;
        // Only where the process is ending, or the work has panicked.
        done.unwrap_or_else(|_| Err(LocalError::Engine("the work on the request broke off".into()).into()))
    }

    /// The private text for `prompt`, as much of it as leaves room for an answer of `max_tokens`, and the branches' prompts.
    ///
    /// # Errors
    /// 400 when what the request brings is too long by itself.
    pub(super) fn compose(
        &self,
        prompt: &PublicPrompt,
        sources: &Sources,
        max_tokens: Option<usize>,
    ) -> Result<Composed, ApiError> {
        let window = self.local.context_length();
        // Notes are worth something only where there is room to say it: a quarter of the window, or all that was asked for.
        let answer = max_tokens.unwrap_or(self.limits.max_tokens).min(window / 4);
        let tokenizer = self.alignment.local();
        // Each message is a token at least.
        if prompt.chat().len() > window {
            let messages = prompt.chat().len();
            let message =
                format!("there are {messages} of them, and the local model holds {window} tokens with the answer");
            return Err(ApiError::too_long("messages", message));
        }
        self.could_fit("messages", self.alignment.upstream(), &prompt.texts(), window)?;
        self.could_fit("messages", tokenizer, &prompt.texts(), window)?;
        self.could_fit(
            "context",
            tokenizer,
            &sources.given_texts(),
            window.min(self.composer.budget),
        )?;
        let prompt = &self.local_prompt(prompt);
        let public = self.composer.public(tokenizer, prompt)?;
        let room = window.saturating_sub(public.len() + answer);
        let composed = self.composer.compose(tokenizer, prompt, &public, sources, room);
        if let Err(ContextError::OverBudget { tokens, .. }) = composed {
            // Where the window is in the way, too, a larger budget would not help.
            self.room(public.len(), public.len() + tokens)?;
        }
        let (composition, private) = composed?;
        Ok(Composed {
            composition,
            public,
            private,
        })
    }

    /// Refuses texts that are too long for `most` tokens whatever they say, before all of them is cut into tokens.
    fn could_fit(&self, what: &str, tokenizer: &Tokenizer, texts: &[&str], most: usize) -> Result<(), ApiError> {
        if !tokenizer.exceeds(texts, most) {
            return Ok(());
        }
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        let setting = if what == "context" {
            "context.budget and the window of local.model"
        } else {
            "the window of local.model"
        };
        Err(ApiError::too_long(
            what,
            format!(
                "it is {bytes} bytes long, which is more than the {most} tokens that there is room for ({setting})"
            ),
        ))
    }

    /// The prompt as the small model can read it: ids are the upstream's, and text where those are not its own.
    fn local_prompt<'a>(&self, prompt: &'a PublicPrompt) -> Cow<'a, PublicPrompt> {
        match prompt {
            PublicPrompt::Ids(ids) if self.alignment.kind() != AlignmentKind::Identical => {
                Cow::Owned(PublicPrompt::Text(self.alignment.upstream().bytes().text(ids)))
            }
            _ => Cow::Borrowed(prompt),
        }
    }

    /// Ids that a client names must be of tokens that the vocabulary has.
    pub(super) fn known(&self, field: &str, mut ids: impl Iterator<Item = usize>) -> Result<(), ApiError> {
        let size = self.alignment.upstream().selectable().len();
        match ids.find(|id| *id >= size) {
            Some(id) => Err(ApiError::invalid(
                field,
                format!("token id {id} is out of the vocabulary, which has {size}"),
            )),
            None => Ok(()),
        }
    }

    /// Tokens left for the answer in the local model's window; at least one.
    pub(super) fn room(&self, public: usize, private: usize) -> Result<usize, ApiError> {
        let window = self.local.context_length();
        if public >= window {
            return Err(ApiError::too_long(
                "messages",
                format!("the messages are {public} tokens long, and the local model holds {window} with the answer"),
            ));
        }
        if private >= window {
            return Err(ApiError::too_long(
                "context",
                format!(
                    "the messages with the private context are {private} tokens long ({public} without it), and the \
                     local model holds {window} with the answer; shorten the context or choose a model with a longer \
                     window (local.model)"
                ),
            ));
        }
        Ok(window - public.max(private))
    }
}
