use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::sources::shortened;
use super::template::Parts;
use super::{ContextError, PrivateContext, Sources, Template};
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

    /// What is asked: the last message of the user, or the whole text.
    pub fn query(&self) -> &str {
        match self {
            Self::Chat(messages) => {
                let last = messages.iter().rfind(|message| message.role == Role::User);
                last.map_or("", |message| message.content.as_str())
            }
            Self::Text(text) => text,
            Self::Ids(_) => "",
        }
    }

    /// Its texts, of which nothing has been computed yet.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Chat(messages) => messages.iter().map(|message| message.content.as_str()).collect(),
            Self::Text(text) => vec![text],
            Self::Ids(_) => Vec::new(),
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
    /// How the private text is composed.
    pub template: Template,
    /// Tokens the context may take.
    pub budget: usize,
    /// Tokens of one document.
    pub document_tokens: usize,
    /// Where the context goes.
    pub placement: Placement,
    /// The system message both branches get when the client sent none, so that Δ measures the context and nothing else.
    pub default_system: String,
}

/// A private text that fits.
pub struct Composition {
    /// The text.
    pub context: PrivateContext,
    /// How many tokens the private branch's prompt has more than the public one's.
    pub tokens: usize,
    /// How many it might have had: [`Composer::budget`].
    pub budget: usize,
    /// The documents that fitted the question.
    pub documents: Kept,
    /// The profile's facts.
    pub facts: Kept,
}

/// How many of what there was are in a [`Composition`]; the others were left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// How many there were.
    pub found: usize,
    /// How many are in it.
    pub kept: usize,
}

/// A [`Composition`] for its owner's eyes.
#[derive(Serialize)]
pub struct Preview<'a> {
    /// The private text.
    pub text: &'a str,
    /// As in [`Composition::tokens`].
    pub tokens: usize,
    /// As in [`Composition::budget`].
    pub budget: usize,
    /// As in [`Composition::documents`].
    pub documents: Kept,
    /// As in [`Composition::facts`].
    pub facts: Kept,
}

