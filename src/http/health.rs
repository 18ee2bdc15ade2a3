use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::App;

/// `GET /healthz`: the process is up. Says nothing about the upstream, for no restart would mend that.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: whether it makes sense to send requests. Asks nobody; the upstream is looked at beside the requests.
pub async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else if app.service.replicas().any_is_healthy() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no upstream has answered\n")
    }
}
