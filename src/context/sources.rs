use std::borrow::Cow;

use super::{Parted, PrivateContext, PublicPrompt, Unbalanced, part};
use crate::store::{Document, PrivateText, Profile, ProfileName, Store, StoreError};
use crate::vocabulary::{ChatMessage, Role, Tokenizer};

/// Bytes of a question that are looked up in a profile's history, word by word.
const MOST_LOOKED_UP: usize = 64 << 10;

/// Everything private that an answer is to be steered by.
#[derive(Clone, Default)]
pub struct Sources {
    /// What the request brings itself.
    pub given: Vec<PrivateContext>,
    /// What the profile says.
    pub profile: Profile,
    /// What fits the question in the profile's history, the most relevant first.
    pub history: Vec<Document>,
    /// What is asked, what is marked as private in it included.
    pub query: PrivateText,
}

impl Sources {
    /// Whether there is nothing to steer by.
    pub fn is_blank(&self) -> bool {
        self.history.is_empty() && self.profile.is_blank() && self.given.iter().all(PrivateContext::is_blank)
    }

    /// What the request brings itself, for its length.
    pub fn given_texts(&self) -> Vec<&str> {
        self.given.iter().map(PrivateContext::expose).collect()
    }

    /// Those of a request whose public question and marked parts are these.
    pub fn asked(question: &str, given: Option<PrivateContext>, marked: Vec<PrivateContext>) -> Self {
        let mut query = question.to_owned();
        for marked in &marked {
            query.push(' ');
            query.push_str(marked.expose());
        }
        Self {
            given: given.into_iter().chain(marked).collect(),
            query: query.into(),
            ..Self::default()
        }
    }

    /// Those of a request with `question` as its only message, read as a request is, and what everybody may see of it. `tags`
    /// is `context.private_tags`.
    ///
    /// # Errors
    /// [`Unbalanced`] tags.
    pub fn previewed(
        question: &str,
        given: Option<PrivateContext>,
        tags: bool,
    ) -> Result<(Self, PublicPrompt), Unbalanced> {
        let parted = if tags {
            part(question)?
        } else {
            Parted {
                public: question.to_owned(),
                private: Vec::new(),
            }
        };
        let sources = Self::asked(&parted.public, given, parted.private);
        let message = ChatMessage::new(Role::User, parted.public);
        Ok((sources, PublicPrompt::Chat([message].into())))
    }

    /// The same with what the profile called `name` says, and the `count` documents of its history that fit the question best.
    ///
    /// # Errors
    /// Those of [`Store::recall`].
    pub fn recalled(mut self, store: &Store, name: &ProfileName, count: usize) -> Result<Self, StoreError> {
        // The end of a long question is where it asks.
        let query = self.query.as_private_str();
        let from = query.ceil_char_boundary(query.len().saturating_sub(MOST_LOOKED_UP));
        let (profile, hits) = store.recall(name, query.get(from..).unwrap_or(query), count)?;
        self.profile = profile;
        self.history = hits.into_iter().map(|hit| hit.stored.document).collect();
        Ok(self)
    }
}

impl From<PrivateContext> for Sources {
    /// A context alone.
    fn from(context: PrivateContext) -> Self {
        Self {
            given: vec![context],
            ..Self::default()
        }
    }
}

/// The documents, each cut after `most` tokens.
pub fn shortened(history: &[Document], tokenizer: &Tokenizer, most: usize) -> Vec<Document> {
    let short = |document: &Document| Document {
        text: cut(document.text.as_private_str(), tokenizer, most).as_ref().into(),
        ..document.clone()
    };
    history.iter().map(short).collect()
}

/// The text, or what its first `most` tokens spell; an ellipsis says that there was more.
fn cut<'a>(text: &'a str, tokenizer: &Tokenizer, most: usize) -> Cow<'a, str> {
    // A token has a byte at least.
    if text.len() <= most {
        return text.into();
    }
    // Nor is it longer than the longest.
    let enough = text.floor_char_boundary(most.saturating_mul(tokenizer.longest_token()).saturating_add(1));
    let Ok(ids) = tokenizer.encode(text.get(..enough).unwrap_or(text)) else {
        return text.into();
    };
    if ids.len() <= most {
        return text.into();
    }
    let spelled: usize = ids.iter().take(most).map(|id| tokenizer.bytes().get(*id).len()).sum();
    // Normalising tokenizers spell another text, and its length is near enough.
    let end = (0..=spelled.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    format!("{}…", text.split_at(end).0.trim_end()).into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn long_documents_are_cut_between_characters() {
        let tokenizer = Tokenizer::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/slm")).unwrap();
        let text = "Ünder the brïdge, at nœn, 我們 walked for a while.";
        let all = tokenizer.encode(text).unwrap().len();
        assert_eq!(cut(text, &tokenizer, all), text);
        for most in 1..all {
            let short = cut(text, &tokenizer, most);
            let kept = short.strip_suffix('…').unwrap();
            assert!(
                text.starts_with(kept) && tokenizer.encode(kept).unwrap().len() <= most + 3,
                "{most}"
            );
        }
        assert_eq!(cut("", &tokenizer, 1), "");
    }
}
