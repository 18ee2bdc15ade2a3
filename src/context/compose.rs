//! Fitting the private text into the room there is for it.

use super::shorten::shortened;
use super::template::Parts;
use super::{Composer, Composition, ContextError, Kept, PrivateIds, PublicPrompt, Sources};
use crate::vocabulary::{TokenId, Tokenizer};

impl Composer {
    /// Composes the private text from as much as fits into the budget and into `room`, both in tokens, and writes the private branch's
    /// prompt with it. `public` is the public branch's prompt for `prompt`. The least relevant documents are left out first, then facts
    /// from the end. What cannot be left out may take more than `room`; the caller checks that.
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
    ) -> Result<(Composition, PrivateIds), ContextError> {
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
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::context::{Chat, Placement, PrivateContext, Template};
    use crate::store::{Document, Profile};
    use crate::vocabulary::{ChatMessage, Role};

    #[test]
    fn what_does_not_fit_is_left_out_from_the_end() {
        let tokenizer = Tokenizer::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/slm")).unwrap();
        let prompt = PublicPrompt::Chat(Chat::new([ChatMessage::new(Role::User, "What now?")]));
        let sources = Sources {
            given: vec![PrivateContext::new("Given.".into())],
            profile: Profile {
                facts: ["One fact.", "Another fact."].map(Into::into).into(),
                preferences: vec!["Be brief.".into()],
                ..Default::default()
            },
            history: ["First document.", "Second document.", "Third document."]
                .map(|text| Document {
                    text: text.into(),
                    ..Default::default()
                })
                .into(),
            query: "What now?".into(),
        };
        let compose = |budget: usize, room: usize| {
            let composer = Composer {
                template: Template::compile(None).unwrap(),
                budget,
                document_tokens: 100,
                placement: Placement::System,
                default_system: "Be kind.".into(),
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
}
