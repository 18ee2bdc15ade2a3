use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;

use super::{Caller, CandidateRequest, Position, PositionRequest, UpstreamError};
use crate::vocabulary::{ChatMessage, TokenId};

/// Positions as they arrive. Dropping the stream aborts the generation at the server.
pub type Positions = BoxStream<'static, Result<Position, UpstreamError>>;

/// What a server replies, once it does.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, UpstreamError>>;

/// A server that can continue a prefix of token ids and show its log-probabilities.
pub trait Upstream: Send + Sync {
    /// Asks the server to continue greedily from the prefix; resolves when its answer begins.
    ///
    /// # Errors
    /// An [`UpstreamError`] when the server cannot be reached or refuses; the stream carries errors that come later.
    /// It ends after a finished answer only: one that is cut short ends with [`Problem::Cut`](super::Problem::Cut).
    fn positions(&self, request: PositionRequest) -> Reply<'_, Positions>;

    /// Asks for raw ln p right after a prefix, of the likeliest tokens or of single ones, each of which is in the answer
    /// once.
    ///
    /// # Errors
    /// [`Problem::NotTheTokensAskedFor`](super::Problem::NotTheTokensAskedFor) from a server that does not take single tokens; others as for
    /// [`Self::positions`].
    fn candidates(&self, request: CandidateRequest) -> Reply<'_, Vec<(TokenId, f64)>>;

    /// The server has failed and answers again, so what was learned of its state no longer holds.
    fn came_back(&self) {}

    /// The ids in which the server writes a bare text, names of special tokens in it recognised; `None` where it cannot be asked.
    ///
    /// # Errors
    /// As for [`Self::positions`].
    fn tokenize<'a>(&'a self, _text: &'a str, _caller: &'a Caller) -> Reply<'a, Option<Vec<TokenId>>> {
        Box::pin(async { Ok(None) })
    }

    /// The ids of a chat's prompt as the server itself writes them; `None` where it cannot be asked.
    ///
    /// # Errors
    /// As for [`Self::positions`].
    fn prompt(&self, _chat: Arc<[ChatMessage]>, _caller: Caller) -> Reply<'_, Option<Vec<TokenId>>> {
        Box::pin(async { Ok(None) })
    }
}
