//! Where the private part of a request is read, and the only place that reads it.

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::ApiError;
use super::gate::{CONTEXT, CONTEXT_BASE64, Fields, Json, PROFILE, STRENGTH, TRACE};
use crate::context::{FIELD, PrivateContext};
use crate::foreign;
use crate::service::{ContextInput, PrivateInput};
use crate::steering::Strength;
use crate::store::ProfileName;

/// Reads the headers, and takes the `costeer` field out of `body`. The context comes from the first that is there:
/// `X-CoSteer-Context-Base64`, `X-CoSteer-Context`, `costeer.context`.
///
/// # Errors
/// 400 naming the header or field. No message quotes a value. Names that are almost ours have been refused before.
pub fn take(headers: &HeaderMap, body: &mut Fields) -> Result<PrivateInput, ApiError> {
    let place = body.iter().position(|(key, _)| key == FIELD);
    let field = place.map_or(Json::Null, |place| body.remove(place).1);
    let (mut context, mut profile, mut strength, mut trace) = (ContextInput::Unset, None, None, false);
    for (key, value) in fields(field)? {
        match (key.as_str(), value) {
            (_, Json::Null) => {}
            ("context", Json::Text(mut text)) => context = PrivateContext::new(std::mem::take(&mut *text)).into(),
            ("context", _) => {
                return Err(ApiError::invalid("costeer.context", "it must be a string"));
            }
            ("profile", Json::Text(name)) => profile = Some(named("costeer.profile", &name)?),
            ("profile", _) => {
                return Err(ApiError::invalid("costeer.profile", "it must be a string"));
            }
            ("strength", Json::Number(number)) => {
                strength = Some(checked_strength("costeer.strength", number.parse().ok())?);
            }
            ("strength", _) => {
                return Err(ApiError::invalid("costeer.strength", "it must be a number"));
            }
            ("trace", Json::Bool(wanted)) => trace = wanted,
            ("trace", _) => {
                return Err(ApiError::invalid("costeer.trace", "it must be true or false"));
            }
            (other, _) => {
                return Err(ApiError::invalid(
                    format!("costeer.{}", foreign::beginning(other, 40)),
                    "there is no such setting; costeer takes context, profile, strength and trace",
                ));
            }
        }
    }
    if let Some(name) = [CONTEXT, CONTEXT_BASE64, PROFILE, STRENGTH, TRACE]
        .iter()
        .find(|name| headers.get_all(*name).iter().count() > 1)
    {
        return Err(ApiError::invalid(name.as_str(), "the header may come once"));
    }
    if let Some(text) = headers.get(CONTEXT) {
        context = utf8("X-CoSteer-Context", text.as_bytes().to_vec())?.into();
    }
    if let Some(encoded) = headers.get(CONTEXT_BASE64) {
        context = utf8("X-CoSteer-Context-Base64", from_base64(encoded)?)?.into();
    }
    if let Some(name) = headers.get(PROFILE) {
        let name = std::str::from_utf8(name.as_bytes()).unwrap_or_default();
        profile = Some(named("X-CoSteer-Profile", name.trim())?);
    }
    if let Some(value) = headers.get(STRENGTH) {
        let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        strength = Some(checked_strength("X-CoSteer-Strength", number)?);
    }
    if let Some(value) = headers.get(TRACE) {
        trace = match value.as_bytes().trim_ascii() {
            b"1" | b"true" => true,
            b"0" | b"false" => false,
            _ => return Err(ApiError::invalid("X-CoSteer-Trace", "it must be 1 or 0")),
        };
    }
    Ok(PrivateInput {
        context,
        profile,
        strength,
        trace,
    })
}

fn named(name: &str, value: &str) -> Result<ProfileName, ApiError> {
    ProfileName::new(value).map_err(|error| ApiError::invalid(name, error.to_string()))
}

fn fields(field: Json) -> Result<Fields, ApiError> {
    match field {
        Json::Null => Ok(Fields::new()),
        Json::Object(fields) => Ok(fields),
        _ => Err(ApiError::invalid(
            FIELD,
            "it must be an object such as {\"context\": \"...\"}",
        )),
    }
}

fn checked_strength(name: &str, number: Option<f64>) -> Result<Strength, ApiError> {
    let limit = Strength::LIMIT;
    number
        .and_then(Strength::new)
        .ok_or_else(|| ApiError::invalid(name, format!("it must be a number from -{limit} to {limit}")))
}

