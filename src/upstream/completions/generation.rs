use std::collections::VecDeque;

use futures::StreamExt;

use super::block::{Block, Next, spells};
use super::driver::{Completions, Opened, foreign};
use crate::upstream::named::Entry;
use crate::upstream::position_source::PositionSource;
use crate::upstream::{Position, PositionRequest, Problem, UpstreamError};
use crate::vocabulary::TokenId;

/// Positions of the first block; each further one has twice as many. A host computes a block to its end, whether it is read or not.
const FIRST_BLOCK: usize = 4;
const LARGEST_BLOCK: usize = 32;

/// A generation across the blocks that it comes in.
pub struct Generation {
    host: Completions,
    /// What is left to ask for, from what has been handed out.
    request: PositionRequest,
    /// The answer that is being read. Of its bytes that come once more, those that have not come.
    opened: Opened,
    /// What has come of it.
    block: Block,
    /// Positions that the next block is to have.
    size: usize,
    /// Bytes of a character that is handed out in part.
    inside: Vec<u8>,
    /// Known and not handed out.
    ready: VecDeque<Position>,
    /// Whether the answer that is being read has brought anything.
    fruitful: bool,
    /// Nothing can follow.
    ended: bool,
}

impl Generation {
    /// Asks `host` for the first block.
    ///
    /// # Errors
    /// As for [`crate::upstream::Upstream::positions`].
    pub async fn begin(host: Completions, request: PositionRequest) -> Result<Self, UpstreamError> {
        let size = if host.host.streams { request.window } else { FIRST_BLOCK };
        let opened = host.open(&request, size.min(request.window)).await?;
        Ok(Self {
            host,
            request,
            block: Block::default(),
            size,
            inside: unfinished(&opened.begun),
            opened,
            ready: VecDeque::new(),
            fruitful: false,
            ended: false,
        })
    }

    fn problem(&self, problem: Problem) -> UpstreamError {
        self.host.connection.problem(problem)
    }

    /// Asks for the next block where this one has reached its limit.
    async fn go_on(&mut self) -> Result<(), UpstreamError> {
        if !std::mem::take(&mut self.fruitful) {
            return Err(self.problem(Problem::NoLogprobs));
        }
        self.size = if self.host.host.streams {
            self.request.window
        } else {
            (2 * self.size).min(LARGEST_BLOCK)
        };
        self.opened = self
            .host
            .open(&self.request, self.size.min(self.request.window))
            .await?;
        self.block = Block::default();
        Ok(())
    }

    /// Reads as much as has come.
    fn take(&mut self) -> Result<(), UpstreamError> {
        let names_sampled = self.host.host.names_sampled;
        let (mut tokens, mut positions) = (Vec::new(), Vec::new());
        loop {
            match self.block.next(&self.host.tokenizer, names_sampled) {
                Next::Named(token, entry) => {
                    tokens.push(token);
                    if !self.is_known(token)? {
                        positions.push(self.position(&entry, Some(token))?);
                    }
                }
                Next::Character(parts) => {
                    for token in parts {
                        if !self.is_known(token)? {
                            positions.push(Position::certain(token));
                        }
                    }
                }
                Next::Last(entry) => positions.push(self.position(&entry, None)?),
                Next::Foreign(text) => return Err(self.problem(foreign(&text))),
                Next::Wait | Next::Nothing => break,
            }
        }
        if self.block.is_without_lists() {
            return Err(self.problem(Problem::NoLogprobs));
        }
        // What follows other tokens than these is of no use. The first position is right in any case.
        if !names_sampled && spells(&tokens, self.block.text(), &self.host.tokenizer).is_err() {
            tracing::debug!("the likeliest tokens are not those that were sampled");
            positions.truncate(1);
            self.block.stopped = false;
        }
        for position in positions {
            self.push(position);
        }
        Ok(())
    }

    /// The position of an entry. `None` for a draft without a name, which is the end of the turn.
    fn position(&self, entry: &Entry, draft: Option<TokenId>) -> Result<Position, UpstreamError> {
        let candidates = self.host.list(entry, self.request.top_k, draft);
        let mut candidates = candidates.map_err(|problem| self.problem(problem))?;
        let end = self.host.tokenizer.end();
        if draft.is_none() {
            candidates.insert(0, (end, entry.logprob));
        }
        let draft = draft.unwrap_or(end);
        Ok(Position { draft, candidates })
    }

    /// Whether the token is of what the prefix ends with.
    fn is_known(&mut self, token: TokenId) -> Result<bool, UpstreamError> {
        if self.opened.begun.is_empty() {
            return Ok(false);
        }
        let rest = self.opened.begun.strip_prefix(self.host.tokenizer.bytes().get(token));
        let reason = "it does not go on with what is picked, of which not all can be sent".to_owned();
        let rest = rest.ok_or_else(|| self.problem(Problem::Unusable { reason }))?.to_vec();
        self.opened.begun = rest;
        Ok(true)
    }

    /// Inside a character, anything but its next part would leave bytes that are no text and cannot be sent.
    fn push(&mut self, mut position: Position) {
        if !self.inside.is_empty() {
            position.candidates.retain(|(id, _)| *id == position.draft);
            if position.candidates.is_empty() {
                position = Position::certain(position.draft);
            }
        }
        self.inside.extend(self.host.tokenizer.bytes().get(position.draft));
        self.inside = unfinished(&self.inside);
        self.ready.push_back(position);
    }

    /// The position at which the answer stopped, where it was not listed: it is asked for alone, because some hosts list it then. With
    /// others, the end is all there is.
    async fn end(&mut self) -> Result<Position, UpstreamError> {
        match self.host.last(&self.request).await? {
            Some(Next::Named(draft, entry)) => self.position(&entry, Some(draft)),
            Some(Next::Last(entry)) => self.position(&entry, None),
            _ => Ok(Position::certain(self.host.tokenizer.end())),
        }
    }

    fn hand_out(&mut self, position: Position) -> Position {
        self.fruitful = true;
        self.ended |= self.host.tokenizer.ends().contains(&position.draft);
        self.request.window -= 1;
        self.request.prefix.ids.push(position.draft);
        position
    }
}

/// The first bytes of a character that `bytes` end with.
fn unfinished(bytes: &[u8]) -> Vec<u8> {
    let whole = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    bytes.get(whole..).unwrap_or_default().to_vec()
}

impl PositionSource for Generation {
    async fn next(&mut self) -> Result<Option<Position>, UpstreamError> {
        while self.request.window > 0 && !self.ended {
            if let Some(position) = self.ready.pop_front() {
                return Ok(Some(self.hand_out(position)));
            }
            if !self.block.finished {
                match self.opened.parts.next().await.transpose()? {
                    Some(part) => self.block.push(part),
                    // What waited for more has to do without.
                    None => self.block.finished = true,
                }
                // At once, because what follows may never be read.
                self.host.remember(&self.opened.prompt, &self.block);
                self.take()?;
            } else if self.block.stopped {
                let position = self.end().await?;
                let position = self.hand_out(position);
                self.ended = true;
                return Ok(Some(position));
            } else {
                self.go_on().await?;
            }
        }
        Ok(None)
    }
}
