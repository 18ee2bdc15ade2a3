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
pub async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    match app.service.replicas().readiness() {
        Readiness::Ready => (StatusCode::OK, "ready\n"),
        Readiness::ReadyForKeys => (
            StatusCode::OK,
            "ready for clients that bring the upstream's key; upstream.api_key is empty\n",
        ),
        Readiness::ReadyUntried => (
            StatusCode::OK,
            "ready, but not tried: the upstream refused the proxy's own question, and the log says why\n",
        ),
        Readiness::KeyRefused => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the upstream refuses upstream.api_key\n",
        ),
        Readiness::Failed => (
            StatusCode::SERVICE_UNAVAILABLE,
            "every upstream has failed since it answered\n",
        ),
        Readiness::Silent => (StatusCode::SERVICE_UNAVAILABLE, "no upstream has answered\n"),
    }
}
