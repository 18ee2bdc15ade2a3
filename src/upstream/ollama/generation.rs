use std::collections::VecDeque;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;

use super::Ollama;
use super::wire::Listed;
use crate::upstream::named::{Entry, Nameless, candidates};
use crate::upstream::position_source::PositionSource;
use crate::upstream::{Position, PositionRequest, Problem, UpstreamError};
use crate::vocabulary::TokenId;

/// A generation, with the end of turn that no stream shows, and with characters of several tokens.
pub struct Generation {
    server: Ollama,
    /// What is left to ask for, from what has been handed out.
    request: PositionRequest,
    listed: BoxStream<'static, Result<Listed, UpstreamError>>,
    /// Bytes of a character that the prefix begins, and that could not be sent.
    begun: Vec<u8>,
    /// Known and not handed out.
    ready: VecDeque<Position>,
}

impl Generation {
    /// What `server` has begun to answer to `request`, whose prefix ends with the bytes `begun` of a character.
    pub fn new(
        server: Ollama,
        request: PositionRequest,
        begun: Vec<u8>,
        listed: BoxStream<'static, Result<Listed, UpstreamError>>,
    ) -> Self {
        Self {
            server,
            request,
            listed,
            begun,
            ready: VecDeque::new(),
        }
    }

    fn entry(&self, entry: &Entry) -> Result<Position, Problem> {
        let tokenizer = &self.server.tokenizer;
        let draft = entry.id(tokenizer).ok_or_else(|| {
            let text = &entry.token;
            Problem::Malformed(format!(
                "its token {text:?} is none of the local vocabulary; do upstream.tokenizer and its model belong together?"
            ))
        })?;
        let candidates = candidates(tokenizer, entry, self.request.top_k, Some(draft), Nameless::End)?;
        Ok(Position { draft, candidates })
    }

    /// The tokens of a text that the host has chosen as a whole, but for those that spell what is begun.
    fn text(&mut self, text: &str) -> Result<(), Problem> {
        let tokenizer = &self.server.tokenizer;
        let tokens = tokenizer
            .encode(text)
            .map_err(|error| Problem::Malformed(error.to_string()))?;
        let mut left = std::mem::take(&mut self.begun);
        for token in tokens {
            let bytes = tokenizer.bytes().get(token);
            match left.strip_prefix(bytes).map(<[u8]>::to_vec) {
                Some(rest) if !left.is_empty() => left = rest,
                _ if left.is_empty() => self.ready.push_back(certain(token)),
                _ => break,
            }
        }
        if left.is_empty() {
            Ok(())
        } else {
            let reason = "it does not go on with the character whose first bytes are picked".to_owned();
            Err(Problem::Unusable { reason })
        }
    }

    /// The position at which the answer stopped.
    async fn end(&mut self) -> Result<Position, UpstreamError> {
        let PositionRequest {
            caller, prefix, top_k, ..
        } = &self.request;
        let draft = self.server.tokenizer.end();
        let candidates = self.server.list(prefix, caller, *top_k, 0.0).await?;
        if candidates.iter().any(|(id, _)| *id == draft) {
            Ok(Position { draft, candidates })
        } else {
            Ok(certain(draft))
        }
    }

    async fn read(&mut self) -> Result<bool, UpstreamError> {
        let Some(listed) = self.listed.next().await.transpose()? else {
            return Ok(false);
        };
        let connection = Arc::clone(&self.server.connection);
        let problem = |problem| connection.problem(problem);
        match listed {
            Listed::Entry(entry) if self.begun.is_empty() => {
                let position = self.entry(&entry).map_err(problem)?;
                self.ready.push_back(position);
            }
            Listed::Entry(entry) => self.text(&entry.token).map_err(problem)?,
            Listed::Text(text) => self.text(&text).map_err(problem)?,
            Listed::Stopped => {
                let end = self.end().await?;
                self.ready.push_back(end);
            }
        }
        Ok(true)
    }
}

/// A position of which nothing is known but what the host chose there.
fn certain(token: TokenId) -> Position {
    Position {
        draft: token,
        candidates: vec![(token, 0.0)],
    }
}

impl PositionSource for Generation {
    async fn next(&mut self) -> Result<Option<Position>, UpstreamError> {
        if self.request.window == 0 {
            return Ok(None);
        }
        while self.ready.is_empty() {
            if !self.read().await? {
                return Ok(None);
            }
        }
        let position = self.ready.pop_front();
        if let Some(position) = &position {
            self.request.window -= 1;
            self.request.prefix.ids.push(position.draft);
        }
        Ok(position)
    }
}
