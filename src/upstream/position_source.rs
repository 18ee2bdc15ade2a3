use std::future::Future;

use futures::{StreamExt, stream};

use super::{Position, Positions, UpstreamError};

/// What gives one position after the other.
pub trait PositionSource: Send + 'static {
    /// The next position; `None` when there are no more.
    ///
    /// # Errors
    /// What went wrong. Nothing is asked for after that.
    fn next(&mut self) -> impl Future<Output = Result<Option<Position>, UpstreamError>> + Send;
}

/// The positions of `source` as a stream, which ends with its first error.
pub fn stream(source: impl PositionSource) -> Positions {
    let positions = stream::unfold(Some(source), |source| async move {
        let mut source = source?;
        let next = source.next().await.transpose()?;
        let left = next.is_ok().then_some(source);
        Some((next, left))
    });
    positions.boxed()
}
