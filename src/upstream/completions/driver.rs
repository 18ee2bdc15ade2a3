use std::sync::Arc;

use futures::stream::BoxStream;
use serde_json::{Value, json};

use super::block::{Block, Next, spells};
use super::given::Given;
use super::wire::{Event, Events, Part};
use crate::upstream::connection::{Connection, Endpoint};
use crate::upstream::hosts::{Asking, Host};
use crate::upstream::named::{Entry, Nameless, candidates};
use crate::upstream::prefix_text::PrefixText;
use crate::upstream::reader::read;
use crate::upstream::{Caller, PositionRequest, Prefix, Problem, RequestLimits, UpstreamError};
use crate::vocabulary::{TokenId, Tokenizer};

const COMPLETIONS: Endpoint<'_> = Endpoint::Api("/completions");

/// A host with text completions.
#[derive(Clone)]
pub struct Completions {
    pub(super) connection: Arc<Connection>,
    pub(super) tokenizer: Arc<Tokenizer>,
    pub(super) host: &'static Host,
    /// The model that is asked for where the client names none.
    model: Option<String>,
    /// The longest list that it gives.
    pub(super) longest: usize,
    /// What it has said.
    given: Arc<Given>,
}

/// An answer that has begun.
pub struct Opened {
    /// What comes of it.
    pub parts: BoxStream<'static, Result<Part, UpstreamError>>,
    /// The prompt as it was sent.
    pub prompt: String,
    /// Bytes that the prefix ends with and that were not sent, so that they come once more.
    pub begun: Vec<u8>,
}

/// A public text that a host is tried with.
const TRIAL: &str = "Once upon a time, there was a";
/// Tokens that are tried.
const TRIED: usize = 8;
/// Lengths of lists that hosts allow, the longest first.
const LENGTHS: [usize; 3] = [20, 10, 5];
/// The same position asked for twice differs by less than this, in ln p.
const TOLERANCE: f64 = 0.5;

impl Completions {
    /// Tries how long a list `host` gives, whether its names are those of our vocabulary, and whether it goes on where a text ends.
    /// `model` is the first that it lists.
    ///
    /// # Errors
    /// [`Problem::Unusable`] and [`Problem::NoLogprobs`] when it cannot be used; whatever it says when it cannot be asked.
    pub async fn connect(
        connection: Arc<Connection>,
        tokenizer: Arc<Tokenizer>,
        host: &'static Host,
        model: Option<String>,
        caller: &Caller,
    ) -> Result<Self, UpstreamError> {
        let mut driver = Self {
            connection,
            tokenizer,
            host,
            model: model.filter(|_| host.wants_model),
            longest: host.longest,
            given: Arc::default(),
        };
        let (tokens, lists) = driver.trial(caller).await?;
        let begun = driver.tokenizer.bytes().text(&tokens[..tokens.len() / 2]);
        let next = driver
            .block(&format!("{TRIAL}{begun}"), caller, 1, driver.longest, 0.0)
            .await?;
        let (_, again) = driver.read(next)?;
        let expected = lists.get(tokens.len() / 2);
        let same = expected
            .zip(again.first())
            .is_some_and(|(expected, again)| continues(expected, again));
        if same {
            return Ok(driver);
        }
        let reason = "it does not go on where a text ends; does it put the text into a chat? Use its other API with upstream.driver".to_owned();
        Err(driver.connection.problem(Problem::Unusable { reason }))
    }

