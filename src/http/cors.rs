use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::App;

/// What a browser's page may do from elsewhere (Fetch standard, CORS protocol): call `/v1`, where its origin is configured. Answers
/// every OPTIONS request, so that none reaches the upstream.
pub fn cors(app: &Arc<App>) -> CorsLayer {
    let allowed = Arc::clone(app);
    let origin = AllowOrigin::predicate(move |origin, request| {
        let listed = |one: &String| one == "*" || one.as_bytes() == origin.as_bytes();
        request.uri.path().starts_with("/v1/") && allowed.access.cors_origins.iter().any(listed)
    });
    let shown = [
        "x-request-id",
        "x-costeer-steered",
        "x-costeer-reason",
        "x-costeer-report",
        "retry-after",
    ];
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(shown.map(HeaderName::from_static))
        .max_age(Duration::from_secs(600))
}
