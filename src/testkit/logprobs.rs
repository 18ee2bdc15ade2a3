use crate::steering::log_sum_exp;
use crate::vocabulary::TokenId;

/// Candidates to list at each position.
pub enum LogprobSelection {
    Nothing,
    /// The likeliest.
    Top(usize),
    /// These and no others.
    These(Vec<TokenId>),
}

impl LogprobSelection {
    /// The list, from ln p of every token; the likeliest come best first.
    pub fn select(&self, logprobs: &[f32]) -> Option<Vec<(TokenId, f32)>> {
        match self {
            Self::Nothing => None,
            Self::Top(k) => Some(top(logprobs, *k)),
            Self::These(ids) => {
                let of = |id: &TokenId| logprobs.get(id.index()).map(|logprob| (*id, *logprob));
                Some(ids.iter().filter_map(of).collect())
            }
        }
    }
}

/// ln p of every token, shape `[vocabulary]`, from raw logits: what vLLM calls raw_logprobs.
pub fn log_softmax(logits: &[f32]) -> Vec<f32> {
    let normaliser = log_sum_exp(logits);
    logits
        .iter()
        .map(|logit| (f64::from(*logit) - normaliser) as f32)
        .collect()
}

/// The `k` likeliest tokens, best first, ties by rising id.
pub fn top(logprobs: &[f32], k: usize) -> Vec<(TokenId, f32)> {
    let better = |left: &u32, right: &u32| {
        let of = |id: &u32| logprobs.get(*id as usize).copied().unwrap_or(f32::NEG_INFINITY);
        of(right).total_cmp(&of(left)).then(left.cmp(right))
    };
    let mut ids: Vec<u32> = (0..logprobs.len() as u32).collect();
    if k < ids.len() && k > 0 {
        ids.select_nth_unstable_by(k - 1, better);
    }
    ids.truncate(k);
    ids.sort_unstable_by(better);
    ids.into_iter()
        .filter_map(|id| logprobs.get(id as usize).map(|logprob| (TokenId(id), *logprob)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_sorted_and_ties_go_to_lower_ids() {
        let logprobs = [-3.0, -1.0, -2.0, -1.0];
        let ids = |k| top(&logprobs, k).into_iter().map(|(id, _)| id.0).collect::<Vec<_>>();
        assert_eq!(ids(0), [0u32; 0]);
        assert_eq!(ids(3), [1, 3, 2]);
        assert_eq!(ids(9), [1, 3, 2, 0]);
    }

    #[test]
    fn log_softmax_is_normalised() {
        let sum: f32 = log_softmax(&[1.0, 2.0, -40.0])
            .iter()
            .map(|logprob| logprob.exp())
            .sum();
        assert!((sum - 1.0).abs() < 1e-6);
    }
}
