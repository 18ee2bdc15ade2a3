use secrecy::SecretString;
use serde::Deserialize;

use super::values::{optional, optional_secret};
use crate::context::Placement;

/// `[context]`: the private context and its place.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// `None` when empty. Private: never logged.
    #[serde(deserialize_with = "optional_secret")]
    pub text: Option<SecretString>,
    /// `None` when empty.
    #[serde(deserialize_with = "optional")]
    pub file: Option<String>,
    /// The profile of requests that name none; `None` when empty.
    #[serde(deserialize_with = "optional")]
    pub profile: Option<String>,
    /// Whether OpenAI's field `user` may name a profile.
    pub user_field: bool,
    /// Whether a profile may stand behind a model's name.
    pub model_suffix: bool,
    /// Whether `<private>` marks what is for here alone.
    pub private_tags: bool,
    /// Where the context goes.
    pub placement: Placement,
    /// For chats without a system message.
    pub default_system: String,
    /// minijinja's syntax; `None` when empty: the usual one.
    #[serde(deserialize_with = "optional")]
    pub template: Option<String>,
    /// Documents of the history.
    pub history: usize,
    /// Tokens of the whole context.
    pub budget: usize,
    /// Tokens of one document.
    pub document_tokens: usize,
}
