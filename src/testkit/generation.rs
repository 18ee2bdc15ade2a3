use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use super::error::Refusal;
use super::logprobs::{LogprobSelection, log_softmax, top};
use super::server::DemoServer;
use super::slots::Sequence;
use crate::steering::{Adjustments, Candidate, Candidates, Delta, Rule, Sampling, Scorer, Strength};
use crate::vocabulary::{TextStream, TokenId};
use crate::wire::Usage;

/// A generation in progress; dropping it stops it at the next token.
pub struct Generation {
    sequence: Sequence,
    /// What is written before the model's own next token.
    script: VecDeque<TokenId>,
    sampling: Sampling,
    selection: LogprobSelection,
    left: usize,
    prompt_tokens: u64,
    position: u64,
    text: TextStream,
    /// The last token, which the sequence has not been fed.
    unfed: Option<TokenId>,
    finished: bool,
}

/// One generated token.
pub struct Generated {
    /// The token.
    pub token: TokenId,
    /// Text that became certain with it, in whole characters.
    pub text: String,
    /// Its raw ln p.
    pub logprob: f32,
    /// The candidates that were asked for, with their raw ln p; `None` where none were.
    pub top: Option<Vec<(TokenId, f32)>>,
    /// `stop` or `length` on the last token.
    pub finish_reason: Option<&'static str>,
}

impl Generation {
    /// Starts after `prompt`, for at most `max_tokens` tokens (the end of turn counts, as in vLLM).
    ///
    /// # Errors
    /// 400 in vLLM's words when the prompt does not fit.
    pub async fn start(
        server: &DemoServer,
        prompt: &[TokenId],
        max_tokens: usize,
        selection: LogprobSelection,
        sampling: Sampling,
    ) -> Result<Self, Refusal> {
        let window = server.context_length;
        let room = window.saturating_sub(prompt.len());
        if room == 0 {
            return Err(Refusal::bad(
                "input_tokens",
                format!(
                    "This model's maximum context length is {window} tokens. However, your prompt contains {} input \
                     tokens. Please reduce the length of the prompt.",
                    prompt.len()
                ),
            ));
        }
        let thoughtful = server.thoughtful(prompt);
        Ok(Self {
            sequence: server.slots.open(&thoughtful.prompt).await?,
            script: thoughtful.script,
            sampling,
            selection,
            left: max_tokens.min(room),
            prompt_tokens: prompt.len() as u64,
            position: 0,
            text: TextStream::default(),
            unfed: None,
            finished: false,
        })
    }

    /// Tokens of the prompt, and of the answer so far.
    pub fn usage(&self) -> Usage {
        Usage {
            prompt_tokens: self.prompt_tokens,
            completion_tokens: self.position,
            reasoning_tokens: None,
        }
    }

    /// The next token; `None` after the last.
    ///
    /// # Errors
    /// 500 when the engine failed.
    pub async fn next(&mut self, server: &DemoServer) -> Result<Option<Generated>, Refusal> {
        if self.finished {
            return Ok(None);
        }
        server.pacing.token().await;
        // Not before somebody wants what comes after it: a client that goes on with another token instead leaves by now,
        // and finds the sequence where it needs it.
        if let Some(token) = self.unfed.take() {
            self.sequence.feed(token);
        }
        let scripted = self.script.pop_front();
        let (token, logprobs) = match scripted {
            Some(token) => (token, log_softmax(&sure_of(token, server.rows))),
            None => {
                let logits = self.sequence.logits().await?;
                let token = choose(logits, &self.sampling, self.position, server.tokenizer.selectable());
                (token, log_softmax(logits))
            }
        };
        server.generated.fetch_add(1, Ordering::Relaxed);
        let ends = server.tokenizer.ends().contains(&token);
        self.left = self.left.saturating_sub(1);
        self.position += 1;
        let finish_reason = match (ends, self.left) {
            (true, _) => Some("stop"),
            (false, 0) => Some("length"),
            _ => None,
        };
        self.finished = finish_reason.is_some();
        let mut text = self.text.push(server.tokenizer.bytes().get(token));
        if self.finished {
            text.push_str(&self.text.finish());
        } else {
            // The model does not read what is scripted.
            self.unfed = Some(token).filter(|_| scripted.is_none());
        }
        Ok(Some(Generated {
            token,
            text,
            logprob: logprobs.get(token.index()).copied().unwrap_or(f32::NEG_INFINITY),
            top: self.selection.select(&logprobs),
            finish_reason,
        }))
    }
}

/// Logits of a model that is all but certain of its next token.
fn sure_of(token: TokenId, rows: usize) -> Vec<f32> {
    let mut logits = vec![0.0; rows];
    if let Some(logit) = logits.get_mut(token.index()) {
        *logit = 20.0;
    }
    logits
}

/// Greedy is the plain argmax over all rows, as in any server; drawing goes through the sampler of the proxy, unsteered.
fn choose(logits: &[f32], sampling: &Sampling, position: u64, selectable: &[bool]) -> TokenId {
    let greedy = || top(logits, 1).first().map_or(TokenId(0), |(id, _)| *id);
    if sampling.temperature == 0.0 {
        return greedy();
    }
    let all = logits.iter().enumerate().map(|(index, logit)| Candidate {
        index,
        logprob: f64::from(*logit),
    });
    let drawn = Strength::new(0.0).and_then(|strength| {
        let rule = Rule {
            strength,
            delta_floor: 0.0,
            plausibility: 0.0,
            cap: None,
        };
        let scorer = Scorer {
            candidates: &Candidates::new(all.collect()),
            delta: &Delta::none(),
            rule: &rule,
            adjustments: &Adjustments::default(),
            selectable,
        };
        let policy = scorer.policy();
        let scored = sampling.pick(&policy, position)?;
        u32::try_from(scored.candidate.index).ok().map(TokenId)
    });
    drawn.unwrap_or_else(greedy)
}
