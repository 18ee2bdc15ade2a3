use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use serde_json::json;

use super::wire::{CompletionEvent, CompletionRequest};
use crate::upstream::connection::{Connection, Endpoint};
use crate::upstream::reader::{Dialect, Read, read};
use crate::upstream::{
    Caller, CandidateQuery, CandidateRequest, Position, PositionRequest, Positions, Prefix, Problem, Reply,
    RequestLimits, Upstream, UpstreamError,
};
use crate::vocabulary::{ChatMessage, TokenId};

const COMPLETIONS: Endpoint<'_> = Endpoint::Api("/completions");

/// A vLLM server.
pub struct Vllm {
    connection: Arc<Connection>,
    /// The longest list it gives, learned from its refusal to give a longer one; `usize::MAX` until then.
    longest_list: AtomicUsize,
}

impl Vllm {
    /// The server behind `connection`.
    pub fn new(connection: Arc<Connection>) -> Self {
        Self {
            connection,
            longest_list: AtomicUsize::new(usize::MAX),
        }
    }

    /// Finds out how long its lists may be, and whether it takes single tokens. The first is a request it refuses, the
    /// second has it compute one position.
    pub async fn limits(&self, caller: &Caller) -> RequestLimits {
        let prefix = Prefix::new(Arc::default(), vec![TokenId(0)]);
        let request = |wanted| CandidateRequest {
            caller: caller.clone(),
            prefix: prefix.clone(),
            wanted,
            temperature: 0.0,
        };
        // Longer than any vocabulary.
        let longest = self.send(&request(CandidateQuery::Likeliest(1_000_000))).await;
        let single = self.send(&request(CandidateQuery::Tokens(vec![TokenId(0)]))).await;
        RequestLimits {
            longest_list: match longest {
                Ok(whole_vocabulary) => Some(whole_vocabulary.len()),
                Err(error) => allowed(&error.problem),
            },
            by_id: single.is_ok(),
        }
    }

    async fn stream(&self, request: PositionRequest) -> Result<Positions, UpstreamError> {
        let model = request.caller.model.as_deref();
        let body = CompletionRequest::positions(model, &request.prefix.ids, request.window, request.top_k);
        let deadline = self.connection.first_token_deadline();
        let sending = self.connection.post(COMPLETIONS, &body, &request.caller, deadline);
        let dialect = Events { top_k: request.top_k };
        Ok(read(sending.await?, &self.connection, deadline, dialect))
    }

    async fn single(&self, mut request: CandidateRequest) -> Result<Vec<(TokenId, f64)>, UpstreamError> {
        let wanted = request.wanted.clone();
        self.shorten(&mut request);
        let answer = self.send(&request).await;
        let Some(longest) = answer.as_ref().err().and_then(|error| allowed(&error.problem)) else {
            return answer;
        };
        self.longest_list.store(longest, Ordering::Relaxed);
        request.wanted = wanted;
        self.shorten(&mut request);
        self.send(&request).await
    }

    fn shorten(&self, request: &mut CandidateRequest) {
        if let CandidateQuery::Likeliest(count) = &mut request.wanted {
            *count = (*count).min(self.longest_list.load(Ordering::Relaxed));
        }
    }

    async fn send(&self, request: &CandidateRequest) -> Result<Vec<(TokenId, f64)>, UpstreamError> {
        let model = request.caller.model.as_deref();
        let body = CompletionRequest::single(model, &request.prefix.ids, &request.wanted, request.temperature);
        let answer: CompletionEvent = self.connection.ask(COMPLETIONS, &body, &request.caller).await?;
        let candidates = answer.candidates(&request.wanted);
        candidates.map_err(|problem| self.connection.problem(problem))
    }
}

/// The longest list the server says it gives, in its refusal of a longer one.
fn allowed(problem: &Problem) -> Option<usize> {
    let Problem::Refused {
        status: 400, message, ..
    } = problem
    else {
        return None;
    };
    let (_, rest) = message.split_once("max allowed: ")?;
    let end = rest
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(rest.len());
    rest.get(..end)?.parse().ok().filter(|longest| *longest > 0)
}

struct Events {
    top_k: usize,
}

impl Dialect for Events {
    type Event = CompletionEvent;
    type Item = Position;

    fn read(&mut self, event: CompletionEvent) -> Result<Read<Position>, Problem> {
        let Some(choice) = event.choices.into_iter().next() else {
            return Ok(Read {
                items: Vec::new(),
                finished: false,
            });
        };
        Ok(Read {
            finished: choice.finish_reason.is_some(),
            items: choice.positions(self.top_k)?,
        })
    }
}

impl Upstream for Vllm {
    fn positions(&self, request: PositionRequest) -> Reply<'_, Positions> {
        self.stream(request).boxed()
    }

    fn candidates(&self, request: CandidateRequest) -> Reply<'_, Vec<(TokenId, f64)>> {
        self.single(request).boxed()
    }

    fn tokenize<'a>(&'a self, text: &'a str, caller: &'a Caller) -> Reply<'a, Option<Vec<TokenId>>> {
        self.connection.tokenize_text(text, caller).boxed()
    }

    fn prompt(&self, chat: Arc<[ChatMessage]>, caller: Caller) -> Reply<'_, Option<Vec<TokenId>>> {
        async move {
            let mut body = json!({"messages": &*chat, "add_generation_prompt": true});
            caller.add_template_options(&mut body);
            self.connection.tokenize_by_model(body, &caller).await
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_list_is_read_out_of_the_refusal() {
        let refusal = |message: &str| Problem::Refused {
            status: 400,
            message: message.into(),
            retry_after: None,
        };
        // vLLM 0.32.0.
        let said =
            "Requested sample logprobs of 21, which is greater than max allowed: 20 (parameter=logprobs, value=21)";
        assert_eq!(allowed(&refusal(said)), Some(20));
        assert_eq!(allowed(&refusal("max allowed: ")), None);
        assert_eq!(
            allowed(&refusal("This model's maximum context length is 2048 tokens.")),
            None
        );
        assert_eq!(allowed(&Problem::Cut), None);
    }
}
