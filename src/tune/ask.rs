use std::sync::Arc;

use futures::StreamExt;

use super::Cost;
use crate::decode::DecodeError;
use crate::upstream::{Caller, Position, PositionRequest, Prefix, Upstream};
use crate::vocabulary::{TokenId, Tokenizer};

/// How the upstream is asked.
pub struct Asking<'a> {
    pub upstream: &'a Arc<dyn Upstream>,
    pub tokenizer: &'a Tokenizer,
    pub caller: &'a Caller,
    /// Candidates to list at each position.
    pub top_k: usize,
}

impl Asking<'_> {
    /// The upstream's own greedy answer behind `prefix`: at most `most` positions, the last of them where it ends its turn.
    ///
    /// # Errors
    /// What the upstream says, with the position.
    pub async fn own(&self, prefix: Prefix, most: usize, cost: &mut Cost) -> Result<Vec<Position>, DecodeError> {
        self.walk(prefix, most, |_, position| position.draft, cost).await
    }

    /// What it lists at each position of `answer` behind `prefix`. Where its own continuation is another, it is asked anew from there,
    /// as it is when an answer is steered.
    ///
    /// # Errors
    /// As for [`Self::own`].
    pub async fn along(
        &self,
        prefix: Prefix,
        answer: &[TokenId],
        cost: &mut Cost,
    ) -> Result<Vec<Position>, DecodeError> {
        let token = |at: usize, position: &Position| answer.get(at).copied().unwrap_or(position.draft);
        self.walk(prefix, answer.len(), token, cost).await
    }

    async fn walk(
        &self,
        mut prefix: Prefix,
        most: usize,
        token: impl Fn(usize, &Position) -> TokenId,
        cost: &mut Cost,
    ) -> Result<Vec<Position>, DecodeError> {
        let mut positions = Vec::new();
        while positions.len() < most {
            let failed = |at: usize| move |source| DecodeError::Upstream { position: at, source };
            let before = positions.len();
            cost.requests += 1;
            cost.prompt_tokens += prefix.ids.len();
            let request = PositionRequest {
                caller: self.caller.clone(),
                prefix: prefix.clone(),
                window: most - before,
                top_k: self.top_k,
            };
            let mut stream = self.upstream.positions(request).await.map_err(failed(before))?;
            while let Some(position) = stream.next().await {
                let at = positions.len();
                let position = position.map_err(failed(at))?;
                self.check(at, position.draft)?;
                cost.written_tokens += 1;
                let (token, draft) = (token(at, &position), position.draft);
                positions.push(position);
                if self.tokenizer.ends().contains(&token) || positions.len() == most {
                    return Ok(positions);
                }
                prefix.ids.push(token);
                if token != draft {
                    break;
                }
            }
            if positions.len() == before {
                return Err(DecodeError::NoPosition { position: before });
            }
        }
        Ok(positions)
    }

    /// Refuses a draft outside the vocabulary: it comes from another model than the tokenizer's.
    fn check(&self, position: usize, draft: TokenId) -> Result<(), DecodeError> {
        let vocabulary = self.tokenizer.selectable().len();
        if draft.index() < vocabulary {
            return Ok(());
        }
        Err(DecodeError::UnknownToken {
            position,
            token: draft.0,
            vocabulary,
        })
    }
}
