use super::{Chat, Parted, PrivateContext, PublicPrompt, Unbalanced, part};
use crate::store::{Document, PrivateText, Profile, ProfileName, Store, StoreError};
use crate::vocabulary::{ChatMessage, Role};

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
    /// What is asked, with what is marked as private in it.
    pub query: PrivateText,
}

impl Sources {
    /// Whether there is nothing to steer by.
    pub fn is_blank(&self) -> bool {
        self.history.is_empty() && self.profile.is_blank() && self.given.iter().all(PrivateContext::is_blank)
    }

    /// What the request brings itself, so that its length can be checked.
    pub fn given_texts(&self) -> Vec<&str> {
        self.given.iter().map(PrivateContext::expose).collect()
    }

    /// The sources of a request with this public question, this context and these marked parts.
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

    /// The sources of a request whose only message is `question`, and its public prompt. The message is read as in a real request;
    /// `tags` is `context.private_tags`.
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
        Ok((sources, PublicPrompt::Chat(Chat::new([message]))))
    }

    /// Adds what the profile called `name` says, and the `count` documents of its history that fit the question best.
    ///
    /// # Errors
    /// Those of [`Store::recall`].
    pub fn recalled(mut self, store: &Store, name: &ProfileName, count: usize) -> Result<Self, StoreError> {
        // Long texts usually have their question at the end.
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
