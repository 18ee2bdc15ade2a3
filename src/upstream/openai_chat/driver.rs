use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};

use super::wire::{Event, Events, Listed};
use crate::upstream::connection::{Connection, Endpoint};
use crate::upstream::named::{Entry, Nameless, candidates};
use crate::upstream::position_source::{PositionSource, stream};
use crate::upstream::reader::read;
use crate::upstream::{
    Caller, CandidateQuery, CandidateRequest, Position, PositionRequest, Positions, Prefix, Problem, Reply,
    RequestLimits, Upstream, UpstreamError,
};
use crate::vocabulary::{ChatMessage, Role, TokenId, Tokenizer};

const CHAT: Endpoint<'_> = Endpoint::Api("/chat/completions");

/// The host's own limit shows when it is exceeded.
pub const LIMITS: RequestLimits = RequestLimits {
    longest_list: None,
    by_id: false,
};

/// A host with chat completions only.
#[derive(Clone)]
pub struct OpenaiChat {
    pub(super) connection: Arc<Connection>,
    pub(super) tokenizer: Arc<Tokenizer>,
    continuation: Continuation,
}

/// How a host is told to go on with the assistant's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Continuation {
    /// vLLM, SGLang: `continue_final_message`, with `add_generation_prompt` off.
    ContinueFinalMessage,
    /// DeepSeek, Mistral: `prefix` on the message.
    Prefix,
    /// Not at all: the host goes on by itself.
    Bare,
}

