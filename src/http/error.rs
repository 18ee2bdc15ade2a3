use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::headers::STEERED;
use crate::context::ContextError;
use crate::decode::DecodeError;
use crate::local::LocalError;
use crate::service::ServiceError;
use crate::store::StoreError;
use crate::upstream::{Problem, UpstreamError};
use crate::vocabulary::VocabularyError;
use crate::wire;

/// An answer in OpenAI's error envelope: `{"error": {message, type, param, code}}`.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    kind: &'static str,
    param: Option<String>,
    code: Option<&'static str>,
    message: String,
    /// The upstream's own.
    retry_after: Option<Box<HeaderValue>>,
}

impl ApiError {
    /// 400: the request is wrong; `param` names the field or header.
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "invalid_request_error",
            param: Some(param.into()),
            code: None,
            message: message.into(),
            retry_after: None,
        }
    }

    /// 400: the body is not JSON.
    pub fn not_json(message: impl Into<String>) -> Self {
        Self {
            param: None,
            code: Some("invalid_json"),
            ..Self::invalid("", message)
        }
    }

    /// 400: the request cannot be steered because of `field`.
    pub fn unsteerable(field: &str, reason: &str) -> Self {
        let change = match field {
            "model" => "Write the model's name without the profile".to_owned(),
            field => format!("Leave {field} out"),
        };
        Self {
            code: Some("unsupported_parameter"),
            ..Self::invalid(
                field,
                format!(
                    "this request has a private context but cannot be steered: {reason}. {change}, send it \
                     without a private context, or set steering.on_unsteerable = \"pass\" to have it answered without \
                     the context."
                ),
            )
        }
    }

    /// 400: too many tokens; `message` names both numbers.
    pub fn too_long(param: &str, message: String) -> Self {
        Self {
            code: Some("context_length_exceeded"),
            ..Self::invalid(param, message)
        }
    }

    /// The same of a field that the client knows by another name.
    pub fn renamed(mut self, name: impl FnOnce(&str) -> String) -> Self {
        self.param = self.param.map(|field| name(&field));
        self
    }

    /// 404: a model's name has an at-sign in it, and is neither a model's own nor one with a profile behind it.
    pub fn no_such_suffix(written: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: Some("profile_not_found"),
            ..Self::invalid(
                "model",
                format!(
                    "the upstream lists no model called {written:?}, and what stands behind the @ is no profile; \"costeer profile list\" shows \
                     the profiles, NAME@plain asks for an unsteered answer, and with context.model_suffix = false an @ is a part of the name"
                ),
            )
        }
    }

    /// 502: the upstream's list of models cannot be read to its end.
    pub fn no_list() -> Self {
        let message = "the upstream's list of models broke off, or is too long to be added to (context.model_suffix)";
        Self::upstream(StatusCode::BAD_GATEWAY, message.to_owned())
    }

    /// 401: `server.api_key` is missing or wrong.
    pub fn unauthorized() -> Self {
        Self::unknown_caller("this proxy needs its own key (server.api_key), as Authorization: Bearer KEY")
    }

    /// 401: the request would be answered by what is stored here, and it is not known to come from who may have that.
    pub fn needs_credential() -> Self {
        Self::unknown_caller(
            "profiles and configured contexts need this proxy's token: costeer token prints it; send it as Authorization: Bearer TOKEN, or as \
             X-CoSteer-Token where that header is taken. On Linux, programs of the user that the proxy runs as need none, unless something \
             relays their requests. A blank X-CoSteer-Context asks for an answer without any",
        )
    }

    fn unknown_caller(message: &str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            param: None,
            code: Some("invalid_api_key"),
            ..Self::invalid("", message)
        }
    }

    /// 415: the body is of another kind than the route takes.
    pub fn unsupported_media(message: &str) -> Self {
        Self {
            code: Some("unsupported_media_type"),
            ..Self::no_route(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
        }
    }

    /// 502: the upstream answers with another address, which no client of ours should follow with what it has for us alone.
    pub fn leads_elsewhere(status: StatusCode) -> Self {
        Self::upstream(
            StatusCode::BAD_GATEWAY,
            format!(
                "the upstream answered with status {}, which leads to another address, and nothing follows it there; set upstream.url to \
                 the address that answers itself",
                status.as_u16()
            ),
        )
    }

    /// 413: the body is larger than `server.max_body_bytes`.
    pub fn body_too_large(limit: usize) -> Self {
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            kind: "invalid_request_error",
            param: None,
            code: Some("body_too_large"),
            message: format!("the request body is larger than {limit} bytes (server.max_body_bytes)"),
            retry_after: None,
        }
    }

    /// 413: the same of a file that is to be imported.
    pub fn file_too_large(limit: usize) -> Self {
        let message = format!(
            "the file is larger than {} MiB; costeer profile import takes it",
            limit >> 20
        );
        Self {
            message,
            ..Self::body_too_large(limit)
        }
    }

    /// 404 and 405: there is nothing of that kind at this address.
    pub fn no_route(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            param: None,
            ..Self::invalid("", message)
        }
    }

    /// Something between here and the upstream failed.
    fn upstream(status: StatusCode, message: String) -> Self {
        Self {
            status,
            kind: "upstream_error",
            param: None,
            code: None,
            message,
            retry_after: None,
        }
    }

    fn of_upstream(problem: &Problem, message: String) -> Self {
        let status = match problem {
            Problem::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
            // The client can do something about these, or wait; everything else is the server's affair.
            Problem::Refused { status, .. } => match status {
                400 | 401 | 403 | 404 | 413 | 422 | 429 | 503 => {
                    StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY)
                }
                _ => StatusCode::BAD_GATEWAY,
            },
            _ => StatusCode::BAD_GATEWAY,
        };
        let retry_after = match problem {
            Problem::Refused { retry_after, .. } => retry_after.clone().map(Box::new),
            _ => None,
        };
        Self {
            retry_after,
            ..Self::upstream(status, message)
        }
    }

    /// The status that it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The JSON body, also sent as an event when a stream fails in the middle.
    pub fn body(&self) -> Value {
        wire::error(&self.message, self.kind, self.param.as_deref(), self.code)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        headers.insert(STEERED, HeaderValue::from_static("false"));
        if self.status == StatusCode::UNAUTHORIZED && self.kind == "invalid_request_error" {
            // RFC 9110, section 15.5.2.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(pause) = &self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::clone(pause));
        } else if self.status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        // For whoever writes it in another API's form.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Invalid { field, message } => Self::invalid(field, message),
            ServiceError::TooLong { field, message } => Self::too_long(field, message),
            ServiceError::Context(error) => error.into(),
            ServiceError::Vocabulary(error) => error.into(),
            ServiceError::Store(error) => error.into(),
            ServiceError::Local(error) => error.into(),
            ServiceError::Upstream(error) => error.into(),
            ServiceError::Decode(error) => error.into(),
        }
    }
}

