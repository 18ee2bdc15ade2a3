use std::sync::Arc;

use super::{Service, ServiceError, apart};
use crate::context::PublicPrompt;
use crate::upstream::Caller;
use crate::vocabulary::TokenId;

impl Service {
    /// The upstream's prompt in ids of its vocabulary.
    ///
    /// # Errors
    /// What the server says, where it writes its prompts itself, or the chat template.
    pub async fn upstream_prompt(
        &self,
        prompt: PublicPrompt,
        mut caller: Caller,
    ) -> Result<Vec<TokenId>, ServiceError> {
        if let Some(written) = self.written(&prompt, &mut caller).await? {
            return Ok(written);
        }
        let prompts = Arc::clone(&self.prompts);
        apart(move || Ok(prompts.upstream(&prompt)?)).await
    }

    /// The prompt as the server itself writes it, where it is the one to do so; chats with tools are written here. `caller` gets the options of its template.
    pub(super) async fn written(
        &self,
        prompt: &PublicPrompt,
        caller: &mut Caller,
    ) -> Result<Option<Vec<TokenId>>, ServiceError> {
        let PublicPrompt::Chat(chat) = prompt else {
            return Ok(None);
        };
        let upstream = self.prompts.alignment().upstream();
        caller.template = upstream.template_options().overridden_by(&chat.options);
        if chat.has_tools() {
            return Ok(None);
        }
        // The server knows no begun answer, so that is put behind the chat before it.
        let begun = chat.messages.split_last().filter(|_| chat.continued);
        let Some((last, before)) = begun else {
            return Ok(self.replicas.own_prompt(&chat.messages, caller).await?);
        };
        let Some(mut written) = self.replicas.own_prompt(&before.into(), caller).await? else {
            return Ok(None);
        };
        written.extend(upstream.encode(&last.content)?);
        Ok(Some(written))
    }
}
