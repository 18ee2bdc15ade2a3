//! What stands before every route: who may speak to the proxy, and what may pass in either direction.
//!
//! What cannot be understood is refused with words and never sent on.

mod body;
mod headers;
mod json;
mod marks;
mod multipart;
mod names;
mod owner;
mod packed;
mod path;
mod visitor;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_ENCODING};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub use body::{Bytes, check_bytes, check_json, content_type, whole, whole_within};
pub use headers::{authorization, to_client, to_upstream, trace};
#[cfg(test)]
pub use json::fields_of;
pub use json::{Fields, Json, object, to_map, written};
pub use marks::{take as marked, take_everywhere as marked_everywhere};
pub use multipart::{ModelOfForm, Upload, is_upload, upload};
pub use names::{CONTEXT, CONTEXT_BASE64, PROFILE, STRENGTH, TRACE, check_keys, steers};
pub use owner::Connection;
pub use packed::check as check_packed;
pub use path::normalise;
pub use visitor::Visitor;

use super::{ApiError, App};

/// Lets pass what a client of this proxy may send. What follows finds a [`Visitor`] in the request.
pub async fn gate(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    match admit(&app, &mut request) {
        Ok(visitor) => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Err(error) => {
            let mut response = error.into_response();
            if response.status() == StatusCode::METHOD_NOT_ALLOWED {
                response.headers_mut().insert(
                    ALLOW,
                    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
                );
            }
            response
        }
    }
}

fn admit(app: &App, request: &mut Request) -> Result<Visitor, ApiError> {
    if [Method::TRACE, Method::CONNECT].contains(request.method()) {
        let message = "this method would send back, or around us, what should stay here";
        return Err(ApiError::no_route(StatusCode::METHOD_NOT_ALLOWED, message));
    }
    path::check(request.uri(), app.private_tags)?;
    let connection = request.extensions().get::<Connection>().cloned();
    let visitor = Visitor::meet(
        app,
        request.method(),
        request.uri(),
        request.version(),
        request.headers(),
        connection,
    )?;
    names::check_headers(request.headers())?;
    check_encoding(request.headers_mut())?;
    Ok(visitor)
}

/// Bodies may be packed once, in a way that is unpacked here (RFC 9110, section 8.4).
fn check_encoding(headers: &mut HeaderMap) -> Result<(), ApiError> {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    let Some(encoding) = encodings.next() else {
        return Ok(());
    };
    let encoding = encoding.to_str().unwrap_or_default().trim().to_ascii_lowercase();
    let known = match encoding.as_str() {
        "gzip" | "x-gzip" => Some("gzip"),
        "deflate" => Some("deflate"),
        "br" => Some("br"),
        "zstd" => Some("zstd"),
        "" | "identity" => Some("identity"),
        _ => None,
    };
    match known.filter(|_| encodings.next().is_none()) {
        Some("identity") => {
            headers.remove(CONTENT_ENCODING);
        }
        Some(known) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(known));
        }
        None => {
            return Err(ApiError::unsupported_media(
                "the body is packed in a way that cannot be looked into; send it as it is, or packed once with gzip, deflate, br or zstd",
            ));
        }
    }
    Ok(())
}
