//! Answers that come in one body.

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};

use super::Problem;

/// Longest body or line of a stream that is held in memory. A list of a whole vocabulary takes about a third of it.
pub const LONGEST: usize = 64 << 20;

/// Reads a body to its end.
///
/// # Errors
/// [`Problem::Cut`]; [`Problem::Malformed`] for a body longer than [`LONGEST`].
pub async fn whole(stream: impl Stream<Item = reqwest::Result<Bytes>>) -> Result<Bytes, Problem> {
    let mut stream = std::pin::pin!(stream);
    let mut body = BytesMut::new();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| {
            tracing::debug!(%error, "the upstream's answer broke");
            Problem::Cut
        })?;
        if body.len() + part.len() > LONGEST {
            return Err(Problem::Malformed(format!("it is longer than {LONGEST} bytes")));
        }
        body.extend_from_slice(&part);
    }
    Ok(body.freeze())
}
