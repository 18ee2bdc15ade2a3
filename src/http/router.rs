use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};

use super::chat::{chat_completions, completions};
use super::cors::cors;
use super::forward::pass_through;
use super::guard::guard;
use super::health::{alive, ready};
use super::local::local;
use super::observe::observe;
use super::page::page;
use super::patience::patience;
use super::{ApiError, Proxy, profiles};
use crate::telemetry::metrics;

/// All routes of the proxy. Those that are added before the guard need the key, if there is one: everything but the page and the
/// two that probes ask.
pub fn router(proxy: Arc<Proxy>) -> Router {
    let limit = DefaultBodyLimit::max(proxy.max_body_bytes);
    let profiles = Router::new()
        .route("/costeer/v1/profiles", get(profiles::list).post(profiles::create))
        .route(
            "/costeer/v1/profiles/{name}",
            get(profiles::show).patch(profiles::edit).delete(profiles::delete),
        )
        .route(
            "/costeer/v1/profiles/{name}/documents",
            get(profiles::documents).post(profiles::add),
        )
        .route(
            "/costeer/v1/profiles/{name}/documents/{id}",
            get(profiles::document).delete(profiles::delete_document),
        )
        .route("/costeer/v1/profiles/{name}/search", post(profiles::search))
        .route("/costeer/v1/profiles/{name}/preview", post(profiles::preview))
        .route("/costeer/v1/profiles/{name}/export", get(profiles::export))
        .layer(from_fn_with_state(Arc::clone(&proxy), local));
    let page = page().layer(from_fn_with_state(Arc::clone(&proxy), local));
    let mut guarded = Router::new()
        .route("/v1/chat/completions", post(chat_completions))
        .route("/v1/completions", post(completions))
        // Everything else of the API belongs to the upstream; bodies are streamed and bounded there.
        .route("/v1/{*path}", any(pass_through));
    if proxy.serves_metrics {
        guarded = guarded.route("/metrics", get(scrape));
    }
    guarded
        .merge(profiles)
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&proxy), guard))
        .merge(page)
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .layer(from_fn_with_state(Arc::clone(&proxy), cors))
        .layer(from_fn(patience))
        .layer(from_fn(observe))
        .layer(limit)
        .with_state(proxy)
}

/// The metrics alone, for a listener of their own.
pub fn metrics_router() -> Router {
    Router::new().route("/metrics", get(scrape))
}

/// Prometheus' text format, version 0.0.4.
async fn scrape() -> ([(HeaderName, &'static str); 1], String) {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, kind)], metrics().render())
}

async fn unknown_path() -> ApiError {
    ApiError::no_route(
        StatusCode::NOT_FOUND,
        "there is no such path here; the API is under /v1, profiles are under /costeer/v1/profiles, a page for \
         browsers is at /costeer/",
    )
}

async fn wrong_method() -> ApiError {
    ApiError::no_route(StatusCode::METHOD_NOT_ALLOWED, "this path does not take that method")
}
