use super::pick::{Exactness, Pick, candidate, token_of};
use crate::steering::{Candidate, Candidates};
use crate::upstream::{CandidateQuery, CandidateRequest, Problem, Upstream, UpstreamError};

/// What a session asks the upstream about positions whose pick is not certain.
pub struct Refetch {
    exactness: Exactness,
    /// The upstream lists no more than it did, so it is not asked for a longer list again.
    no_longer_list: bool,
    /// The upstream does not give single tokens, so it is not asked for any again.
    no_tokens: bool,
}

impl Refetch {
    /// Nothing has been asked yet.
    pub fn new(exactness: Exactness) -> Self {
        Self {
            exactness,
            no_longer_list: false,
            no_tokens: false,
        }
    }

    /// Whether a longer list may be had.
    pub fn lists_more(&self) -> bool {
        !self.no_longer_list
    }

    /// Whether single tokens may be had.
    pub fn gives_tokens(&self) -> bool {
        !self.no_tokens
    }

    /// What to ask for to make `pick` certain, which was made from `known` tokens. `None` where it is certain, where exactness
    /// asks for nothing, and where the upstream has no more to add.
    pub fn wanted(&self, pick: &Pick, known: usize) -> Option<CandidateQuery> {
        if !pick.raised.is_empty() && !self.no_tokens {
            return Some(CandidateQuery::Tokens(pick.raised.clone()));
        }
        if pick.uncertain.is_empty() {
            return None;
        }
        match self.exactness {
            Exactness::Refetch if !self.no_longer_list => Some(CandidateQuery::Likeliest(known.saturating_mul(GROWTH))),
            Exactness::RefetchIds if !self.no_tokens => {
                let uncertain = pick.uncertain.iter().take(AT_ONCE);
                Some(CandidateQuery::Tokens(
                    uncertain.map(|token| token_of(token.index)).collect(),
                ))
            }
            _ => None,
        }
    }

    /// Asks and adds the answer to `candidates`; false when that brought nothing, and is not to be tried again.
    ///
    /// # Errors
    /// An [`UpstreamError`] when the upstream failed. A refusal is no error: the answer goes on without the addition.
    pub async fn fetch(
        &mut self,
        upstream: &dyn Upstream,
        request: CandidateRequest,
        candidates: &mut Candidates,
    ) -> Result<bool, UpstreamError> {
        let wanted = request.wanted.clone();
        let refusal = match upstream.candidates(request).await {
            Ok(known) => {
                let known: Vec<Candidate> = known.iter().map(candidate).collect();
                match wanted {
                    CandidateQuery::Likeliest(_) if known.len() > candidates.known().len() => {
                        // What was asked for by id may be too unlikely for the longer list.
                        let before = std::mem::replace(candidates, Candidates::new(known));
                        candidates.add(before.known().iter().copied());
                        return Ok(true);
                    }
                    CandidateQuery::Likeliest(_) => "it lists no more than it did".to_owned(),
                    CandidateQuery::Tokens(_) => {
                        candidates.add(known);
                        return Ok(true);
                    }
                }
            }
            Err(error) => match &error.problem {
                Problem::NotTheTokensAskedFor { .. }
                | Problem::TooFewCandidates { .. }
                | Problem::Refused { status: 400, .. } => error.to_string(),
                _ => return Err(error),
            },
        };
        tracing::warn!(
            reason = refusal,
            "the upstream cannot be asked for more of a position; the uncertain ones are counted as uncertified \
             (vLLM lists more with --max-logprobs)"
        );
        match wanted {
            CandidateQuery::Likeliest(_) => self.no_longer_list = true,
            CandidateQuery::Tokens(_) => self.no_tokens = true,
        }
        Ok(false)
    }
}

/// How many times longer than the last each list is.
const GROWTH: usize = 16;

