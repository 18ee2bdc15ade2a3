use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;

use super::OpenaiChat;
use super::wire::Listed;
use crate::upstream::named::{Entry, Nameless, candidates};
use crate::upstream::position_source::PositionSource;
use crate::upstream::{Position, PositionRequest, Problem, UpstreamError};
use crate::vocabulary::{TokenId, Tokenizer};

/// A generation, with the end of turn that most hosts do not show.
pub struct Generation {
    host: OpenaiChat,
    /// What is left to ask for, from what has been handed out.
    request: PositionRequest,
    listed: BoxStream<'static, Result<Listed, UpstreamError>>,
    /// The last entry, where it cannot be named: the end of turn, if the answer ends with it, or else a part of a character.
    nameless: Option<Entry>,
    /// Nothing can follow.
    ended: bool,
}

impl Generation {
    /// What `host` has begun to answer to `request`.
    pub fn new(
        host: OpenaiChat,
        request: PositionRequest,
        listed: BoxStream<'static, Result<Listed, UpstreamError>>,
    ) -> Self {
        Self {
            host,
            request,
            listed,
            nameless: None,
            ended: false,
        }
    }

    fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.host.tokenizer
    }

    fn problem(&self, problem: Problem) -> UpstreamError {
        self.host.connection.problem(problem)
    }

    /// A position whose sampled token can be named; `None` where it may be the end of turn.
    fn position(&self, entry: &Entry) -> Result<Option<Position>, Problem> {
        let Some(draft) = entry.id(self.tokenizer()) else {
            let text = &entry.token;
            return if text.is_empty() {
                Ok(None)
            } else {
                Err(Problem::Malformed(format!(
                    "its token {text:?} is none of the local vocabulary; do upstream.tokenizer and its model belong together?"
                )))
            };
        };
        let candidates = candidates(
            self.tokenizer(),
            entry,
            self.request.top_k,
            Some(draft),
            Nameless::Unknown,
        )?;
        Ok(Some(Position { draft, candidates }))
    }

    /// The position at which the answer stopped, after the stream has said so. Where it did not list that position, it is asked
    /// for alone: an answer in one body has it with most hosts. With others, the end is all there is.
    async fn end(&mut self) -> Result<Position, UpstreamError> {
        let entry = match self.nameless.take() {
            Some(entry) => Some(entry),
            None => self.host.entry(&self.request).await?,
        };
        let end = self.tokenizer().end();
        let Some(entry) = entry else {
            return Ok(certain(end));
        };
        let problem = |problem| self.problem(problem);
        if let Some(position) = self.position(&entry).map_err(problem)? {
            return Ok(position);
        }
        let mut candidates =
            candidates(self.tokenizer(), &entry, self.request.top_k, None, Nameless::Unknown).map_err(problem)?;
        candidates.insert(0, (end, entry.logprob));
        Ok(Position { draft: end, candidates })
    }

    fn hand_out(&mut self, position: Position) -> Position {
        self.ended = self.tokenizer().ends().contains(&position.draft);
        self.request.window -= 1;
        self.request.prefix.ids.push(position.draft);
        position
    }
}

/// A position of which nothing is known but what the host said there.
fn certain(token: TokenId) -> Position {
    Position {
        draft: token,
        candidates: vec![(token, 0.0)],
    }
}

impl PositionSource for Generation {
    async fn next(&mut self) -> Result<Option<Position>, UpstreamError> {
        while self.request.window > 0 && !self.ended {
            let Some(listed) = self.listed.next().await.transpose()? else {
                return Ok(None);
            };
            let entry = match listed {
                Listed::Entry(entry) => entry,
                Listed::Stopped => {
                    let position = self.end().await?;
                    let position = self.hand_out(position);
                    self.ended = true;
                    return Ok(Some(position));
                }
            };
            if self.nameless.is_some() {
                return Err(self.problem(Problem::Unusable {
                    reason: "it does not show the bytes of tokens that are part of a character".into(),
                }));
            }
            match self.position(&entry).map_err(|problem| self.problem(problem))? {
                Some(position) => return Ok(Some(self.hand_out(position))),
                None => self.nameless = Some(entry),
            }
        }
        Ok(None)
    }
}
