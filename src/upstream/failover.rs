//! Going on where a server stopped: a stream that outlives the servers it comes from.

use std::time::Duration;

use futures::{FutureExt, StreamExt};
use metrics::counter;

use super::position_source::{PositionSource, stream};
use super::{
    CandidateRequest, Position, PositionRequest, Positions, Problem, Replicas, Reply, Upstream, UpstreamError,
};
use crate::vocabulary::TokenId;

/// How many streams in a row may break before their first position. More are not bad luck.
const MOST_FRUITLESS: usize = 3;

/// How many lists in a row may be too short. vLLM 0.32 computes requests in batches. Where one of a batch asks for single tokens, all
/// the others get two candidates, however many they asked for. The next attempt is in another batch.
const MOST_SHORT: usize = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(2);

fn is_short(problem: &Problem) -> bool {
    matches!(problem, Problem::TooFewCandidates { .. })
}

/// A generation that has begun at one replica and may end at another.
struct Surviving {
    replicas: Replicas,
    /// What is left to ask for. Its prefix grows with every position handed out: the positions to come are conditioned on
    /// those drafts, wherever they are computed.
    request: PositionRequest,
    current: Option<(usize, Positions)>,
    /// Streams in a row that broke.
    fruitless: usize,
    /// Lists in a row that were too short.
    short: usize,
}

impl PositionSource for Surviving {
    async fn next(&mut self) -> Result<Option<Position>, UpstreamError> {
        while self.request.window > 0 {
            let (index, mut positions) = match self.current.take() {
                Some(current) => current,
                None => open(&self.replicas, &self.request).await?,
            };
            let next = positions.next().await;
            let Some(replica) = self.replicas.replica(index) else {
                return Ok(None);
            };
            match next {
                None => return Ok(None),
                Some(Ok(position)) => {
                    replica.worked();
                    self.request.caller.affinity.settle(index);
                    (self.fruitless, self.short) = (0, 0);
                    self.request.window -= 1;
                    self.request.prefix.ids.push(position.draft);
                    self.current = Some((index, positions));
                    return Ok(Some(position));
                }
                Some(Err(error)) if error.problem.may_pass() => {
                    let has_own = self.request.caller.authorization.is_some();
                    replica.failed(&error, has_own && !replica.server.connection().has_key());
                    self.fruitless += 1;
                    let waited_in_vain =
                        matches!(error.problem, Problem::TimedOut { .. }) && self.replicas.count() == 1;
                    if self.fruitless > MOST_FRUITLESS || waited_in_vain {
                        return Err(error);
                    }
                    counter!("costeer_failovers_total").increment(1);
                }
                Some(Err(error)) if is_short(&error.problem) && self.short < MOST_SHORT => {
                    tracing::debug!(%error, "asking for this position again");
                    tokio::time::sleep(FIRST_PAUSE * (1 << self.short)).await;
                    self.short += 1;
                }
                Some(Err(error)) => return Err(error),
            }
        }
        Ok(None)
    }
}

async fn open(replicas: &Replicas, request: &PositionRequest) -> Result<(usize, Positions), UpstreamError> {
    replicas
        .first_to_answer(&request.caller, |replica| replica.server.positions(request.clone()))
        .await
}

impl Upstream for Replicas {
    fn positions(&self, request: PositionRequest) -> Reply<'_, Positions> {
        async move {
            let current = open(self, &request).await?;
            let surviving = Surviving {
                replicas: self.clone(),
                request,
                current: Some(current),
                fruitless: 0,
                short: 0,
            };
            Ok(stream(surviving))
        }
        .boxed()
    }

    fn candidates(&self, request: CandidateRequest) -> Reply<'_, Vec<(TokenId, f64)>> {
        async move {
            let mut tried = 0;
            loop {
                let asking =
                    self.first_to_answer(&request.caller, |replica| replica.server.candidates(request.clone()));
                match asking.await {
                    Ok((_, candidates)) => return Ok(candidates),
                    Err(error) if is_short(&error.problem) && tried < MOST_SHORT => {
                        tracing::debug!(%error, "asking for this list again");
                        tokio::time::sleep(FIRST_PAUSE * (1 << tried)).await;
                        tried += 1;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        .boxed()
    }
}
