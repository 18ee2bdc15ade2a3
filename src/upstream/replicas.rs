use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use futures::FutureExt;
use futures::future::BoxFuture;

use metrics::describe_counter;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Body, Method, Response};

use super::health::Heard;
use super::replica::Replica;
use super::{Affinity, Caller, Description, Forwarded, Problem, Server, UpstreamError};
use crate::vocabulary::{ChatMessage, TokenId};

/// How often all servers are tried again when none answers.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// Rounds after the first.
    pub rounds: usize,
}

/// Several servers of one model. Any of them can continue any session, because a session's whole state is the prefix it sends. A
/// session stays with one server, which has its prefix in the cache, until that server fails.
#[derive(Clone)]
pub struct Replicas {
    replicas: Arc<[Replica]>,
    retries: Retries,
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest wait between two rounds. When a server asks for a longer one, its refusal is passed on instead.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Replicas {
    /// At least one server.
    pub fn new(servers: Vec<Server>, retries: Retries) -> Self {
        describe_counter!(
            "costeer_failovers_total",
            "Answers that went on at another server in the middle, or at the same one again."
        );
        Self {
            replicas: servers.into_iter().map(Replica::new).collect(),
            retries,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.replicas.len()
    }

    /// Each of them, in the order of the configuration.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.replicas.iter().map(|replica| &replica.server)
    }

    /// Whether it makes sense to send requests.
    pub fn readiness(&self) -> Readiness {
        let each = self.replicas.iter().map(|replica| match replica.health.heard() {
            Some(Heard::Answer) => Readiness::Ready,
            Some(Heard::WantsKey) if replica.server.connection().has_key() => Readiness::KeyRefused,
            Some(Heard::WantsKey) => Readiness::ReadyForKeys,
            Some(Heard::Refusal) => Readiness::ReadyUntried,
            Some(Heard::Nothing) => Readiness::Silent,
            None => Readiness::Failed,
        });
        each.max().unwrap_or(Readiness::Silent)
    }

    /// Looks at each that has not answered or has failed since, unless it has asked to be left alone for now: asks it for the prompt of
    /// `chat`, where prompts are written here. Gives what was found, with its address.
    pub async fn look(
        &self,
        chat: &Arc<[ChatMessage]>,
    ) -> Vec<(Arc<str>, Result<Option<Vec<TokenId>>, UpstreamError>)> {
        let mut found = Vec::new();
        for replica in self.replicas.iter() {
            if replica.health.heard() == Some(Heard::Answer) || replica.health.is_pausing() {
                continue;
            }
            let prompt = replica.server.comparable_prompt(Arc::clone(chat)).await;
            match &prompt {
                Ok(_) => replica.worked(),
                Err(error) => {
                    replica.failed(error, false);
                    // Other refusals, such as 404, may mean that nothing of use is there.
                    if matches!(error.problem, Problem::Refused { status: 400 | 422, .. }) {
                        replica.health.refused_a_look();
                    }
                }
            }
            found.push((Arc::clone(replica.server.connection().url()), prompt));
        }
        found
    }

    /// The prompt of `chat` where the caller's server is the one to write it; `None` where chats are written here.
    ///
    /// # Errors
    /// As for [`Self::first_to_answer`].
    pub async fn own_prompt(
        &self,
        chat: &Arc<[ChatMessage]>,
        caller: &Caller,
    ) -> Result<Option<Vec<TokenId>>, UpstreamError> {
        let (_, prompt) = self
            .first_to_answer(caller, |replica| {
                let (chat, caller) = (Arc::clone(chat), caller.clone());
                async move { replica.server.own_prompt(chat, &caller).await }.boxed()
            })
            .await?;
        Ok(prompt)
    }

    /// What the caller's server says about itself.
    ///
    /// # Errors
    /// As for [`Self::first_to_answer`].
    pub async fn describe(&self, caller: &Caller) -> Result<Arc<Description>, UpstreamError> {
        let (_, description) = self
            .first_to_answer(caller, |replica| {
                let caller = caller.clone();
                async move { replica.server.describe(&caller).await }.boxed()
            })
            .await?;
        Ok(description)
    }

    /// Passes a request on to the first that can be reached. An answer with an error status is an answer. What may have arrived
    /// somewhere is not sent again, unless asking twice does no harm.
    ///
    /// # Errors
    /// [`Problem::Unreachable`] when none can be, [`Problem::Unanswered`] and [`Problem::TimedOut`] as [`super::Connection::forward`].
    pub async fn forward(&self, request: Forwarded) -> Result<Response, UpstreamError> {
        let anybody = Caller {
            authorization: request.headers.get(AUTHORIZATION).cloned(),
            ..Caller::default()
        };
        let request = Arc::new(request);
        let again = if request.method.is_idempotent() {
            Problem::may_pass
        } else {
            Problem::has_not_arrived
        };
        let sending = self.first_to_answer_if(again, &anybody, |replica| {
            let request = Arc::clone(&request);
            async move { replica.server.connection().forward(&request).await }.boxed()
        });
        let (index, response) = sending.await?;
        if let Some(replica) = self.replica(index) {
            replica.answered(response.status());
        }
        Ok(response)
    }

    /// The same for a body that can be read only once. It is sent to one server only.
    ///
    /// # Errors
    /// As for [`Self::forward`].
    pub async fn forward_once(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<Response, UpstreamError> {
        let first = self
            .order(&Affinity::default())
            .first()
            .and_then(|index| self.replica(*index));
        let replica = first.ok_or_else(nowhere)?;
        let sent = replica
            .server
            .connection()
            .pass_on(method, path, headers, body, true)
            .await;
        match &sent {
            Ok(response) => replica.answered(response.status()),
            Err(error) => {
                replica.failed(error, false);
            }
        }
        sent
    }

    /// The replica with this number, as [`Self::first_to_answer`] gave it.
    pub(super) fn replica(&self, index: usize) -> Option<&Replica> {
        self.replicas.get(index)
    }

    /// Asks one after the other until one answers: the healthy ones first, and of those the session's own. When none answers, all of
    /// them are asked again after a pause.
    ///
    /// # Errors
    /// At once, what no other replica could do better; otherwise the last thing that went wrong.
    pub(super) async fn first_to_answer<T>(
        &self,
        caller: &Caller,
        ask: impl for<'a> Fn(&'a Replica) -> BoxFuture<'a, Result<T, UpstreamError>> + Sync,
    ) -> Result<(usize, T), UpstreamError> {
        let (index, answer) = self.first_to_answer_if(Problem::may_pass, caller, ask).await?;
        if let Some(replica) = self.replica(index) {
            replica.worked();
        }
        Ok((index, answer))
    }

    /// The same, but after a problem another one is asked only where `again` says so.
    async fn first_to_answer_if<T>(
        &self,
        again: fn(&Problem) -> bool,
        caller: &Caller,
        ask: impl for<'a> Fn(&'a Replica) -> BoxFuture<'a, Result<T, UpstreamError>> + Sync,
    ) -> Result<(usize, T), UpstreamError> {
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(self.retries.rounds)
            .with_jitter()
            .build();
        loop {
            let (failure, requested_pause) = match self.round(again, caller, &ask).await? {
                Round::Answered(index, answer) => return Ok((index, answer)),
                Round::Failed { last, pause } => (last, pause),
            };
            let Some(pause) = pauses.next() else {
                return Err(failure);
            };
            let pause = requested_pause.unwrap_or(pause);
            // After a timeout everybody has waited long enough.
            if pause > LONGEST_PAUSE || matches!(failure.problem, Problem::TimedOut { .. }) {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn round<T>(
        &self,
        again: fn(&Problem) -> bool,
        caller: &Caller,
        ask: &(impl for<'a> Fn(&'a Replica) -> BoxFuture<'a, Result<T, UpstreamError>> + Sync),
    ) -> Result<Round<T>, UpstreamError> {
        let mut outcome = None;
        let mut shortest_pause: Option<Duration> = None;
        for index in self.order(&caller.affinity) {
            let replica = &self.replicas[index];
            let has_clients_key = caller.authorization.is_some() && !replica.server.connection().has_key();
            match ask(replica).await {
                Ok(answer) => return Ok(Round::Answered(index, answer)),
                Err(error) if again(&error.problem) => {
                    let pause = replica.failed(&error, has_clients_key);
                    shortest_pause = match (shortest_pause, pause) {
                        (Some(left), Some(right)) => Some(left.min(right)),
                        (left, right) => left.or(right),
                    };
                    outcome = Some(error);
                }
                Err(error) => {
                    // It may be unhealthy all the same.
                    replica.failed(&error, has_clients_key);
                    return Err(error);
                }
            }
        }
        match outcome {
            Some(last) => Ok(Round::Failed {
                last,
                pause: shortest_pause,
            }),
            None => Err(nowhere()),
        }
    }

    fn order(&self, affinity: &Affinity) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.replicas.len()).collect();
        // The healthy ones come first, and among them the one where the session is at home. Then whose cooldown ends soonest.
        order.sort_by_cached_key(|index| {
            (
                self.replicas[*index].health.cooldown(),
                Reverse(affinity.weight(*index)),
            )
        });
        order
    }
}

/// Configuration sees to it that there is at least one address.
fn nowhere() -> UpstreamError {
    let reason = "no address is configured; set upstream.url".to_owned();
    Problem::Unusable { reason }.at(&Arc::from("(none)"))
}

/// Whether it makes sense to send requests to any of the servers. The later, the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Readiness {
    /// None has answered yet.
    Silent,
    /// All that have answered have failed since.
    Failed,
    /// The configured key is refused.
    KeyRefused,
    /// A server is there and wants a key, which clients must bring, since none is configured.
    ReadyForKeys,
    /// A server is there and refused the proxy's own question, which names no model of a client's.
    ReadyUntried,
    /// One has answered.
    Ready,
}

enum Round<T> {
    Answered(usize, T),
    Failed {
        last: UpstreamError,
        /// The shortest that any of them asked for.
        pause: Option<Duration>,
    },
}
