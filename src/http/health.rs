use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::App;
use crate::upstream::Readiness;

/// `GET /healthz`: the process is up. Says nothing about the upstream, for no restart would mend that.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: whether it makes sense to send requests. Asks nobody; the upstream is looked at beside the requests.
pub async fn ready(State(app): State<Arc<App>>) -> (StatusCode, String) {
    let (is_ready, words) = readiness(&app);
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, format!("{words}\n"))
}

/// The same, and how it is in words.
pub fn readiness(app: &App) -> (bool, &'static str) {
    if app.is_draining() {
        return (false, "draining");
    }
    match app.service.replicas().readiness() {
        Readiness::Ready => (true, "ready"),
        Readiness::ReadyForKeys => (
            true,
            "ready for clients that bring the upstream's key; upstream.api_key is empty",
        ),
        Readiness::ReadyUntried => (
            true,
            "ready, but not tried: the upstream refused the proxy's own question, and the log says why",
        ),
        Readiness::KeyRefused => (false, "the upstream refuses upstream.api_key"),
        Readiness::Failed => (false, "every upstream has failed since it answered"),
        Readiness::Silent => (false, "no upstream has answered"),
    }
}
