//! The big model's server. Everything here is public by construction: this room cannot name the private context.
//!
//! A driver turns a prefix of token ids into a stream of [`Position`]s: what the server proposes at each position, and
//! the most likely candidates there, conditioned on its own proposals so far.

mod error;
mod reader;
mod vllm;
mod wire;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use reqwest::header::HeaderValue;

pub use error::{UpstreamError, innermost};
pub use vllm::{Timeouts, Vllm};

use crate::vocabulary::TokenId;

/// One position of the upstream's own continuation.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The token the upstream continues with by itself; later positions of the same stream are conditioned on it.
    pub draft: TokenId,
    /// The most likely tokens with their raw ln p, likeliest first; at most as many as were asked for. A greedy draft is
    /// among them.
    pub candidates: Vec<(TokenId, f64)>,
}

/// What to ask for.
#[derive(Clone)]
pub struct PositionRequest {
    /// The model's name, as the client wrote it.
    pub model: Option<String>,
    /// The client's own `Authorization` header, used where no key is configured.
    pub authorization: Option<HeaderValue>,
    /// Prompt and picked tokens.
    pub prefix: Vec<TokenId>,
    /// The most positions to generate.
    pub window: usize,
    /// How many candidates each position should list.
    pub top_k: usize,
}

/// What to ask for at a single position.
pub struct CandidateRequest {
    /// The model's name, as the client wrote it.
    pub model: Option<String>,
    /// The client's own `Authorization` header, used where no key is configured.
    pub authorization: Option<HeaderValue>,
    /// Prompt and picked tokens.
    pub prefix: Vec<TokenId>,
    /// Which tokens.
    pub wanted: Wanted,
}

/// Tokens whose ln p is wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// As many of the likeliest.
    Likeliest(usize),
    /// Exactly these. What is asked for tells the server which tokens matter to somebody.
    Tokens(Vec<TokenId>),
}

/// Positions as they arrive. Dropping the stream aborts the generation at the server.
pub type Positions = BoxStream<'static, Result<Position, UpstreamError>>;

/// A server that can continue a prefix of token ids and show its log-probabilities.
pub trait Upstream: Send + Sync {
    /// Asks the server to continue greedily from the prefix; resolves when its answer begins.
    ///
    /// # Errors
    /// An [`UpstreamError`] when the server cannot be reached or refuses; the stream carries errors that come later.
    /// It ends after a finished answer only: one that is cut short ends with [`UpstreamError::Cut`].
    fn positions(&self, request: PositionRequest) -> BoxFuture<'_, Result<Positions, UpstreamError>>;

    /// Asks for raw ln p right after a prefix, of the likeliest tokens or of single ones, each of which is in the answer
    /// once.
    ///
    /// # Errors
    /// [`UpstreamError::NotTheTokensAskedFor`] from a server that does not take single tokens; others as for
    /// [`Self::positions`].
    fn candidates(&self, request: CandidateRequest) -> BoxFuture<'_, Result<Vec<(TokenId, f64)>, UpstreamError>>;
}
