use std::sync::{Arc, OnceLock};

use futures::StreamExt;
use futures::stream::BoxStream;

use super::LlamaCpp;
use super::slots::Seat;
use super::wire::Listed;
use crate::upstream::position_source::PositionSource;
use crate::upstream::{Position, PositionRequest, UpstreamError};

/// One answer of the server.
pub struct Stream {
    pub listed: BoxStream<'static, Result<Listed, UpstreamError>>,
    /// How much of the prompt was computed, once that is known.
    pub computed: Arc<OnceLock<usize>>,
    /// Where it was to be computed; `None` where the server chose.
    pub seat: Option<Seat>,
}

/// A generation across the positions that its streams withhold.
pub struct Generation {
    server: LlamaCpp,
    /// What is left to ask for, from what has been handed out.
    request: PositionRequest,
    /// `None` where the last one withheld a position.
    stream: Option<Stream>,
}

impl Generation {
    /// What `server` has begun to answer to `request`.
    pub fn new(server: LlamaCpp, request: PositionRequest, begun: Stream) -> Self {
        Self {
            server,
            request,
            stream: Some(begun),
        }
    }

    async fn listed(&mut self) -> Result<Option<Listed>, UpstreamError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(self.server.stream(&self.request).await?),
        };
        let next = stream.listed.next().await.transpose()?;
        // Looked at once, with the first event.
        if let Some((seat, computed)) = stream
            .computed
            .get()
            .and_then(|computed| Some((stream.seat.take()?, *computed)))
        {
            self.server.check_seat(&self.request, seat, computed);
        }
        Ok(next)
    }
}

impl PositionSource for Generation {
    async fn next(&mut self) -> Result<Option<Position>, UpstreamError> {
        if self.request.window == 0 {
            return Ok(None);
        }
        let position = match self.listed().await? {
            None => return Ok(None),
            Some(Listed::Position(position)) => position,
            Some(Listed::Withheld) => {
                self.stream = None;
                self.server.withheld(&self.request).await?
            }
        };
        self.request.window -= 1;
        self.request.prefix.ids.push(position.draft);
        Ok(Some(position))
    }
}
