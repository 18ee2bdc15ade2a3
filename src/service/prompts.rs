//! The prompts of an answer: composed, cut into tokens, and measured against the models' windows.

use std::borrow::Cow;
use std::sync::Arc;

use super::{ServiceError, StartError, Thoughts, Toolset};
use crate::context::{Chat, Composer, Composition, ContextError, PrivateIds, PublicPrompt, Sources, Template};
use crate::settings::Settings;
use crate::upstream::Prefix;
use crate::vocabulary::{Alignment, AlignmentKind, TokenId, Tokenizer, VocabularyError};

/// The private text of an answer, and both branches' prompts as ids of the local model's vocabulary.
pub struct Composed {
    /// The private text.
    pub composition: Composition,
    /// The public branch's prompt.
    pub public: Vec<TokenId>,
    /// The private branch's prompt.
    pub private: PrivateIds,
}

/// Writes prompts for the models, and knows what fits.
pub struct Prompts {
    alignment: Arc<Alignment>,
    composer: Composer,
    thoughts: Thoughts,
    toolset: Toolset,
    /// Tokens that one branch of the local model can hold, prompt and answer together.
    window: usize,
    /// Tokens of an answer where the request sets no limit.
    max_tokens: usize,
}

impl Prompts {
    /// As configured, for a local model whose window is this long.
    ///
    /// # Errors
    /// [`StartError::Template`].
    pub fn new(settings: &Settings, alignment: Arc<Alignment>, window: usize) -> Result<Self, StartError> {
        let context = &settings.context;
        Ok(Self {
            thoughts: Thoughts::find(settings, &alignment),
            toolset: Toolset::find(&alignment),
            alignment,
            composer: Composer {
                template: Template::compile(context.template.as_deref()).map_err(StartError::Template)?,
                budget: context.budget,
                document_tokens: context.document_tokens,
                placement: context.placement,
                default_system: context.default_system.clone(),
            },
            window,
            max_tokens: settings.steering.max_tokens,
        })
    }

    /// The two vocabularies.
    pub fn alignment(&self) -> &Arc<Alignment> {
        &self.alignment
    }

    /// How the two models think.
    pub fn thoughts(&self) -> &Thoughts {
        &self.thoughts
    }

    /// What the two models do with tools.
    pub fn toolset(&self) -> &Toolset {
        &self.toolset
    }

    /// The private text for `prompt`, as much of it as leaves room for an answer of `max_tokens`, and the branches' prompts.
    ///
    /// # Errors
    /// [`ServiceError::TooLong`] when what the request brings is too long by itself.
    pub fn compose(
        &self,
        prompt: &PublicPrompt,
        sources: &Sources,
        max_tokens: Option<usize>,
    ) -> Result<Composed, ServiceError> {
        let window = self.window;
        // Notes are worth something only where there is room to say it: a quarter of the window, or all that was asked for.
        let answer = max_tokens.unwrap_or(self.max_tokens).min(window / 4);
        let tokenizer = self.alignment.local();
        // Each message is a token at least.
        if prompt.chat().len() > window {
            let messages = prompt.chat().len();
            let message =
                format!("there are {messages} of them, and the local model holds {window} tokens with the answer");
            return Err(too_long("messages", message));
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
        let room = window.saturating_sub(public.len() + self.thoughts.most_added() + answer);
        let composed = self.composer.compose(tokenizer, prompt, &public, sources, room);
        if let Err(ContextError::OverBudget { tokens, .. }) = composed {
            // Where the window is in the way, too, a larger budget would not help.
            self.room(public.len(), public.len() + tokens)?;
        }
        let (composition, private) = composed?;
        let (public, private) = if prompt.opens_answer() {
            // The upstream's thought is not the small model's: its answer begins behind one without words.
            let public = self.thoughts.closed(tokenizer, public)?;
            (public, self.thoughts.closed_private(tokenizer, private)?)
        } else {
            (public, private)
        };
        Ok(Composed {
            composition,
            public,
            private,
        })
    }

    /// Refuses texts that are too long for `most` tokens whatever they say, before all of them is cut into tokens.
    fn could_fit(
        &self,
        what: &'static str,
        tokenizer: &Tokenizer,
        texts: &[&str],
        most: usize,
    ) -> Result<(), ServiceError> {
        if !tokenizer.exceeds(texts, most) {
            return Ok(());
        }
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        let setting = if what == "context" {
            "context.budget and the window of local.model"
        } else {
            "the window of local.model"
        };
        Err(too_long(
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

    /// The upstream's prompt.
    ///
    /// # Errors
    /// A [`VocabularyError`] when the chat template refuses the messages.
    pub fn upstream(&self, prompt: &PublicPrompt) -> Result<Vec<TokenId>, VocabularyError> {
        prompt.ids(self.alignment.upstream())
    }

    /// The upstream's prompt for a chat, as what is to be continued. Where its model thinks, the answer begins behind a thought without
    /// words, unless thoughts are steered.
    ///
    /// # Errors
    /// A [`VocabularyError`] when the chat template refuses the messages.
    pub fn unthinking(&self, chat: &Chat) -> Result<Prefix, VocabularyError> {
        let tokenizer = self.alignment.upstream();
        let ids = tokenizer.chat_prompt_with(&chat.messages, &chat.tools, &chat.options)?;
        let (kept, more) = self.thoughts.closed_upstream(tokenizer, &ids)?;
        let mut prefix = Prefix::new(Arc::clone(&chat.messages), ids);
        prefix.ids.truncate(kept);
        prefix.prompt = kept;
        prefix.ids.extend(more);
        Ok(prefix)
    }

    /// A chat as the upstream would get it with a text in it that everybody may see, where a private context would stand.
    ///
    /// # Errors
    /// As for [`Composer::openly`].
    pub fn openly(&self, chat: &Chat, text: &str) -> Result<Chat, ContextError> {
        self.composer.openly(self.alignment.upstream(), chat, text)
    }

    /// Ids that a client names must be of tokens that the vocabulary has.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] naming `field` and the first that is of none.
    pub fn known(&self, field: &str, mut ids: impl Iterator<Item = usize>) -> Result<(), ServiceError> {
        let size = self.alignment.upstream().selectable().len();
        match ids.find(|id| *id >= size) {
            Some(id) => Err(ServiceError::invalid(
                field,
                format!("token id {id} is out of the vocabulary, which has {size}"),
            )),
            None => Ok(()),
        }
    }

    /// Tokens left for the answer in the local model's window, at least one.
    ///
    /// # Errors
    /// [`ServiceError::TooLong`] naming both numbers.
    pub fn room(&self, public: usize, private: usize) -> Result<usize, ServiceError> {
        let window = self.window;
        if public >= window {
            return Err(too_long(
                "messages",
                format!("the messages are {public} tokens long, and the local model holds {window} with the answer"),
            ));
        }
        if private >= window {
            return Err(too_long(
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

fn too_long(field: &'static str, message: String) -> ServiceError {
    ServiceError::TooLong { field, message }
}
