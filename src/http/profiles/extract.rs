//! What the routes take out of a request, with refusals in OpenAI's envelope.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::http::{ApiError, App, gate};

/// The variable parts of the address.
pub struct Address<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Address<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::from_request_parts(parts, state).await;
        let path = path.map_err(|_| {
            ApiError::invalid(
                "id",
                "the address names nothing: names are UTF-8, and a document's id is a whole number",
            )
        });
        path.map(|Path(value)| Self(value))
    }
}

/// What comes after the address's question mark.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::from_request_parts(parts, state).await;
        let query = query.map_err(|_| ApiError::invalid("after", "after and limit are whole numbers"));
        query.map(|Query(value)| Self(value))
    }
}

/// The body, within `server.max_body_bytes`. It must be called JSON: what browsers send to foreign servers without asking is not.
pub struct Sent(pub gate::Bytes);

impl FromRequest<Arc<App>> for Sent {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        gate::check_json(request.headers())?;
        gate::whole(app, request.into_body()).await.map(Self)
    }
}