fn utf8(header: &str, bytes: Vec<u8>) -> Result<PrivateContext, ApiError> {
    String::from_utf8(bytes).map(PrivateContext::new).map_err(|_| {
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
    let any_padding = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&alphabet, any_padding)
        .decode(text)
        .map_err(|_| ApiError::invalid("X-CoSteer-Context-Base64", "it is not base64 (RFC 4648)"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;
    use serde_json::Value;

    use super::super::gate::fields_of;
    use super::*;

    fn take(headers: &[(HeaderName, &[u8])], body: Value) -> Result<PrivateInput, ApiError> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_bytes(value).unwrap()))
            .collect();
        super::take(&headers, &mut fields_of(&body))
    }

    #[test]
    fn headers_come_before_the_body() {
        let body = serde_json::json!({"costeer": {"context": 3, "strength": 1}});
        assert!(take(&[], body).is_err());
        let body = serde_json::json!({"costeer": {"context": "a", "strength": 1}});
        let input = take(&[(STRENGTH, b"-2.5")], body).unwrap();
        assert_eq!(input.strength, Strength::new(-2.5));
        assert!(matches!(input.context, ContextInput::Given(_)));
    }

    #[test]
    fn base64_is_read_with_and_without_padding_in_both_alphabets() {
        for encoded in ["w7zDvw==", "w7zDvw", "w7zDvw=="] {
            assert!(take(&[(CONTEXT_BASE64, encoded.as_bytes())], serde_json::json!({})).is_ok());
        }
        for broken in [&b"*"[..], b"w7zDv", b"gA=="] {
            assert!(take(&[(CONTEXT_BASE64, broken)], serde_json::json!({})).is_err());
        }
        assert!(take(&[(CONTEXT, &[0xFF, 0xFE])], serde_json::json!({})).is_err());
    }

    #[test]
    fn a_blank_context_declines_the_configured_one() {
        let unset = take(&[], serde_json::json!({"costeer": null})).unwrap();
        assert!(matches!(unset.context, ContextInput::Unset));
        let declined = take(&[(CONTEXT, b"  ")], serde_json::json!({})).unwrap();
        assert!(matches!(declined.context, ContextInput::Declined));
    }

    #[test]
    fn a_profile_is_named_in_a_header_or_in_the_body() {
        let body = || serde_json::json!({"costeer": {"profile": "bob"}});
        let named = |input: PrivateInput| input.profile.map(|name| name.to_string());
        assert_eq!(named(take(&[], body()).unwrap()).as_deref(), Some("bob"));
        assert_eq!(
            named(take(&[(PROFILE, b"ada")], body()).unwrap()).as_deref(),
            Some("ada")
        );
        assert_eq!(
            named(take(&[(PROFILE, "zoë".as_bytes())], body()).unwrap()).as_deref(),
            Some("zoë")
        );
        for broken in [&b"a/b"[..], b"", b"\xFF"] {
            assert!(take(&[(PROFILE, broken)], serde_json::json!({})).is_err());
        }
        assert!(take(&[], serde_json::json!({"costeer": {"profile": 3}})).is_err());
    }

    #[test]
    fn a_trace_is_asked_for_in_a_header_or_in_the_body() {
        let traced = |headers: &[(HeaderName, &[u8])], body| take(headers, body).map(|input| input.trace);
        let body = |value: Value| serde_json::json!({"costeer": {"trace": value}});
        assert!(!traced(&[], serde_json::json!({})).unwrap());
        assert!(traced(&[], body(true.into())).unwrap());
        assert!(traced(&[(TRACE, b"1")], serde_json::json!({})).unwrap());
        assert!(!traced(&[(TRACE, b"0")], body(true.into())).unwrap());
        assert!(traced(&[(TRACE, b"yes")], serde_json::json!({})).is_err());
        assert!(traced(&[], body(1.into())).is_err());
    }

    #[test]
    fn errors_name_the_field_and_hide_its_value() {
        let error = take(&[], serde_json::json!({"costeer": {"contxt": "secret"}}))
            .err()
            .unwrap();
        let body = error.body().to_string();
        assert!(body.contains("costeer.contxt") && !body.contains("secret"), "{body}");
    }
}
