//! The big model's servers. Everything here is public by construction: this room cannot name the private context.
//!
//! A driver (`vllm`, `llamacpp`, `sglang`, `openai_chat`) turns a prefix of token ids into a stream of [`Position`]s: what
//! the server proposes at each position, and the most likely candidates there, conditioned on its own proposals so far.
//! [`Server`] finds out which driver a server needs; [`Replicas`] chooses among servers and goes on where one fails.

mod affinity;
mod connection;
mod describe;
mod error;
mod failover;
mod health;
mod llamacpp;
mod openai_chat;
mod probe;
mod ranking;
mod reader;
mod refusal;
mod replicas;
mod server;
mod sglang;
mod vllm;

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use reqwest::header::{HeaderMap, HeaderValue};

pub use affinity::Affinity;
pub use connection::{Connection, Forwarded, Timeouts, bearer, is_this_machine};
pub use describe::{Description, ServedModel};
pub use error::{Problem, UpstreamError};
pub use refusal::MOST_ERROR_BYTES;
pub use replicas::{Replicas, Retries};
pub use server::{Driver, Server};

use crate::vocabulary::{ChatMessage, TokenId};

/// One position of the upstream's own continuation.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The token the upstream continues with by itself; later positions of the same stream are conditioned on it.
    pub draft: TokenId,
    /// The most likely tokens with their raw ln p, likeliest first; at most as many as were asked for. A greedy draft is
    /// among them.
    pub candidates: Vec<(TokenId, f64)>,
}

impl Position {
    /// The upstream's own likeliest token there.
    pub fn best(&self) -> TokenId {
        self.candidates.first().map_or(self.draft, |(id, _)| *id)
    }
}

/// On whose behalf the upstream is asked: what all requests of one session share.
#[derive(Clone, Default)]
pub struct Caller {
    /// The model's name, as the client wrote it.
    pub model: Option<String>,
    /// The client's own `Authorization` header, used where no key is configured.
    pub authorization: Option<HeaderValue>,
    /// Headers that name the request for those who follow it through several servers.
    pub trace: HeaderMap,
    /// Which session it is, for servers and proxies that keep a cache.
    pub affinity: Affinity,
}

/// What the upstream is to continue: prompt and picked tokens.
#[derive(Clone)]
pub struct Prefix {
    /// The chat that the prompt spells, for servers that take no ids.
    pub chat: Arc<[ChatMessage]>,
    /// Ids of the prompt, then of the picked tokens.
    pub ids: Vec<TokenId>,
    /// How many of them are the prompt's.
    pub prompt: usize,
}

impl Prefix {
    /// The prompt of `chat`, with nothing picked.
    pub fn new(chat: Arc<[ChatMessage]>, ids: Vec<TokenId>) -> Self {
        Self {
            chat,
            prompt: ids.len(),
            ids,
        }
    }

    /// The tokens after the prompt.
    pub fn picked(&self) -> &[TokenId] {
        self.ids.get(self.prompt..).unwrap_or_default()
    }
}

/// What to ask for.
#[derive(Clone)]
pub struct PositionRequest {
    /// Who asks.
    pub caller: Caller,
    /// What to continue.
    pub prefix: Prefix,
    /// The most positions to generate.
    pub window: usize,
    /// How many candidates each position should list.
    pub top_k: usize,
}

/// What to ask for at a single position.
#[derive(Clone)]
pub struct CandidateRequest {
    /// Who asks.
    pub caller: Caller,
    /// What stands before the position.
    pub prefix: Prefix,
    /// Which tokens.
    pub wanted: Wanted,
    /// The temperature the server samples at. It changes nothing of raw numbers, which is how one finds out whether they are.
    pub temperature: f64,
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
    /// It ends after a finished answer only: one that is cut short ends with [`Problem::Cut`].
    fn positions(&self, request: PositionRequest) -> BoxFuture<'_, Result<Positions, UpstreamError>>;

    /// Asks for raw ln p right after a prefix, of the likeliest tokens or of single ones, each of which is in the answer
    /// once.
    ///
    /// # Errors
    /// [`Problem::NotTheTokensAskedFor`] from a server that does not take single tokens; others as for
    /// [`Self::positions`].
    fn candidates(&self, request: CandidateRequest) -> BoxFuture<'_, Result<Vec<(TokenId, f64)>, UpstreamError>>;

    /// The ids in which the server writes a bare text; `None` where it cannot be asked.
    ///
    /// # Errors
    /// As for [`Self::positions`].
    fn tokenize<'a>(
        &'a self,
        _text: &'a str,
        _caller: &'a Caller,
    ) -> BoxFuture<'a, Result<Option<Vec<TokenId>>, UpstreamError>> {
        Box::pin(async { Ok(None) })
    }

    /// The ids of a chat's prompt as the server itself writes them; `None` where it cannot be asked.
    ///
    /// # Errors
    /// As for [`Self::positions`].
    fn prompt(
        &self,
        _chat: Arc<[ChatMessage]>,
        _caller: Caller,
    ) -> BoxFuture<'_, Result<Option<Vec<TokenId>>, UpstreamError>> {
        Box::pin(async { Ok(None) })
    }
}
