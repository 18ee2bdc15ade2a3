use futures::{FutureExt, StreamExt};

use super::block::Next;
use super::driver::{Completions, List, foreign};
use super::generation::Generation;
use crate::upstream::position_source::stream;
use crate::upstream::prefix_text::PrefixText;
use crate::upstream::{
    CandidateQuery, CandidateRequest, PositionRequest, Positions, Problem, Reply, Upstream, UpstreamError,
};

impl Completions {
    async fn single(&self, request: CandidateRequest) -> Result<List, UpstreamError> {
        let problem = |problem| self.connection.problem(problem);
        let count = match &request.wanted {
            CandidateQuery::Likeliest(count) => (*count).min(self.longest),
            CandidateQuery::Tokens(tokens) => {
                let asked = tokens.len();
                return Err(problem(Problem::NotTheTokensAskedFor { asked, given: 0 }));
            }
        };
        let request_of_one = PositionRequest {
            caller: request.caller,
            prefix: request.prefix,
            window: 1,
            top_k: count,
        };
        let PrefixText { text, begun } = self.text(&request_of_one.prefix)?;
        if !begun.is_empty() || self.is_feared(&text) {
            // Not all of the prefix can be sent, so a part of it must come once more.
            let position = self.stream(request_of_one).await?.next().await.transpose()?;
            return Ok(position.map(|position| position.candidates).unwrap_or_default());
        }
        let mut block = self
            .block(&text, &request_of_one.caller, 1, count, request.temperature)
            .await?;
        match block.next(&self.tokenizer, self.host.names_sampled) {
            Next::Named(_, entry) | Next::Last(entry) => self.list(&entry, count, None).map_err(problem),
            Next::Foreign(text) => Err(problem(foreign(&text))),
            _ => Err(problem(Problem::NoLogprobs)),
        }
    }

    async fn stream(&self, request: PositionRequest) -> Result<Positions, UpstreamError> {
        Ok(stream(Generation::begin(self.clone(), request).await?))
    }
}

impl Upstream for Completions {
    fn positions(&self, request: PositionRequest) -> Reply<'_, Positions> {
        self.stream(request).boxed()
    }

    fn candidates(&self, request: CandidateRequest) -> Reply<'_, List> {
        self.single(request).boxed()
    }
}
