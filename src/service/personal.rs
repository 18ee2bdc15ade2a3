//! What a request is steered by: which of the places that may name a private context applies.

use super::Service;
use super::defaults::Defaults;
use crate::context::{PrivateContext, PublicPrompt, Sources};
use crate::steering::Strength;
use crate::store::{ProfileName, StoreError};

/// What a request says about its private context.
#[derive(Clone, Default)]
pub enum ContextInput {
    /// Nothing: the configured context applies, if there is one.
    #[default]
    Unset,
    /// That it wants none: it is to be passed through even where one is configured.
    Declined,
    /// This.
    Given(PrivateContext),
}

impl From<PrivateContext> for ContextInput {
    /// A blank context declines.
    fn from(context: PrivateContext) -> Self {
        if context.is_blank() {
            Self::Declined
        } else {
            Self::Given(context)
        }
    }
}

/// What a request says in private: its context, whose profile, and how strongly to steer.
#[derive(Default)]
pub struct PrivateInput {
    /// The context, from the first place that names one.
    pub context: ContextInput,
    /// The profile it names.
    pub profile: Option<ProfileName>,
    /// `None` where the configured strength applies.
    pub strength: Option<Strength>,
    /// Whether the answer is to show how each of its tokens was picked.
    pub trace: bool,
}

/// The private part of a request, with everything decided.
pub struct Personal {
    given: Option<PrivateContext>,
    marked: Vec<PrivateContext>,
    profile: Option<ProfileName>,
    /// Whether the context or profile that is configured applies.
    is_usual: bool,
}

impl Personal {
    /// Decides. What the request brings itself and a profile that it names go together; `user` is OpenAI's field, for where it
    /// may name one. The configured context or profile applies where the request names neither and declines none.
    pub fn new(
        defaults: &Defaults,
        private: PrivateInput,
        marked: Vec<PrivateContext>,
        user: Option<ProfileName>,
    ) -> Self {
        let named = private.profile.or(user);
        let usual = named.is_none() && matches!(private.context, ContextInput::Unset);
        let given = match private.context {
            ContextInput::Given(context) => Some(context),
            ContextInput::Unset | ContextInput::Declined => None,
        };
        Self {
            given: given.or_else(|| defaults.context.clone().filter(|_| usual)),
            profile: named.or_else(|| defaults.profile.clone().filter(|_| usual)),
            marked: marked.into_iter().filter(|context| !context.is_blank()).collect(),
            is_usual: usual && defaults.exist(),
        }
    }

    /// Whether some of it does not come with the request, so that not everybody may have an answer by it.
    pub fn uses_what_is_stored(&self) -> bool {
        self.is_usual || self.profile.is_some()
    }

    /// Whether there is nothing to steer by.
    pub fn is_empty(&self) -> bool {
        self.profile.is_none() && self.given.is_none() && self.marked.is_empty()
    }

    /// Everything that the answer to `prompt` is to be steered by.
    ///
    /// # Errors
    /// [`StoreError::NoSuchProfile`], or why the store cannot be used.
    pub async fn sources(&self, service: &Service, prompt: &PublicPrompt) -> Result<Sources, StoreError> {
        let sources = Sources::asked(prompt.query(), self.given.clone(), self.marked.clone());
        match &self.profile {
            Some(name) => service.recall(name, sources).await,
            None => Ok(sources),
        }
    }
}
