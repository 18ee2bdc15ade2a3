use super::{Service, ServiceError};
use crate::context::PublicPrompt;
use crate::upstream::Caller;

impl Service {
    /// Which field of `prompt` has tools that cannot be steered with, and why.
    ///
    /// # Errors
    /// [`ServiceError::Upstream`] when the upstream does not say what it is.
    pub async fn refused_tools(
        &self,
        prompt: &PublicPrompt,
        caller: &Caller,
    ) -> Result<Option<(String, &'static str)>, ServiceError> {
        let PublicPrompt::Chat(chat) = prompt else {
            return Ok(None);
        };
        if !chat.has_tools() {
            return Ok(None);
        }
        let driver = self.replicas.describe(caller).await?.driver;
        Ok(self.prompts.toolset().refusal(chat, driver))
    }
}
