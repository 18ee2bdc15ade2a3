use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use reqwest::header::HeaderValue;

use super::{DecodeError, Report};
use crate::local::{BranchPair, LocalModel};
use crate::steering::{Candidate, Certificate, Delta, Policy, Rule, Sampling, certify};
use crate::upstream::{Position, PositionRequest, Positions, Upstream, UpstreamError};
use crate::vocabulary::{TextStream, TokenId, Tokenizer};

/// How far a session may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Tokens of the answer, the end of turn not counted.
    pub max_tokens: usize,
    /// Positions to ask of the upstream in one request; 1 is the paper's protocol.
    pub lookahead: usize,
    /// Candidates to ask for at each position.
    pub top_k: usize,
}

/// Everything that defines a steered generation.
pub struct Plan {
    /// The model to ask for at the upstream, as the client named it.
    pub model: Option<String>,
    /// The client's own `Authorization` header.
    pub authorization: Option<HeaderValue>,
    /// The upstream's prompt.
    pub upstream_prompt: Vec<TokenId>,
    /// Strength and its companions.
    pub rule: Rule,
    /// Greedy or drawn.
    pub sampling: Sampling,
    /// Bounds.
    pub limits: Limits,
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The end-of-turn token was picked.
    Stop,
    /// The token limit or a model's window was reached.
    Length,
}

/// A token that was picked.
#[derive(Clone, Debug)]
pub struct Picked {
    /// The token.
    pub token: TokenId,
    /// The upstream's own likeliest token there.
    pub upstream_best: TokenId,
}

/// What a session yields.
#[derive(Clone, Debug)]
pub struct Event {
    /// The token of this position.
    pub picked: Picked,
    /// The text that became certain with it, in whole characters; often empty inside a character.
    pub text: String,
    /// Set on the last event.
    pub finish: Option<Finish>,
}

/// A steered generation in progress. Dropping it ends the work at the upstream and frees the lane.
pub struct Session {
    upstream: Arc<dyn Upstream>,
    tokenizer: Arc<Tokenizer>,
    branches: Box<dyn BranchPair>,
    plan: Plan,
    /// Prompt and picked tokens: all that is needed to ask the upstream again, anywhere.
    prefix: Vec<TokenId>,
    picked: usize,
    stream: Option<Stream>,
    text: TextStream,
    report: Report,
    started: Instant,
    finished: bool,
}

/// An open continuation of the upstream.
struct Stream {
    positions: Positions,
    delivered: bool,
}

impl Session {
    /// Opens both branches, which start on their prompts at once, while the first request to the upstream is still to
    /// be sent.
    ///
    /// # Errors
    /// [`DecodeError::Local`] when no lane is free or the local model refuses.
    pub async fn open(
        upstream: Arc<dyn Upstream>,
        local: &dyn LocalModel,
        tokenizer: Arc<Tokenizer>,
        public: &[TokenId],
        private: &[TokenId],
        plan: Plan,
    ) -> Result<Self, DecodeError> {
        let started = Instant::now();
        let branches = local.open(public, private).await?;
        Ok(Self {
            upstream,
            tokenizer,
            branches,
            prefix: plan.upstream_prompt.clone(),
            plan,
            picked: 0,
            stream: None,
            text: TextStream::default(),
            report: Report::default(),
            started,
            finished: false,
        })
    }

    /// The next token; `None` after the last.
    ///
    /// # Errors
    /// A [`DecodeError`]; nothing comes after it.
    pub async fn next(&mut self) -> Result<Option<Event>, DecodeError> {
        if self.finished {
            return Ok(None);
        }
        // Whatever goes wrong below ends the session.
        self.finished = true;
        let waiting = Instant::now();
        let position = self.next_position().await?;
        self.report.time.upstream_wait += waiting.elapsed();
        let picked = self.pick(&position).await?;
        if picked.token != position.draft {
            // What the upstream goes on with is conditioned on a token we did not take.
            self.stream = None;
        }
        let event = self.take(picked);
        self.finished = event.finish.is_some();
        if event.finish.is_none() {
            self.branches.feed(event.picked.token);
        }
        self.report.time.total = self.started.elapsed();
        if self.report.positions == 1 {
            self.report.time.first_token = self.report.time.total;
        }
        Ok(Some(event))
    }

