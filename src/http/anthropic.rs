//! Errors as Anthropic's clients know them.

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::ApiError;

impl ApiError {
    /// The JSON body in Anthropic's form: `{"type": "error", "error": {type, message}}`. The field is named in the message.
    pub fn anthropic(&self) -> Value {
        let body = self.body();
        let message = body["error"]["message"].as_str().unwrap_or_default();
        let field = body["error"]["param"].as_str().filter(|field| !message.contains(field));
        let message = field.map_or_else(|| message.to_owned(), |field| format!("{field}: {message}"));
        json!({"type": "error", "error": {"type": kind(self.status()), "message": message}})
    }
}

/// Anthropic's name for errors of this status (Claude API reference, "Errors").
fn kind(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "authentication_error",
        StatusCode::FORBIDDEN => "permission_error",
        StatusCode::NOT_FOUND => "not_found_error",
        StatusCode::PAYLOAD_TOO_LARGE => "request_too_large",
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        StatusCode::SERVICE_UNAVAILABLE => "overloaded_error",
        StatusCode::GATEWAY_TIMEOUT => "timeout_error",
        status if status.is_server_error() => "api_error",
        _ => "invalid_request_error",
    }
}

/// Writes this proxy's own errors in Anthropic's form where the request is one of Anthropic's.
pub async fn anthropic_errors(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_anthropic = path == "/v1/messages" || path.starts_with("/v1/messages/");
    let mut response = next.run(request).await;
    if !is_anthropic {
        return response;
    }
    let Some(error) = response.extensions_mut().remove::<ApiError>() else {
        return response;
    };
    let mut written = Json(error.anthropic()).into_response();
    *written.status_mut() = response.status();
    let headers = response.headers().iter();
    for (name, value) in headers.filter(|(name, _)| ![CONTENT_LENGTH, CONTENT_TYPE].contains(name)) {
        written.headers_mut().append(name, value.clone());
    }
    written
}
