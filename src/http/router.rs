use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};
use tower::ServiceBuilder;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::map_request_body::MapRequestBodyLayer;
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;
use tower_http::trace::TraceLayer;

use super::anthropic::anthropic_errors;
use super::chat::{chat_completions, completions, messages, preview, responses};
use super::cors::cors;
use super::count::count_tokens;
use super::forward::pass_through;
use super::gate::{gate, normalise};
use super::headers::REQUEST_ID;
use super::health::{alive, ready};
use super::loopback::{keyed, loopback, trusted};
use super::models::models;
use super::observe::{FreshId, answered, count, keep_fit_id, span};
use super::page::page;
use super::status::status;
use super::tuning::tuning;
use super::unread::close_unread;
use super::{ApiError, App, profiles};
use crate::telemetry::metrics;

/// How long a client may pause while it sends a body: each holds a connection, and what has come of it.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// All routes of the proxy, behind the gate. Those that are added before `keyed` need `server.api_key`, if there is one: everything but
/// the page and the two that probes ask.
pub fn router(app: Arc<App>) -> Router {
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
        .route("/costeer/v1/import", post(profiles::import))
        .route("/costeer/v1/preview", post(preview))
        .layer(from_fn(trusted))
        .layer(from_fn_with_state(Arc::clone(&app), loopback));
    let status = Router::new()
        .route("/costeer/v1/status", get(status))
        .route("/costeer/v1/tuning", get(tuning))
        .layer(from_fn_with_state(Arc::clone(&app), loopback));
    let page = page().layer(from_fn_with_state(Arc::clone(&app), loopback));
    let trace = TraceLayer::new_for_http()
        .make_span_with(span)
        .on_request(())
        .on_response(answered)
        .on_failure(());
    let mut guarded = Router::new()
        .route("/v1/chat/completions", post(chat_completions))
        .route("/v1/completions", post(completions))
        .route("/v1/responses", post(responses))
        .route("/v1/messages", post(messages))
        .route("/v1/messages/count_tokens", post(count_tokens))
        .route("/v1/models", any(models))
        // Everything else of the API belongs to the upstream.
        .route("/v1/{*path}", any(pass_through));
    if app.serves_metrics {
        guarded = guarded.route("/metrics", get(scrape));
    }
    let routes = guarded
        .merge(profiles)
        .merge(status)
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&app), keyed))
        .merge(page)
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        // One stack: each layer of a router by itself would cost a request an allocation and a call through a pointer.
        .layer(
            ServiceBuilder::new()
                .map_request(keep_fit_id)
                .layer(SetRequestIdLayer::new(REQUEST_ID, FreshId))
                .layer(trace)
                .layer(PropagateRequestIdLayer::new(REQUEST_ID))
                .layer(from_fn(count))
                .layer(RequestBodyTimeoutLayer::new(BODY_TIMEOUT))
                .layer(MapRequestBodyLayer::new(Body::new))
                .layer(from_fn(close_unread))
                .layer(from_fn(anthropic_errors))
                .layer(from_fn_with_state(Arc::clone(&app), gate))
                .layer(RequestDecompressionLayer::new())
                .layer(cors(&app)),
        )
        .with_state(app);
    let [store, sniff, sandbox, refer, embed] =
        PRECAUTIONS.map(|(name, value)| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)));
    // Addresses are brought into one form before they are routed, and what is answered belongs to nobody else's page or cache.
    let outermost = ServiceBuilder::new()
        .layer((store, sniff, sandbox))
        .layer((refer, embed))
        .map_request(normalise);
    Router::new().fallback_service(routes).layer(outermost)
}

/// What an answer tells a browser where its route says nothing else.
const PRECAUTIONS: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Without a sandbox, which is for what is not ours.
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The metrics alone, for a listener of their own; behind the gate of `proxy` where only this machine can reach it.
pub fn metrics_router(app: Option<Arc<App>>) -> Router {
    let metrics = Router::new().route("/metrics", get(scrape));
    match app {
        Some(app) => metrics.layer(from_fn_with_state(app, gate)),
        None => metrics,
    }
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