    /// A few tokens and their lists, by the longest list that the host takes.
    async fn trial(&mut self, caller: &Caller) -> Result<(Vec<TokenId>, Vec<List>), UpstreamError> {
        let lengths = LENGTHS.into_iter().filter(|length| *length < self.host.longest);
        let mut refusal = None;
        for length in std::iter::once(self.host.longest).chain(lengths) {
            match self.block(TRIAL, caller, TRIED, length, 0.0).await {
                Ok(block) => {
                    let (tokens, lists) = self.read(block)?;
                    self.longest = lists.iter().map(Vec::len).max().unwrap_or(0).min(length);
                    if self.longest < 2 {
                        return Err(self.connection.problem(Problem::NoLogprobs));
                    }
                    return Ok((tokens, lists));
                }
                Err(error) if matches!(error.problem, Problem::Refused { status: 400 | 422, .. }) => {
                    refusal.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refusal.unwrap_or_else(|| self.connection.problem(Problem::NoLogprobs)))
    }

    /// The tokens of a whole answer, and their lists.
    fn read(&self, mut block: Block) -> Result<(Vec<TokenId>, Vec<List>), UpstreamError> {
        let problem = |problem| self.connection.problem(problem);
        let (mut tokens, mut lists) = (Vec::new(), Vec::new());
        loop {
            match block.next(&self.tokenizer, self.host.names_sampled) {
                Next::Named(token, entry) => {
                    tokens.push(token);
                    lists.push(self.list(&entry, self.longest, Some(token)).map_err(problem)?);
                }
                Next::Foreign(text) => return Err(problem(foreign(&text))),
                _ => break,
            }
        }
        if tokens.is_empty() {
            return Err(problem(Problem::NoLogprobs));
        }
        spells(&tokens, block.text(), &self.tokenizer).map_err(problem)?;
        Ok((tokens, lists))
    }

    /// What the host gives at a position.
    pub fn limits(&self) -> RequestLimits {
        RequestLimits {
            longest_list: Some(self.longest),
            by_id: false,
        }
    }

    /// Greedy, with every sampling setting spelled out.
    fn body(&self, caller: &Caller, prompt: &str, positions: usize, count: usize, temperature: f64) -> Value {
        let mut body = json!({
            "prompt": prompt,
            "max_tokens": positions,
            "temperature": temperature,
            "top_p": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "stream": false,
        });
        for (name, value) in self.host.neutral {
            // Some want whole numbers.
            body[name] = if *name == "top_k" {
                json!(*value as u64)
            } else {
                json!(value)
            };
        }
        match self.host.asking {
            Asking::Number => body["logprobs"] = count.into(),
            Asking::Flag => {
                body["logprobs"] = true.into();
                body["top_logprobs"] = count.into();
            }
        }
        if let Some(model) = caller.model.as_ref().or(self.model.as_ref()) {
            body["model"] = model.as_str().into();
        }
        body
    }

    /// An answer in one body.
    pub(super) async fn block(
        &self,
        prompt: &str,
        caller: &Caller,
        positions: usize,
        count: usize,
        temperature: f64,
    ) -> Result<Block, UpstreamError> {
        let body = self.body(caller, prompt, positions, count, temperature);
        let answer: Event = self.connection.ask(COMPLETIONS, &body, caller).await?;
        let part = answer.part().map_err(|problem| self.connection.problem(problem))?;
        let mut block = Block::default();
        if let Some((part, _)) = part {
            block.push(part);
        }
        block.finished = true;
        self.remember(prompt, &block);
        Ok(block)
    }

    /// Asks for `positions` after what `request` has as its prefix.
    pub(super) async fn open(&self, request: &PositionRequest, positions: usize) -> Result<Opened, UpstreamError> {
        let mut sent = request.prefix.clone();
        let mut held = Vec::new();
        let mut text = self.text(&sent)?;
        // A token that is held back comes once more, because the host itself went on with it.
        while self.is_feared(&text.text)
            && let Some(last) = sent.picked().last()
        {
            held.push(*last);
            sent.ids.pop();
            text = self.text(&sent)?;
        }
        let PrefixText { text, mut begun } = text;
        let positions = positions + begun.len() + held.len();
        for token in held.into_iter().rev() {
            begun.extend(self.tokenizer.bytes().get(token));
        }
        let count = request.top_k.min(self.longest);
        let mut body = self.body(&request.caller, &text, positions, count, 0.0);
        body["stream"] = self.host.streams.into();
        let deadline = self.connection.first_token_deadline();
        let response = self
            .connection
            .post(COMPLETIONS, &body, &request.caller, deadline)
            .await?;
        Ok(Opened {
            parts: read(response, &self.connection, deadline, Events),
            prompt: text,
            begun,
        })
    }

    /// Whether the host must not be sent this text.
    pub(super) fn is_feared(&self, text: &str) -> bool {
        self.host.fears_its_words && self.given.has(text)
    }

    /// The host has gone on from `prompt` with what is in `block`.
    pub(super) fn remember(&self, prompt: &str, block: &Block) {
        if self.host.fears_its_words {
            self.given.remember(prompt, block.text());
        }
    }

    pub(super) fn text(&self, prefix: &Prefix) -> Result<PrefixText, UpstreamError> {
        let text = PrefixText::new(prefix, &self.tokenizer);
        text.map_err(|problem| self.connection.problem(problem))
    }

    /// The next position alone; `None` where the host lists nothing there.
    pub(super) async fn last(&self, request: &PositionRequest) -> Result<Option<Next>, UpstreamError> {
        let PrefixText { text, .. } = self.text(&request.prefix)?;
        if self.is_feared(&text) {
            return Ok(None);
        }
        let count = request.top_k.min(self.longest);
        let mut block = self.block(&text, &request.caller, 1, count, 0.0).await?;
        Ok(match block.next(&self.tokenizer, self.host.names_sampled) {
            next @ (Next::Named(..) | Next::Last(_)) => Some(next),
            _ => None,
        })
    }

    /// A list as ids, as long as it is, but no longer than `count`.
    pub(super) fn list(&self, entry: &Entry, count: usize, draft: Option<TokenId>) -> Result<List, Problem> {
        let count = count.min(entry.top_logprobs.len());
        candidates(&self.tokenizer, entry, count, draft, Nameless::Unknown)
    }
}

pub type List = Vec<(TokenId, f64)>;

/// What to say of a name that is no token here.
pub fn foreign(text: &str) -> Problem {
    Problem::Malformed(format!(
        "its token {text:?} is none of the local vocabulary; do upstream.tokenizer and its model belong together?"
    ))
}

/// Whether two lists are of one position.
fn continues(expected: &List, again: &List) -> bool {
    let Some((token, logprob)) = expected.first() else {
        return false;
    };
    let found = again.iter().find(|(other, _)| other == token);
    found.is_some_and(|(_, other)| (logprob - other).abs() < TOLERANCE)
}