impl Composition {
    /// What it says, for its owner alone.
    pub fn preview(&self) -> Preview<'_> {
        Preview {
            text: self.context.preview(),
            tokens: self.tokens,
            budget: self.budget,
            documents: self.documents,
            facts: self.facts,
        }
    }
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
    /// Composes the private text of as much as fits into the budget and into `room`, both in tokens, and the private branch's
    /// prompt with it; `public` is the public one's for `prompt`. The least relevant documents are left out first, then facts
    /// from the end. What cannot be left out may take more than `room`; that is for the caller to look at.
    ///
    /// # Errors
    /// [`ContextError::OverBudget`] when what cannot be left out is over the budget already.
    pub fn compose(
        &self,
        tokenizer: &Tokenizer,
        prompt: &PublicPrompt,
        public: &[TokenId],
        sources: &Sources,
        room: usize,
    ) -> Result<(Composition, Zeroizing<PrivateIds>), ContextError> {
        let history = shortened(&sources.history, tokenizer, self.document_tokens);
        let without = |left_out: usize| {
            let documents = history.len().saturating_sub(left_out);
            let facts = sources.profile.facts.len() - left_out.saturating_sub(history.len());
            let context = self.template.render(&Parts {
                description: sources.profile.description.as_private_str(),
                preferences: &sources.profile.preferences,
                facts: sources.profile.facts.get(..facts).unwrap_or_default(),
                given: &sources.given,
                history: history.get(..documents).unwrap_or_default(),
                query: sources.query.as_private_str(),
            })?;
            let private = self.private(tokenizer, prompt, &context)?;
            let composition = Composition {
                tokens: private.ids().len().saturating_sub(public.len()),
                budget: self.budget,
                context,
                documents: Kept {
                    found: history.len(),
                    kept: documents,
                },
                facts: Kept {
                    found: sources.profile.facts.len(),
                    kept: facts,
                },
            };
            Ok::<_, ContextError>((composition, private))
        };
        let most = self.budget.min(room);
        let whole = without(0)?;
        if whole.0.tokens <= most {
            return Ok(whole);
        }
        // The fewest that have to be left out are in (too_few, enough].
        let (mut too_few, mut enough) = (0, history.len() + sources.profile.facts.len());
        let mut best = without(enough)?;
        if best.0.tokens > self.budget {
            return Err(ContextError::OverBudget {
                tokens: best.0.tokens,
                budget: self.budget,
            });
        }
        while best.0.tokens <= most && enough - too_few > 1 {
            let middle = usize::midpoint(too_few, enough);
            let tried = without(middle)?;
            if tried.0.tokens <= most {
                (best, enough) = (tried, middle);
            } else {
                too_few = middle;
            }
        }
        Ok(best)
    }

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
    ) -> Result<Zeroizing<PrivateIds>, VocabularyError> {
        let rest = match prompt {
            PublicPrompt::Chat(messages) => {
                let private = self.with_context(self.with_system(messages), context);
                let ids = tokenizer.chat_prompt(&private);
                for mut message in private {
                    zeroize::Zeroize::zeroize(&mut message.content);
                }
                return ids
                    .map(PrivateIds)
                    .map(Zeroizing::new)
                    .map_err(VocabularyError::without_words);
            }
            PublicPrompt::Text(text) => text.as_str(),
            PublicPrompt::Ids(_) => "",
        };
        let text = Zeroizing::new([context.expose(), SEPARATOR, rest].concat());
        let ids = tokenizer.text_prompt(&text).map_err(VocabularyError::without_words)?;
        let mut private = Zeroizing::new(PrivateIds(ids));
        if let PublicPrompt::Ids(ids) = prompt {
            private.0.extend(ids);
        }
        Ok(private)
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
    fn what_does_not_fit_is_left_out_from_the_end() {
        let tokenizer =
            Tokenizer::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/slm")).unwrap();
        let prompt = PublicPrompt::Chat(Arc::new([ChatMessage::new(Role::User, "What now?")]));
        let sources = Sources {
            given: vec![PrivateContext::new("Given.".into())],
            profile: crate::store::Profile {
                facts: ["One fact.", "Another fact."].map(Into::into).into(),
                preferences: vec!["Be brief.".into()],
                ..Default::default()
            },
            history: ["First document.", "Second document.", "Third document."]
                .map(|text| crate::store::Document {
                    text: text.into(),
                    ..Default::default()
                })
                .into(),
            query: "What now?".into(),
        };
        let compose = |budget: usize, room: usize| {
            let composer = Composer {
                budget,
                ..composer(Placement::System)
            };
            let public = composer.public(&tokenizer, &prompt)?;
            let (composition, private) = composer.compose(&tokenizer, &prompt, &public, &sources, room)?;
            assert_eq!(composition.tokens, private.ids().len() - public.len());
            Ok::<_, ContextError>(composition)
        };
        let whole = compose(1000, 1000).ok().unwrap();
        assert_eq!((whole.documents.kept, whole.facts.kept), (3, 2));
        let least = compose(1000, 0).ok().unwrap();
        assert_eq!((least.documents.kept, least.facts.kept), (0, 0));
        assert_eq!(least.context.expose(), "Be brief.\nGiven.");
        let mut last = (0, 0);
        for most in least.tokens..=whole.tokens {
            for composition in [compose(most, 1000), compose(1000, most)] {
                let composition = composition.ok().unwrap();
                assert!(composition.tokens <= most);
                let kept = (composition.facts.kept, composition.documents.kept);
                assert!(kept >= last && (kept.0 == 2 || kept.1 == 0), "{kept:?} after {last:?}");
                last = kept;
            }
        }
        assert_eq!(last, (2, 3));
        let error = compose(least.tokens - 1, 1000).err().unwrap().to_string();
        assert!(error.contains("context.budget") && !error.contains("Given"), "{error}");
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
