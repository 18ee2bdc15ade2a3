use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::Next;
use axum::response::Response;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::timeout;

/// How long a client may pause while it sends a body.
const PATIENCE: Duration = Duration::from_secs(30);

/// Gives up on bodies that stop coming: each holds a connection, and what has come of it. An answer that is given before its request
/// has been read says that the connection ends with it (RFC 9112, section 9.6).
pub async fn patience(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // Whether there is a body at all is asked later, and must still be seen.
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let is_read = Arc::new(AtomicBool::new(false));
    let body = impatient(body, PATIENCE, Arc::clone(&is_read));
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if !is_read.load(Ordering::Acquire) {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Says in `is_read` when all of it has been read.
fn impatient(body: Body, patience: Duration, is_read: Arc<AtomicBool>) -> Body {
    let parts = body.into_data_stream().map_err(io::Error::other).boxed();
    let parts = stream::unfold(Some((parts, is_read)), move |state| async move {
        let (mut parts, is_read) = state?;
        match timeout(patience, parts.next()).await {
            Ok(Some(part)) => Some((part, Some((parts, is_read)))),
            Ok(None) => {
                is_read.store(true, Ordering::Release);
                None
            }
            Err(_) => {
                let overdue = format!("nothing of the body came for {patience:?}");
                Some((Err(io::Error::new(io::ErrorKind::TimedOut, overdue)), None))
            }
        }
    });
    // Who unpacks it asks once more after its end.
    Body::from_stream(parts.fuse())
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn a_body_that_stops_coming_is_given_up_and_a_slow_one_is_not() {
        let patience = Duration::from_millis(400);
        let part = |_| async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            Ok::<_, io::Error>("x")
        };
        let slow = Body::from_stream(stream::iter(0..5).then(part));
        let is_read = Arc::new(AtomicBool::new(false));
        let slow = impatient(slow, patience, Arc::clone(&is_read));
        assert!(!is_read.load(Ordering::Acquire));
        assert_eq!(to_bytes(slow, 100).await.unwrap(), "xxxxx");
        assert!(is_read.load(Ordering::Acquire));
        let stuck = stream::iter([Ok::<_, io::Error>("x")]).chain(stream::pending());
        assert!(
            to_bytes(impatient(Body::from_stream(stuck), patience, Arc::default()), 100)
                .await
                .is_err()
        );
    }
}