/// Tokens asked for by id in one request. Those that matter most come first, and each answer also bounds the rest more
/// tightly, so a second request is rare.
const AT_ONCE: usize = 64;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::FutureExt;

    use super::*;
    use crate::steering::Uncertain;
    use crate::upstream::{Caller, PositionRequest, Positions, Prefix, Reply};
    use crate::vocabulary::TokenId;

    /// A server that can say one thing and not the other.
    struct HalfDeaf {
        lists: bool,
        gives_tokens: bool,
    }

    impl Upstream for HalfDeaf {
        fn positions(&self, _: PositionRequest) -> Reply<'_, Positions> {
            unreachable!("only candidates are asked for")
        }

        fn candidates(&self, request: CandidateRequest) -> Reply<'_, Vec<(TokenId, f64)>> {
            let (hears, ids) = match request.wanted {
                CandidateQuery::Likeliest(count) => (self.lists, (0..count as u32).map(TokenId).collect::<Vec<_>>()),
                CandidateQuery::Tokens(tokens) => (self.gives_tokens, tokens),
            };
            let given = ids.into_iter().map(|id| (id, -3.0 - f64::from(id.0)));
            let refused = UpstreamError {
                url: "http://upstream".into(),
                problem: Problem::NotTheTokensAskedFor { asked: 1, given: 0 },
            };
            let answer = if hears { Ok(given.collect()) } else { Err(refused) };
            async move { answer }.boxed()
        }
    }

    /// A pick that leaves one token open, which the client may have raised.
    fn open(index: usize, is_raised: bool) -> Pick {
        Pick {
            token: TokenId(0),
            uncertain: vec![Uncertain { index, at_most: 0.0 }],
            raised: is_raised.then(|| token_of(index)).into_iter().collect(),
            listing: None,
            weighed: Vec::new(),
        }
    }

    fn known(indexes: &[usize]) -> Candidates {
        let each = indexes.iter().map(|index| Candidate {
            index: *index,
            logprob: -1.0,
        });
        Candidates::new(each.collect())
    }

    async fn fetch(refetch: &mut Refetch, upstream: &HalfDeaf, pick: &Pick, candidates: &mut Candidates) -> bool {
        let request = CandidateRequest {
            caller: Caller::default(),
            prefix: Prefix::new(Arc::default(), Vec::new()),
            wanted: refetch.wanted(pick, candidates.known().len()).unwrap(),
            temperature: 0.0,
        };
        refetch.fetch(upstream, request, candidates).await.unwrap()
    }

    #[tokio::test]
    async fn without_longer_lists_raised_tokens_are_still_asked_for() {
        let upstream = HalfDeaf {
            lists: false,
            gives_tokens: true,
        };
        let mut refetch = Refetch::new(Exactness::Refetch);
        let mut candidates = known(&[0, 1]);
        assert!(!fetch(&mut refetch, &upstream, &open(7, false), &mut candidates).await);
        assert_eq!(refetch.wanted(&open(7, false), 2), None);
        assert!(fetch(&mut refetch, &upstream, &open(7, true), &mut candidates).await);
        assert_eq!(candidates.known().len(), 3);
    }

    #[tokio::test]
    async fn without_single_tokens_lists_are_still_asked_for() {
        let upstream = HalfDeaf {
            lists: true,
            gives_tokens: false,
        };
        let mut refetch = Refetch::new(Exactness::Refetch);
        let mut candidates = known(&[0, 1]);
        assert!(!fetch(&mut refetch, &upstream, &open(7, true), &mut candidates).await);
        assert!(fetch(&mut refetch, &upstream, &open(7, true), &mut candidates).await);
        assert_eq!(candidates.known().len(), 32);
        let mut refetch = Refetch::new(Exactness::RefetchIds);
        assert!(!fetch(&mut refetch, &upstream, &open(7, false), &mut candidates).await);
        assert_eq!(refetch.wanted(&open(7, false), 2), None);
    }

    #[tokio::test]
    async fn a_longer_list_keeps_what_was_asked_for_by_id() {
        let upstream = HalfDeaf {
            lists: true,
            gives_tokens: true,
        };
        let mut refetch = Refetch::new(Exactness::Refetch);
        let mut candidates = known(&[0, 1]);
        assert!(fetch(&mut refetch, &upstream, &open(900, true), &mut candidates).await);
        assert!(fetch(&mut refetch, &upstream, &open(7, false), &mut candidates).await);
        assert!(candidates.known().iter().any(|token| token.index == 900));
    }
}