impl From<UpstreamError> for ApiError {
    fn from(error: UpstreamError) -> Self {
        Self::of_upstream(&error.problem, error.to_string())
    }
}

impl From<LocalError> for ApiError {
    fn from(error: LocalError) -> Self {
        let (status, kind) = match &error {
            LocalError::Busy { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate_limit_error"),
            LocalError::Engine(_) | LocalError::Source { .. } | LocalError::Load { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "local_model_error")
            }
        };
        Self {
            status,
            kind,
            param: None,
            code: None,
            message: error.to_string(),
            retry_after: None,
        }
    }
}

impl From<DecodeError> for ApiError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Upstream { ref source, .. } => Self::of_upstream(&source.problem, error.to_string()),
            DecodeError::Local(error) => error.into(),
            DecodeError::NoCandidate { .. }
            | DecodeError::NothingAllowed { .. }
            | DecodeError::NoPosition { .. }
            | DecodeError::UnknownToken { .. } => Self::upstream(StatusCode::BAD_GATEWAY, error.to_string()),
            DecodeError::Format { .. } => Self {
                param: None,
                ..Self::invalid("", error.to_string())
            },
            DecodeError::Logits(reason) => LocalError::Engine(reason.to_string()).into(),
        }
    }
}

impl From<VocabularyError> for ApiError {
    fn from(error: VocabularyError) -> Self {
        Self::invalid("messages", error.to_string())
    }
}

impl From<ContextError> for ApiError {
    fn from(error: ContextError) -> Self {
        match error {
            ContextError::Vocabulary(error) => error.into(),
            ContextError::OverBudget { .. } => Self::too_long("context", error.to_string()),
            ContextError::Template { .. } => Self {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                kind: "configuration_error",
                param: None,
                ..Self::invalid("", error.to_string())
            },
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        let invalid = |status, param: &str, code| Self {
            status,
            code: Some(code),
            ..Self::invalid(param, message.clone())
        };
        match error {
            StoreError::NoSuchProfile(_) => invalid(StatusCode::NOT_FOUND, "profile", "profile_not_found"),
            StoreError::NoSuchDocument(_) => invalid(StatusCode::NOT_FOUND, "id", "document_not_found"),
            StoreError::NoSuchLine(_) => invalid(StatusCode::NOT_FOUND, "line", "line_not_found"),
            StoreError::ProfileExists(_) => invalid(StatusCode::CONFLICT, "name", "profile_exists"),
            StoreError::TooLarge { .. } => invalid(StatusCode::PAYLOAD_TOO_LARGE, "", "too_large"),
            _ => Self {
                status: StatusCode::SERVICE_UNAVAILABLE,
                kind: "store_error",
                param: None,
                ..Self::invalid("", message)
            },
        }
    }
}
