use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::Next;
use axum::response::Response;
use futures::{StreamExt, stream};

/// An answer that is given before its request has been read says that the connection ends with it (RFC 9112, section 9.6).
pub async fn close_unread(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // Whether there is a body at all is asked later, and must still be seen.
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let is_read = Arc::new(AtomicBool::new(false));
    let body = watched(body, Arc::clone(&is_read));
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if !is_read.load(Ordering::Acquire) {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Says in `is_read` when all of it has been read.
fn watched(body: Body, is_read: Arc<AtomicBool>) -> Body {
    let end = stream::poll_fn(move |_| {
        is_read.store(true, Ordering::Release);
        std::task::Poll::Ready(None)
    });
    // Who unpacks it asks once more after its end.
    Body::from_stream(body.into_data_stream().chain(end).fuse())
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn a_body_has_been_read_when_its_end_has() {
        let is_read = Arc::new(AtomicBool::new(false));
        let parts = ["x"; 3].map(Ok::<_, std::io::Error>);
        let body = watched(Body::from_stream(stream::iter(parts)), Arc::clone(&is_read));
        assert!(!is_read.load(Ordering::Acquire));
        assert_eq!(to_bytes(body, 100).await.unwrap(), "xxx");
        assert!(is_read.load(Ordering::Acquire));
    }
}
