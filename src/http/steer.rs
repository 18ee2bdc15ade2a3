//! A steered request with everything that opening its sessions takes.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderValue};

use super::{ApiError, Options, Proxy};
use crate::context::{PublicPrompt, Sources};
use crate::decode::Session;
use crate::local::Lane;
use crate::steering::Strength;
use crate::upstream::Caller;
use crate::vocabulary::TokenBytes;

/// Answers wanted, and what they are to be steered by.
pub struct SteeredRequest {
    pub proxy: Arc<Proxy>,
    /// Prompts, and what each is to be steered by. Each is answered [`Options::choices`] times.
    pub asked: Vec<Arc<(PublicPrompt, Sources)>>,
    pub options: Options,
    pub strength: Option<Strength>,
    /// The client's own key for the upstream.
    pub authorization: Option<HeaderValue>,
    /// What names the request at the upstream.
    pub trace: HeaderMap,
    /// The small model's lane, kept from one answer to the next, so that nobody takes it in between.
    pub lane: Mutex<Option<Arc<dyn Lane>>>,
}

impl SteeredRequest {
    /// How many answers there are.
    pub fn answers(&self) -> usize {
        self.asked.len() * self.options.choices
    }

    /// Whether the answers with lower numbers are to other prompts.
    pub fn is_first_of_its_prompt(&self, answer: usize) -> bool {
        answer.is_multiple_of(self.options.choices)
    }

    /// Opens the session of the answer with this number; those to one prompt stand together. Each draws with a seed of its
    /// own, and the first with the one that was asked for.
    ///
    /// # Errors
    /// An [`ApiError`] as for [`Proxy::open`].
    pub async fn open(&self, answer: usize) -> Result<Session, ApiError> {
        let lane = self.lane(answer).await?;
        let choices = self.options.choices.max(1);
        let asked = self.asked.get(answer / choices);
        let asked = asked.ok_or_else(|| ApiError::invalid("prompt", "there are no more prompts"))?;
        let mut options = self.options.clone();
        options.sampling.seed = options.sampling.seed.wrapping_add((answer % choices) as u64);
        let caller = Caller {
            model: options.model.clone(),
            authorization: self.authorization.clone(),
            trace: self.trace.clone(),
            ..Caller::default()
        };
        let opening = self
            .proxy
            .open(Arc::clone(asked), &options, self.strength, caller, lane);
        opening.await
    }

    /// The last answer gets it for itself, and may give it back before it ends.
    async fn lane(&self, answer: usize) -> Result<Arc<dyn Lane>, ApiError> {
        let kept = self.lane.lock().unwrap_or_else(PoisonError::into_inner).take();
        let lane = match kept {
            Some(lane) => lane,
            None => self.proxy.lane().await?,
        };
        if answer + 1 < self.answers() {
            *self.lane.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&lane));
        }
        Ok(lane)
    }

    /// The bytes behind every token of the answers.
    pub fn token_bytes(&self) -> &TokenBytes {
        self.proxy.token_bytes()
    }
}
