use std::sync::Arc;
use std::time::Duration;

use super::Service;
use crate::upstream::{Caller, Upstream};
use crate::vocabulary::{ChatMessage, Role};

/// How often upstreams that do not answer are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Service {
    /// Looks at the upstreams now and then, as long as none of them is healthy: whether the proxy is ready must not depend on
    /// somebody's request. Runs until it is dropped.
    pub async fn watch_upstreams(&self) {
        let mut looks = tokio::time::interval(LOOK_AGAIN);
        loop {
            looks.tick().await;
            if !self.replicas.any_is_healthy() {
                self.meet_upstreams().await;
            }
        }
    }

    /// Asks all upstreams what they are and how they write a chat, and logs it, so that whoever starts the proxy knows before
    /// the first request.
    pub async fn meet_upstreams(&self) {
        let caller = Caller::default();
        let chat: Arc<[ChatMessage]> = Arc::new([ChatMessage::new(Role::User, "Hello!")]);
        let Ok(ours) = self.prompts.alignment().upstream().chat_prompt(&chat) else {
            return;
        };
        for server in self.replicas.servers() {
            match server.prompt(Arc::clone(&chat), caller.clone()).await {
                Ok(Some(theirs)) if theirs != ours => tracing::warn!(
                    url = %server.connection().url(),
                    "the server writes a chat in other ids than we do; is upstream.tokenizer its model's? \
                     (costeer doctor says more)"
                ),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "an upstream is not there yet"),
            }
        }
    }
}
