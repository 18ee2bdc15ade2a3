//! Routes that are not for everybody who gets past the gate.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use super::gate::Visitor;
use super::{ApiError, App};

/// Where there is a `server.api_key`, lets nobody pass who does not bring it.
///
/// # Errors
/// 401 in OpenAI's words.
pub async fn keyed(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if app.access.api_key.is_some() && !visitor.has_credential() {
        return Err(ApiError::unauthorized());
    }
    Ok(next.run(request).await)
}

/// Lets pass only what comes to a listener on this machine's own address.
///
/// # Errors
/// 404 where the listener is open to others.
pub async fn loopback(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, ApiError> {
    if !app.access.is_loopback {
        return Err(ApiError::no_route(
            StatusCode::NOT_FOUND,
            "profiles and the page are served only where server.listen is an address of this machine, such as \
             127.0.0.1:8089; costeer profile works everywhere",
        ));
    }
    Ok(next.run(request).await)
}

/// Lets pass who may see and change what is stored.
///
/// # Errors
/// 401 and 403.
pub async fn trusted(
    Extension(visitor): Extension<Visitor>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    visitor.may_use_what_is_stored().await?;
    Ok(next.run(request).await)
}
