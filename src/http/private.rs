//! Where the private part of a request is read, and the only place that reads it.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::ApiError;
use crate::context::PrivateContext;
use crate::steering::Strength;

/// Every private header begins with this.
pub const PRIVATE_PREFIX: &str = "x-costeer-";
const CONTEXT: HeaderName = HeaderName::from_static("x-costeer-context");
const CONTEXT_BASE64: HeaderName = HeaderName::from_static("x-costeer-context-base64");
const STRENGTH: HeaderName = HeaderName::from_static("x-costeer-strength");
/// The body field that holds private settings.
pub const FIELD: &str = "costeer";

/// What a request says in private: its context and how strongly to steer.
#[derive(Default)]
pub struct PrivateInput {
    /// `None` where the request has none; the configured one may still apply.
    pub context: Option<PrivateContext>,
    /// `None` where the configured strength applies.
    pub strength: Option<Strength>,
}

impl PrivateInput {
    /// Reads the headers, and takes the `costeer` field out of `body`. The context comes from the first that is there:
    /// `X-CoSteer-Context-Base64`, `X-CoSteer-Context`, `costeer.context`; a blank one counts as none.
    ///
    /// # Errors
    /// 400 naming the header or field; the message never quotes its value.
    pub fn take(headers: &HeaderMap, body: &mut Map<String, Value>) -> Result<Self, ApiError> {
        let field = body.shift_remove(FIELD).unwrap_or_default();
        let (mut context, mut strength) = (None, None);
        for (key, value) in fields(field)? {
            match (key.as_str(), value) {
                (_, Value::Null) => {}
                ("context", Value::String(text)) => context = Some(PrivateContext::new(text)),
                ("context", _) => {
                    return Err(ApiError::invalid("costeer.context", "it must be a string"));
                }
                ("strength", Value::Number(number)) => {
                    strength = Some(checked_strength("costeer.strength", number.as_f64())?);
                }
                ("strength", _) => {
                    return Err(ApiError::invalid("costeer.strength", "it must be a number"));
                }
                (other, _) => {
                    return Err(ApiError::invalid(
                        format!("costeer.{}", other.chars().take(40).collect::<String>()),
                        "there is no such setting; costeer takes context and strength",
                    ));
                }
            }
        }
        if let Some(text) = headers.get(CONTEXT) {
            context = Some(utf8("X-CoSteer-Context", text.as_bytes().to_vec())?);
        }
        if let Some(encoded) = headers.get(CONTEXT_BASE64) {
            context = Some(utf8("X-CoSteer-Context-Base64", from_base64(encoded)?)?);
        }
        if let Some(value) = headers.get(STRENGTH) {
            let number = value
                .to_str()
                .ok()
                .and_then(|text| text.trim().parse().ok());
            strength = Some(checked_strength("X-CoSteer-Strength", number)?);
        }
        Ok(Self {
            context: context.filter(|context| !context.is_blank()),
            strength,
        })
    }
}

fn fields(field: Value) -> Result<Map<String, Value>, ApiError> {
    match field {
        Value::Null => Ok(Map::new()),
        Value::Object(fields) => Ok(fields),
        _ => Err(ApiError::invalid(
            FIELD,
            "it must be an object such as {\"context\": \"...\"}",
        )),
    }
}

fn checked_strength(name: &str, number: Option<f64>) -> Result<Strength, ApiError> {
    let limit = Strength::LIMIT;
    number.and_then(Strength::new).ok_or_else(|| {
        ApiError::invalid(
            name,
            format!("it must be a number from -{limit} to {limit}"),
        )
    })
}

fn utf8(header: &str, bytes: Vec<u8>) -> Result<PrivateContext, ApiError> {
    String::from_utf8(bytes)
        .map(PrivateContext::new)
        .map_err(|_| {
            ApiError::invalid(
                header,
                "the context is not UTF-8; encode it, then send it in X-CoSteer-Context-Base64",
            )
        })
}

fn from_base64(header: &HeaderValue) -> Result<Vec<u8>, ApiError> {
    let text = header.as_bytes().trim_ascii();
    let alphabet = if text.contains(&b'-') || text.contains(&b'_') {
        URL_SAFE
    } else {
        STANDARD
    };
    let any_padding =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&alphabet, any_padding)
        .decode(text)
        .map_err(|_| ApiError::invalid("X-CoSteer-Context-Base64", "it is not base64 (RFC 4648)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(headers: &[(HeaderName, &[u8])], body: Value) -> Result<PrivateInput, ApiError> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_bytes(value).unwrap()))
            .collect();
        PrivateInput::take(&headers, &mut body.as_object().unwrap().clone())
    }

    #[test]
    fn headers_come_before_the_body() {
        let body = serde_json::json!({"costeer": {"context": 3, "strength": 1}});
        assert!(take(&[], body).is_err());
        let body = serde_json::json!({"costeer": {"context": "a", "strength": 1}});
        let input = take(&[(STRENGTH, b"-2.5")], body).unwrap();
        assert_eq!(input.strength, Strength::new(-2.5));
        assert!(input.context.is_some());
    }

    #[test]
    fn base64_is_read_with_and_without_padding_in_both_alphabets() {
        for encoded in ["w7zDvw==", "w7zDvw", "w7zDvw=="] {
            assert!(
                take(
                    &[(CONTEXT_BASE64, encoded.as_bytes())],
                    serde_json::json!({})
                )
                .is_ok()
            );
        }
        for broken in [&b"*"[..], b"w7zDv", b"gA=="] {
            assert!(take(&[(CONTEXT_BASE64, broken)], serde_json::json!({})).is_err());
        }
        assert!(take(&[(CONTEXT, &[0xFF, 0xFE])], serde_json::json!({})).is_err());
    }

    #[test]
    fn blank_contexts_and_null_fields_are_none() {
        let input = take(&[(CONTEXT, b"  ")], serde_json::json!({"costeer": null})).unwrap();
        assert!(input.context.is_none() && input.strength.is_none());
    }

    #[test]
    fn errors_name_the_field_and_hide_its_value() {
        let error = take(&[], serde_json::json!({"costeer": {"contxt": "secret"}}))
            .err()
            .unwrap();
        let body = error.body().to_string();
        assert!(
            body.contains("costeer.contxt") && !body.contains("secret"),
            "{body}"
        );
    }
}