impl OpenaiChat {
    /// Tries how the host continues a message.
    ///
    /// # Errors
    /// [`Problem::Unusable`] when it does not; whatever it says when it cannot be asked.
    pub async fn connect(
        connection: Arc<Connection>,
        tokenizer: Arc<Tokenizer>,
        caller: &Caller,
    ) -> Result<Self, UpstreamError> {
        let mut host = Self {
            connection,
            tokenizer,
            continuation: Continuation::ContinueFinalMessage,
        };
        let question = ChatMessage::new(Role::User, "Please introduce yourself in three sentences.");
        let chat: Arc<[ChatMessage]> = Arc::new([question]);
        let whole = host.first_tokens(&chat, "", caller, TRIED).await?;
        let Some((begun, expected)) = whole.split_at_checked(TRIED / 2).filter(|(_, rest)| !rest.is_empty()) else {
            return Err(host.unusable("its answer to a test question was too short to try a continuation on"));
        };
        let begun: String = begun.iter().map(|entry| entry.token.as_str()).collect();
        let mut refusal = None;
        for continuation in [
            Continuation::ContinueFinalMessage,
            Continuation::Prefix,
            Continuation::Bare,
        ] {
            host.continuation = continuation;
            match host.first_tokens(&chat, &begun, caller, 1).await {
                Ok(next) if continues(expected, &next) => return Ok(host),
                Ok(_) => {}
                // Hosts refuse fields they do not know.
                Err(error) if matches!(error.problem, Problem::Refused { status: 400 | 422, .. }) => {
                    refusal = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        let said = refusal.map_or_else(String::new, |error| format!(" (it also said: {})", error.problem));
        Err(host.unusable(&format!(
            "it does not continue an assistant's message but starts a new turn, which would answer another \
             question{said}. Use a server that takes token ids (vLLM, llama.cpp, SGLang), or a host with a prefix or prefill \
             feature"
        )))
    }

    async fn first_tokens(
        &self,
        chat: &[ChatMessage],
        begun: &str,
        caller: &Caller,
        count: usize,
    ) -> Result<Vec<Entry>, UpstreamError> {
        let body = self.body(chat, begun, caller, count, 1);
        let answer: Event = self.connection.ask(CHAT, &body, caller).await?;
        answer
            .entries()
            .ok_or_else(|| self.connection.problem(Problem::NoLogprobs))
    }

    fn body(&self, chat: &[ChatMessage], begun: &str, caller: &Caller, positions: usize, candidates: usize) -> Value {
        let mut messages: Vec<Value> = chat.iter().map(|message| json!(message)).collect();
        let mut body = json!({
            "max_tokens": positions,
            "logprobs": true,
            "top_logprobs": candidates,
            "temperature": 0.0,
            "top_p": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
        });
        if let Some(model) = &caller.model {
            body["model"] = model.as_str().into();
        }
        // A server that does not know them says so: thoughts that were switched off must not come as an answer.
        caller.add_template_options(&mut body);
        // With an empty message, some servers leave out the header of the assistant's turn.
        if !begun.is_empty() {
            let mut message = json!({"role": "assistant", "content": begun});
            match self.continuation {
                Continuation::ContinueFinalMessage => {
                    body["continue_final_message"] = true.into();
                    body["add_generation_prompt"] = false.into();
                }
                Continuation::Prefix => message["prefix"] = true.into(),
                Continuation::Bare => {}
            }
            messages.push(message);
        }
        body["messages"] = messages.into();
        body
    }

    /// What the assistant has said so far, the picked tokens as text included, which must end with a whole character.
    fn begun(&self, prefix: &Prefix) -> Result<String, Problem> {
        if prefix.chat.is_empty() {
            return Err(Problem::Unusable {
                reason: "it takes chats only, and this is a text to be completed".into(),
            });
        }
        let picked = prefix.picked().iter().flat_map(|id| self.tokenizer.bytes().get(*id));
        let bytes: Vec<u8> = prefix.begun.as_bytes().iter().chain(picked).copied().collect();
        String::from_utf8(bytes).map_err(|_| Problem::Unusable {
            reason: "it takes text only, and the picked tokens end inside a character".into(),
        })
    }

    async fn stream(&self, request: PositionRequest) -> Result<Positions, UpstreamError> {
        let begun = self
            .begun(&request.prefix)
            .map_err(|problem| self.connection.problem(problem))?;
        let mut body = self.body(
            &request.prefix.chat,
            &begun,
            &request.caller,
            request.window,
            request.top_k,
        );
        body["stream"] = true.into();
        let deadline = self.connection.first_token_deadline();
        let response = self.connection.post(CHAT, &body, &request.caller, deadline).await?;
        let listed = read(response, &self.connection, deadline, Events);
        Ok(stream(Generation::new(self.clone(), request, listed)))
    }

    /// The next position alone, in one body; `None` where the host lists nothing there.
    ///
    /// # Errors
    /// As for [`Connection::ask`].
    pub(super) async fn entry(&self, request: &PositionRequest) -> Result<Option<Entry>, UpstreamError> {
        let begun = self.begun(&request.prefix);
        let begun = begun.map_err(|problem| self.connection.problem(problem))?;
        let body = self.body(&request.prefix.chat, &begun, &request.caller, 1, request.top_k);
        let answer: Event = self.connection.ask(CHAT, &body, &request.caller).await?;
        Ok(answer.entries().into_iter().flatten().next())
    }

    async fn single(&self, request: CandidateRequest) -> Result<Vec<(TokenId, f64)>, UpstreamError> {
        let problem = |problem| self.connection.problem(problem);
        let count = match &request.wanted {
            CandidateQuery::Likeliest(count) => *count,
            CandidateQuery::Tokens(tokens) => {
                let asked = tokens.len();
                return Err(problem(Problem::NotTheTokensAskedFor { asked, given: 0 }));
            }
        };
        let begun = self.begun(&request.prefix).map_err(problem)?;
        let mut body = self.body(&request.prefix.chat, &begun, &request.caller, 1, count);
        body["temperature"] = request.temperature.into();
        let answer: Event = self.connection.ask(CHAT, &body, &request.caller).await?;
        let entry = answer.entries().unwrap_or_default().into_iter().next();
        let entry = entry.ok_or_else(|| problem(Problem::NoLogprobs))?;
        let count = count.min(entry.top_logprobs.len());
        // The draft is known from the position's own list.
        candidates(&self.tokenizer, &entry, count, None, Nameless::Unknown).map_err(problem)
    }

    fn unusable(&self, reason: &str) -> UpstreamError {
        let reason = reason.to_owned();
        self.connection.problem(Problem::Unusable { reason })
    }
}

/// Tokens of the test answer; the first half is sent back.
const TRIED: usize = 8;

/// A log-probability changes by less than this through rounding, or when the text is cut into other tokens.
const TOLERANCE: f64 = 0.5;

/// Whether `next` continues the answer as `expected` does, and does not begin another turn.
fn continues(expected: &[Entry], next: &[Entry]) -> bool {
    match (expected.first(), next.first()) {
        (Some(expected), Some(next)) => {
            expected.token == next.token && (expected.logprob - next.logprob).abs() < TOLERANCE
        }
        _ => false,
    }
}

impl Upstream for OpenaiChat {
    fn positions(&self, request: PositionRequest) -> Reply<'_, Positions> {
        self.stream(request).boxed()
    }

    fn candidates(&self, request: CandidateRequest) -> Reply<'_, Vec<(TokenId, f64)>> {
        self.single(request).boxed()
    }
}

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
            return Ok(Position::certain(end));
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
