use std::sync::Arc;
use std::time::Duration;

use super::Service;
use crate::upstream::Readiness;
use crate::vocabulary::{ChatMessage, Role};

/// How often upstreams that do not answer are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Service {
    /// Looks now and then at upstreams that have not answered or have failed since: whether the proxy is ready must not depend on
    /// somebody's request, and a server that is back must be found. Runs until it is dropped.
    pub async fn watch_upstreams(&self) {
        let mut looks = tokio::time::interval(LOOK_AGAIN);
        loop {
            looks.tick().await;
            // Looking once more does not bring a key.
            if self.replicas.readiness() != Readiness::ReadyForKeys {
                self.meet_upstreams().await;
            }
        }
    }

    /// Asks these upstreams what they are and how they write a chat, and logs it, so that whoever starts the proxy knows before
    /// the first request.
    pub async fn meet_upstreams(&self) {
        let chat: Arc<[ChatMessage]> = Arc::new([ChatMessage::new(Role::User, "Hello!")]);
        let Ok(ours) = self.prompts.alignment().upstream().chat_prompt(&chat) else {
            return;
        };
        for (url, prompt) in self.replicas.look(&chat).await {
            match prompt {
                Ok(Some(theirs)) if theirs != ours => tracing::warn!(
                    %url,
                    "the server writes a chat in other ids than we do; is upstream.tokenizer its model's? \
                     (costeer doctor says more)"
                ),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "an upstream is not there yet"),
            }
        }
    }
}
