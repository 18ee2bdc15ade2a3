use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::routing::{any, get, post};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::ServiceBuilder;
use tower_http::trace::TraceLayer;

use super::chat::{chat_completions, completions};
use super::forward::pass_through;
use super::{ApiError, Proxy};
use crate::telemetry::metrics;

/// All routes of the proxy.
pub fn router(proxy: Arc<Proxy>) -> Router {
    let limit = DefaultBodyLimit::max(proxy.max_body_bytes);
    Router::new()
        .route("/v1/chat/completions", post(chat_completions))
        .route("/v1/completions", post(completions))
        // Everything else of the API belongs to the upstream; bodies are streamed and bounded there.
        .route("/v1/{*path}", any(pass_through))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/metrics", get(scrape))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(ServiceBuilder::new().layer(TraceLayer::new_for_http()))
        .layer(limit)
        .with_state(proxy)
}

/// Prometheus' text format, version 0.0.4.
async fn scrape() -> ([(HeaderName, &'static str); 1], String) {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, kind)], metrics().render())
}

async fn unknown_path() -> ApiError {
    ApiError::no_route(
        StatusCode::NOT_FOUND,
        "there is no such path here; the API is under /v1",
    )
}

async fn wrong_method() -> ApiError {
    ApiError::no_route(StatusCode::METHOD_NOT_ALLOWED, "this path does not take that method")
}

/// Serves `router` until `shutdown` resolves; answers that are running then get `drain` to end.
///
/// # Errors
/// What the listener says when it breaks.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
    drain: Duration,
) -> std::io::Result<()> {
    let (begun, draining) = oneshot::channel();
    let graceful = async move {
        shutdown.await;
        let _nobody_waits = begun.send(());
    };
    // Tokens are small and must leave at once: with Nagle's algorithm each would wait for the acknowledgement of the one
    // before, which the other side delays by 40 ms.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
    });
    let serving = axum::serve(listener, router).with_graceful_shutdown(graceful);
    let overdue = async move {
        // The sender is dropped without a word when serving ends by itself.
        if draining.await.is_ok() {
            tokio::time::sleep(drain).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = serving => served,
        () = overdue => {
            tracing::warn!(?drain, "answers were still running at the end of the drain time and were cut");
            Ok(())
        }
    }
}
