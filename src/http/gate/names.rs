//! Names that look like ours. A slip in a name must not send a context on its way to the upstream, nor leave it unused without a word.

use axum::http::{HeaderMap, HeaderName};

use super::json::Json;
use crate::context::{FIELD, is_almost_ours, is_almost_tagged, means_context};
use crate::foreign;
use crate::http::ApiError;

/// The headers there are.
pub const CONTEXT: HeaderName = HeaderName::from_static("x-costeer-context");
pub const CONTEXT_BASE64: HeaderName = HeaderName::from_static("x-costeer-context-base64");
pub const PROFILE: HeaderName = HeaderName::from_static("x-costeer-profile");
pub const STRENGTH: HeaderName = HeaderName::from_static("x-costeer-strength");
pub const TRACE: HeaderName = HeaderName::from_static("x-costeer-trace");
pub const TOKEN: HeaderName = HeaderName::from_static("x-costeer-token");
const OURS: [HeaderName; 6] = [CONTEXT, CONTEXT_BASE64, PROFILE, STRENGTH, TRACE, TOKEN];
/// Those that ask for something steered. The token only opens what is stored.
const STEERING: [HeaderName; 5] = [CONTEXT, CONTEXT_BASE64, PROFILE, STRENGTH, TRACE];

/// Whether a header says something about steering.
pub fn steers(headers: &HeaderMap) -> bool {
    STEERING.iter().any(|name| headers.contains_key(name))
}

/// Refuses headers whose names are almost ours.
///
/// # Errors
/// 400 naming the header.
pub fn check_headers(headers: &HeaderMap) -> Result<(), ApiError> {
    let wrong = headers
        .keys()
        .find(|name| !OURS.contains(name) && (is_almost_ours(name.as_str()) || means_context(name.as_str())));
    match wrong {
        None => Ok(()),
        Some(name) => Err(ApiError::invalid(
            name.as_str(),
            "there is no such header, and it was not sent on; there are X-CoSteer-Context, X-CoSteer-Context-Base64, \
             X-CoSteer-Profile, X-CoSteer-Strength, X-CoSteer-Trace and X-CoSteer-Token, in exactly these letters",
        )),
    }
}

/// Refuses keys that are almost ours, at any depth, and those that hold a tag where `tags` mark something. The field itself is left to
/// whoever reads it.
///
/// # Errors
/// 400 naming the key.
pub fn check_keys(fields: &[(String, Json)], tags: bool) -> Result<(), ApiError> {
    for (key, value) in fields {
        if key == FIELD {
            continue;
        }
        if means_context(key) {
            return Err(ApiError::invalid(
                foreign::beginning(key, LONGEST_PATH),
                "there is no such field, and nothing was sent on; a private context is written \"costeer\": {\"context\": \"...\"}, or \
                 comes in the header X-CoSteer-Context",
            ));
        }
        if OF_PYTHON.contains(&key.as_str()) && !is_empty(value) {
            return Err(ApiError::invalid(
                key.as_str(),
                "it is an argument of OpenAI's Python package, whose fields stand at the top of the body; nothing was sent on",
            ));
        }
        check_key(key, value, tags).map_err(Wrong::told)?;
    }
    Ok(())
}

/// Arguments of OpenAI's Python package that people write into bodies.
const OF_PYTHON: [&str; 3] = ["extra_body", "extra_headers", "extra_query"];

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// A key that cannot be sent on. The path to it is put together on the way up.
enum Wrong {
    Slip(String),
    Tagged,
}

impl Wrong {
    fn below(self, parent: &str) -> Self {
        match self {
            Self::Slip(path) if path.starts_with('[') => Self::Slip(format!("{parent}{path}")),
            Self::Slip(path) => Self::Slip(format!("{parent}.{path}")),
            Self::Tagged => Self::Tagged,
        }
    }

    fn told(self) -> ApiError {
        match self {
            Self::Slip(path) => ApiError::invalid(
                foreign::beginning(&path, LONGEST_PATH),
                "a field of this name is not sent on: private settings are written \"costeer\": {\"context\": \"...\"}, once, in small \
                 letters, at the top of the body (extra_body is an argument of OpenAI's Python package, not a field)",
            ),
            Self::Tagged => ApiError::invalid(
                "<private>",
                "a key of the body holds a tag such as <private>; it marks parts of texts, and nothing was sent on",
            ),
        }
    }
}

/// Long before it is shown in full, a path says where.
const LONGEST_PATH: usize = 80;

fn check_key(key: &str, value: &Json, tags: bool) -> Result<(), Wrong> {
    if is_almost_ours(key) {
        return Err(Wrong::Slip(key.to_owned()));
    }
    if tags && is_almost_tagged(key) {
        return Err(Wrong::Tagged);
    }
    check_value(value, tags).map_err(|wrong| wrong.below(key))
}

fn check_value(value: &Json, tags: bool) -> Result<(), Wrong> {
    match value {
        Json::Object(fields) => fields.iter().try_for_each(|(key, value)| check_key(key, value, tags)),
        Json::List(list) => {
            let mut numbered = list.iter().enumerate();
            numbered.try_for_each(|(index, value)| {
                check_value(value, tags).map_err(|wrong| wrong.below(&format!("[{index}]")))
            })
        }
        _ => Ok(()),
    }
}
