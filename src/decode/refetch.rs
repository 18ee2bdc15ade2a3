use super::pick::{Exactness, Pick, candidate, token_of};
use crate::steering::{Candidate, Candidates};
use crate::upstream::{CandidateQuery, CandidateRequest, Problem, Upstream, UpstreamError};

/// What a session asks the upstream about positions whose pick is not certain.
pub struct Refetch {
    exactness: Exactness,
    /// The upstream has refused, or has added nothing: it is not asked again.
    exhausted: bool,
}

impl Refetch {
    /// Nothing has been asked yet.
    pub fn new(exactness: Exactness) -> Self {
        Self {
            exactness,
            exhausted: false,
        }
    }

    /// What to ask for to make `pick` certain, which was made from `known` tokens. `None` where it is certain, where exactness
    /// asks for nothing, and where the upstream has no more to add.
    pub fn wanted(&self, pick: &Pick, known: usize) -> Option<CandidateQuery> {
        if self.exhausted {
            return None;
        }
        if !pick.raised.is_empty() {
            return Some(CandidateQuery::Tokens(pick.raised.clone()));
        }
        if pick.uncertain.is_empty() {
            return None;
        }
        match self.exactness {
            Exactness::Off | Exactness::Certify => None,
            Exactness::Refetch => Some(CandidateQuery::Likeliest(known.saturating_mul(GROWTH))),
            Exactness::RefetchIds => {
                let uncertain = pick.uncertain.iter().take(AT_ONCE);
                Some(CandidateQuery::Tokens(
                    uncertain.map(|token| token_of(token.index)).collect(),
                ))
            }
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
                        *candidates = Candidates::new(known);
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
                Problem::NotTheTokensAskedFor { .. } | Problem::Refused { status: 400, .. } => error.to_string(),
                _ => return Err(error),
            },
        };
        tracing::warn!(
            reason = refusal,
            "the upstream cannot be asked for more of a position; the uncertain ones are counted as uncertified \
             (vLLM lists more with --max-logprobs)"
        );
        self.exhausted = true;
        Ok(false)
    }
}

/// How many times longer than the last each list is.
const GROWTH: usize = 16;

/// Tokens asked for by id in one request. Those that matter most come first, and each answer also bounds the rest more
/// tightly, so a second request is rare.
const AT_ONCE: usize = 64;
