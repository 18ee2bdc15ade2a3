use std::sync::Arc;
use std::time::Duration;

use super::{Service, StartError};
use crate::upstream::{Problem, Readiness};
use crate::vocabulary::{ChatMessage, Role};

/// How often upstreams that do not answer are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Service {
    /// Looks now and then at upstreams that have not answered or have failed since: whether the proxy is ready must not depend on
    /// somebody's request, and a server that is back must be found. Runs until it is dropped.
    ///
    /// # Errors
    /// [`StartError::Upstream`] where the first look shows that an upstream has not the vocabulary that it is taken to have.
    pub async fn watch_upstreams(&self) -> Result<(), StartError> {
        self.meet_upstreams().await?;
        let mut looks = tokio::time::interval(LOOK_AGAIN);
        looks.tick().await;
        loop {
            looks.tick().await;
            // Looking once more does not bring a key, or another answer to the same question. What is found later, requests are told.
            let readiness = self.replicas.readiness();
            if !matches!(readiness, Readiness::ReadyForKeys | Readiness::ReadyUntried) {
                let _told_to_requests = self.meet_upstreams().await;
            }
        }
    }

    /// Asks these upstreams what they are and how they write a chat, and logs it, so that whoever starts the proxy knows before
    /// the first request.
    ///
    /// # Errors
    /// [`StartError::Upstream`] where one has not the vocabulary that it is taken to have.
    pub async fn meet_upstreams(&self) -> Result<(), StartError> {
        let chat: Arc<[ChatMessage]> = Arc::new([ChatMessage::new(Role::User, "Hello!")]);
        let Ok(ours) = self.prompts.alignment().upstream().chat_prompt(&chat) else {
            return Ok(());
        };
        for (url, prompt) in self.replicas.look(&chat).await {
            match prompt {
                Ok(Some(theirs)) if theirs != ours => tracing::warn!(
                    %url,
                    "the server writes a chat in other ids than we do; is upstream.tokenizer its model's? \
                     (costeer doctor says more)"
                ),
                Ok(_) => {}
                Err(error)
                    if self.vocabulary_is_assumed && matches!(error.problem, Problem::OtherVocabulary { .. }) =>
                {
                    return Err(StartError::Upstream(error));
                }
                Err(error) => tracing::warn!(%error, "an upstream is not there yet"),
            }
        }
        Ok(())
    }
}
