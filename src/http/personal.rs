//! What a request is steered by: which of the places that may name a private context applies.

use serde_json::{Map, Value};

use super::{ApiError, ContextInput, PrivateInput, Proxy};
use crate::context::{PrivateContext, PublicPrompt, Sources};
use crate::store::ProfileName;

/// The private part of a request, with everything decided.
pub struct Personal {
    given: Option<PrivateContext>,
    marked: Vec<PrivateContext>,
    profile: Option<ProfileName>,
}

impl Personal {
    /// Decides. What the request brings itself and a profile that it names go together; `user` is OpenAI's field, for where it
    /// may name one. The configured context or profile applies where the request names neither and declines none.
    pub fn new(proxy: &Proxy, private: PrivateInput, marked: Vec<PrivateContext>, user: Option<ProfileName>) -> Self {
        let named = private.profile.or(user);
        let usual = named.is_none() && matches!(private.context, ContextInput::Unset);
        let given = match private.context {
            ContextInput::Given(context) => Some(context),
            ContextInput::Unset | ContextInput::Declined => None,
        };
        Self {
            given: given.or_else(|| proxy.default_context.clone().filter(|_| usual)),
            profile: named.or_else(|| proxy.default_profile.clone().filter(|_| usual)),
            marked: marked.into_iter().filter(|context| !context.is_blank()).collect(),
        }
    }

    /// Whether there is nothing to steer by.
    pub fn is_empty(&self) -> bool {
        self.profile.is_none() && self.given.is_none() && self.marked.is_empty()
    }

    /// Everything that the answer to `prompt` is to be steered by.
    ///
    /// # Errors
    /// 404 when there is no such profile, 503 when the store cannot be used.
    pub async fn sources(&self, proxy: &Proxy, prompt: &PublicPrompt) -> Result<Sources, ApiError> {
        let sources = Sources::asked(prompt.query(), self.given.clone(), self.marked.clone());
        match &self.profile {
            Some(name) => Ok(proxy.recall(name, sources).await?),
            None => Ok(sources),
        }
    }
}

/// The profile that OpenAI's field `user` names, where it may and there is one. It is then taken out of the body.
///
/// # Errors
/// 503 when the store cannot be used.
pub async fn user(proxy: &Proxy, body: &mut Map<String, Value>) -> Result<Option<ProfileName>, ApiError> {
    let user = body.get("user").filter(|_| proxy.user_field && proxy.shelf.exists());
    let Some(name) = user
        .and_then(Value::as_str)
        .and_then(|user| ProfileName::new(user).ok())
    else {
        return Ok(None);
    };
    let there = proxy.shelf.of(&name, |store, name| store.has_profile(name)).await?;
    if there {
        body.shift_remove("user");
    }
    Ok(Some(name).filter(|_| there))
}
