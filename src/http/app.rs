use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};

use super::ApiError;
use super::access::Access;
use super::model_name::Listed;
use crate::service::{Service, StartError};
use crate::settings::{OnUnsteerable, Settings};

/// What the routes share: the service, and how they let requests and answers pass.
pub struct App {
    /// What answers.
    pub(super) service: Arc<Service>,
    /// Who may ask.
    pub(super) access: Access,
    pub(super) max_body_bytes: usize,
    /// Answers of one request: prompts times choices.
    pub(super) max_answers: usize,
    /// Whether texts may mark a part as private.
    pub(super) private_tags: bool,
    /// Whether OpenAI's field `user` may name a profile.
    pub(super) user_field: bool,
    /// Whether a profile may stand behind a model's name.
    pub(super) model_suffix: bool,
    /// What the upstream serves, for names that may have a profile behind them.
    pub(super) models: Listed,
    /// As it was started.
    pub(super) settings: Arc<Settings>,
    /// What the small model is called.
    pub(super) local_model: String,
    on_unsteerable: OnUnsteerable,
    /// Headers that the upstream may see beside the usual ones.
    pub(super) pass_headers: Vec<HeaderName>,
    /// How long an answer that passes through may pause.
    pub(super) idle_timeout: Duration,
    /// Whether `/metrics` is among the routes, and not on a listener of its own.
    pub(super) serves_metrics: bool,
    draining: AtomicBool,
}

impl App {
    /// Loads the service and what the routes need. The upstream need not be up yet.
    ///
    /// # Errors
    /// A [`StartError`] naming the setting and the file.
    pub async fn load(settings: &Settings) -> Result<Arc<Self>, StartError> {
        let access = Access::load(settings).await?;
        let service = Service::load(settings).await?;
        // Checked with the rest of the configuration.
        let headers = settings.upstream.pass_headers.iter();
        let pass_headers = headers.filter_map(|name| name.parse().ok()).collect();
        Ok(Arc::new(Self {
            service,
            access,
            max_body_bytes: settings.server.max_body_bytes,
            max_answers: settings.steering.max_answers,
            private_tags: settings.context.private_tags,
            user_field: settings.context.user_field,
            model_suffix: settings.context.model_suffix,
            models: Listed::default(),
            settings: Arc::new(settings.clone()),
            local_model: short_name(&settings.local.model),
            on_unsteerable: settings.steering.on_unsteerable,
            pass_headers,
            idle_timeout: settings.upstream.idle_timeout,
            serves_metrics: settings.server.metrics_listen.is_none(),
            draining: AtomicBool::new(false),
        }))
    }

    /// What answers.
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// What becomes of a request that has something private and cannot be steered because of `field`: the reason to give
    /// in a header when it is passed on all the same.
    ///
    /// # Errors
    /// 400 naming the field, unless `steering.on_unsteerable` is "pass".
    pub(super) fn unsteerable(&self, field: &str, reason: &str) -> Result<HeaderValue, ApiError> {
        match self.on_unsteerable {
            OnUnsteerable::Error => Err(ApiError::unsteerable(field, reason)),
            OnUnsteerable::Pass => Ok(HeaderValue::from_str(&format!("{field}: {reason}"))
                .unwrap_or(HeaderValue::from_static("the request cannot be steered"))),
        }
    }

    /// From now on it says that it is not ready.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether it is about to end.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// What a model is called that is configured like this: of a file or folder the last name, because the others say whose it is.
fn short_name(model: &str) -> String {
    let path = Path::new(model);
    let last = path.file_name().filter(|_| path.is_absolute() || path.exists());
    last.map_or_else(|| model.to_owned(), |last| last.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_name_does_not_say_whose_it_is() {
        assert_eq!(short_name("/home/ada/models/small.gguf"), "small.gguf");
        assert_eq!(short_name("models/tiny/slm"), "slm");
        assert_eq!(short_name("somebody/small-model"), "somebody/small-model");
    }
}
