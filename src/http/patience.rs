use std::io;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::timeout;

/// How long a client may pause while it sends a body.
const PATIENCE: Duration = Duration::from_secs(30);

/// Gives up on bodies that stop coming: each holds a connection, and what has come of it.
pub async fn patience(request: Request, next: Next) -> Response {
    next.run(request.map(|body| impatient(body, PATIENCE))).await
}

fn impatient(body: Body, patience: Duration) -> Body {
    // Whether there is a body at all is asked later, and must still be seen.
    if body.is_end_stream() {
        return body;
    }
    let parts = body.into_data_stream().map_err(io::Error::other).boxed();
    let parts = stream::unfold(Some(parts), move |parts| async move {
        let mut parts = parts?;
        match timeout(patience, parts.next()).await {
            Ok(part) => Some((part?, Some(parts))),
            Err(_) => {
                let overdue = format!("nothing of the body came for {patience:?}");
                Some((Err(io::Error::new(io::ErrorKind::TimedOut, overdue)), None))
            }
        }
    });
    Body::from_stream(parts)
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
        assert_eq!(to_bytes(impatient(slow, patience), 100).await.unwrap(), "xxxxx");
        let stuck = stream::iter([Ok::<_, io::Error>("x")]).chain(stream::pending());
        assert!(
            to_bytes(impatient(Body::from_stream(stuck), patience), 100)
                .await
                .is_err()
        );
        assert!(impatient(Body::empty(), patience).is_end_stream());
    }
}