    /// Length of the upstream's prompt.
    pub fn prompt_tokens(&self) -> usize {
        self.plan.upstream_prompt.len()
    }

    /// What the session cost and did so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    async fn next_position(&mut self) -> Result<Position, DecodeError> {
        loop {
            let stream = match &mut self.stream {
                Some(stream) => stream,
                None => self.stream.insert(Stream {
                    positions: self.upstream.positions(self.request()).await?,
                    delivered: false,
                }),
            };
            match stream.positions.next().await.transpose()? {
                Some(position) => {
                    if !stream.delivered {
                        stream.delivered = true;
                        self.report.upstream_requests += 1;
                    }
                    return Ok(position);
                }
                // The window is used up: go on from the prefix. An answer without any position would repeat for ever.
                None if stream.delivered => self.stream = None,
                None => return Err(UpstreamError::NoLogprobs.into()),
            }
        }
    }

    fn request(&self) -> PositionRequest {
        let left = self.plan.limits.max_tokens.saturating_sub(self.picked);
        PositionRequest {
            model: self.plan.model.clone(),
            authorization: self.plan.authorization.clone(),
            prefix: self.prefix.clone(),
            window: self.plan.limits.lookahead.min(left).max(1),
            top_k: self.plan.limits.top_k,
        }
    }

    /// Waits for the branches and picks the token of `position`.
    async fn pick(&mut self, position: &Position) -> Result<Picked, DecodeError> {
        let waiting = Instant::now();
        let step = self.branches.logits().await?;
        let computing = Instant::now();
        self.report.time.local_wait += computing - waiting;
        self.report.time.local_compute += step.public.compute.max(step.private.compute);

        let rule = &self.plan.rule;
        let selectable = self.tokenizer.selectable();
        let delta = Delta::new(&step.private.logits, &step.public.logits, rule.delta_floor)?;
        let listed: Vec<Candidate> = position
            .candidates
            .iter()
            .map(|(id, logprob)| Candidate {
                index: id.index(),
                logprob: *logprob,
            })
            .collect();
        let policy = Policy::new(&listed, &delta, rule, selectable);
        let chosen = self
            .plan
            .sampling
            .pick(&policy, self.picked as u64)
            .ok_or(DecodeError::NoCandidate)?;
        match certify(&policy, &listed, &delta, rule, selectable) {
            Certificate::Certified => self.report.certified += 1,
            Certificate::Uncertified => self.report.uncertified += 1,
        }
        let picked = Picked {
            token: token_of(chosen.candidate.index),
            upstream_best: position.candidates.first().map_or(position.draft, |(id, _)| *id),
        };
        self.report.time.arithmetic += computing.elapsed();
        Ok(picked)
    }

    /// Books the picked token and turns it into an event.
    fn take(&mut self, picked: Picked) -> Event {
        self.report.positions += 1;
        self.report.changed += u64::from(picked.token != picked.upstream_best);
        let ends = self.tokenizer.ends().contains(&picked.token);
        if !ends {
            self.prefix.push(picked.token);
            self.picked += 1;
        }
        let finish = if ends {
            Some(Finish::Stop)
        } else if self.picked >= self.plan.limits.max_tokens {
            Some(Finish::Length)
        } else {
            None
        };
        let mut text = if ends {
            String::new()
        } else {
            self.text.push(self.tokenizer.bytes().get(picked.token))
        };
        if finish.is_some() {
            text.push_str(&self.text.finish());
        }
        Event { picked, text, finish }
    }
}

/// Candidates come from ids, so their index fits one.
fn token_of(index: usize) -> TokenId {
    TokenId(u32::try_from(index).unwrap_or(u32::MAX))
}
