use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use super::error::Refusal;

/// A JSON body whose refusal has vLLM's shape.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection @ JsonRejection::JsonDataError(_)) => Err(Refusal::bad("body", rejection.body_text())),
            Err(rejection) => Err(Refusal::bad(
                "body",
                format!("1 validation error: {}", rejection.body_text()),
            )),
        }
    }
}
