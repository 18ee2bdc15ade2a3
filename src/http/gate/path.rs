//! Addresses in one form, before anything is routed by them.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use percent_encoding::percent_decode_str;

use crate::context::{is_almost_ours, is_almost_tagged};
use crate::http::ApiError;

/// Routes by the path without double slashes and without one at its end.
pub fn normalise(mut request: Request) -> Request {
    if let Some(uri) = normalised(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

/// Refuses paths that could lead out of where they begin, and what must not be sent on: an address goes out as a body does. `tags` mark
/// private text.
///
/// # Errors
/// 400.
pub fn check(uri: &Uri, tags: bool) -> Result<(), ApiError> {
    if leads_out(uri.path()) {
        return Err(ApiError::invalid(
            "path",
            "the address has a segment such as .., a backslash or a control character, encoded or not; it was not sent on",
        ));
    }
    let query = uri.query().unwrap_or_default();
    let pairs = || form_urlencoded::parse(query.as_bytes());
    if pairs().any(|(name, _)| is_almost_ours(&name)) {
        return Err(ApiError::invalid(
            "query",
            "the address has a parameter like those of private settings, and it was not sent on; they go into headers or the body",
        ));
    }
    let mut values = pairs().flat_map(|(name, value)| [name, value]);
    if tags && (is_almost_tagged(uri.path()) || is_almost_tagged(query) || values.any(|text| is_almost_tagged(&text))) {
        return Err(ApiError::invalid(
            "query",
            "the address holds a tag such as <private>, which marks parts of messages; it was not sent on",
        ));
    }
    Ok(())
}

/// `None` where the address is in its form already.
fn normalised(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let mut plain = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !plain.ends_with('/') {
            plain.push(character);
        }
    }
    // The page's own address ends in one.
    if plain.len() > 1 && plain.ends_with('/') && plain != "/costeer/" {
        plain.pop();
    }
    if plain == path {
        return None;
    }
    if let Some(query) = uri.query() {
        plain.push('?');
        plain.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(plain).ok();
    Uri::from_parts(parts).ok()
}

/// Rounds of decoding: each server on the way may do one.
const MOST_ROUNDS: usize = 5;

/// Whether anything that decodes the path, as often as it may, would find a segment in it that means another folder.
fn leads_out(path: &str) -> bool {
    let mut path = path.to_owned();
    for _ in 0..MOST_ROUNDS {
        let unfit = |character: char| character.is_control() || character == '\\';
        // A parameter of a segment, as some servers cut them off: "..;x".
        let means_another = |segment: &str| matches!(segment.split(';').next().unwrap_or_default().trim(), "." | "..");
        if path.contains(unfit) || path.split('/').any(means_another) {
            return true;
        }
        match percent_decode_str(&path).decode_utf8() {
            Ok(decoded) if decoded == path => return false,
            Ok(decoded) => path = decoded.into_owned(),
            Err(_) => return true,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(uri: &str) -> Option<String> {
        let uri: Uri = uri.parse().unwrap();
        check(&uri, true).ok()?;
        Some(normalised(&uri).unwrap_or(uri).path_and_query().unwrap().to_string())
    }

    #[test]
    fn slashes_too_many_change_nothing() {
        for (given, plain) in [
            ("/v1/models", "/v1/models"),
            ("/v1/models/", "/v1/models"),
            ("//v1///chat//completions//?a=%26/", "/v1/chat/completions?a=%26/"),
            ("/v1/models/Org%2FModel%20x?a=%26", "/v1/models/Org%2FModel%20x?a=%26"),
            ("/costeer/", "/costeer/"),
            ("//costeer//", "/costeer/"),
            ("/costeer", "/costeer"),
            ("/", "/"),
            ("/v1//127.0.0.1:1/x", "/v1/127.0.0.1:1/x"),
            ("/v1/a..b/...", "/v1/a..b/..."),
        ] {
            assert_eq!(path(given).as_deref(), Some(plain), "{given}");
        }
    }

    #[test]
    fn ways_out_are_refused() {
        for given in [
            "/v1/../metrics",
            "/v1/%2e%2e/version",
            "/v1/x/..%2f..%2fversion",
            "/v1/.%2E/x",
            "/v1/%252e%252e/x",
            "/v1/..%5cversion",
            "/v1/x%00",
            "/v1/./x",
            "/v1/..;a/x",
            "/v1/%0d%0ax",
            "/v1/%25252525252e%25252525252e/x",
            "/v1/%ff",
            "/v1/models?costeer.context=x",
            "/v1/models?a=%3Cprivate%3Ex",
            "/v1/models/%3cprivate%3ex",
            "/v1/models?x%2Dcosteer-context=x",
        ] {
            assert_eq!(path(given), None, "{given}");
        }
    }
}
