use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::local::LocalError;
use crate::wire;

/// A refusal in vLLM's shape: `{"error": {message, type, param, code}}` with the status repeated as `code`.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    kind: &'static str,
    param: Option<&'static str>,
    message: String,
}

impl Refusal {
    /// 400.
    pub fn bad(param: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "BadRequestError",
            param: Some(param),
            message: message.into(),
        }
    }

    /// 404 for a model that is not served.
    pub fn unknown_model(name: &str, served: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            kind: "NotFoundError",
            ..Self::bad(
                "model",
                format!("The model `{name}` does not exist. Valid aliases: {served}."),
            )
        }
    }

    /// The JSON body.
    pub fn body(&self) -> Value {
        wire::error(&self.message, self.kind, self.param, self.status.as_u16())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.body())).into_response()
    }
}

impl From<LocalError> for Refusal {
    fn from(error: LocalError) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            kind: "InternalServerError",
            param: None,
            message: error.to_string(),
        }
    }
}
