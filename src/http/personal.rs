//! What a request is steered by: which of the places that may name a private context applies.

use super::gate::{Fields, Visitor};
use super::{ApiError, ContextInput, PrivateInput, Proxy};
use crate::context::{PrivateContext, PublicPrompt, Sources};
use crate::store::ProfileName;

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
            is_usual: usual && (proxy.default_context.is_some() || proxy.default_profile.is_some()),
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
/// 401 and 403 for who may not use profiles, whether there is one of that name or not; 503 when the store cannot be used.
pub async fn user(proxy: &Proxy, visitor: &Visitor, body: &mut Fields) -> Result<Option<ProfileName>, ApiError> {
    if !proxy.user_field || !proxy.shelf.exists() {
        return Ok(None);
    }
    let place = body.iter().position(|(key, _)| key == "user");
    let user = place
        .and_then(|place| body.get(place))
        .and_then(|(_, value)| value.as_text());
    let Some((place, name)) = place.zip(user.and_then(|user| ProfileName::new(user).ok())) else {
        return Ok(None);
    };
    visitor.may_use_what_is_stored().await?;
    let there = proxy.shelf.of(&name, |store, name| store.has_profile(name)).await?;
    if there {
        body.remove(place);
    }
    Ok(Some(name).filter(|_| there))
}
