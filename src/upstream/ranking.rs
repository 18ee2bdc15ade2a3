//! A server's list of candidates, checked and put in order. Lists of all drivers pass through here.

use super::{CandidateQuery, Problem};
use crate::vocabulary::TokenId;

/// Servers compute in f32 or less and print rounded numbers.
const ROUNDING: f64 = 1e-2;

/// A list that holds this much of the mass holds all of it, as far as printed numbers can tell.
const WHOLE: f64 = 1.0 - 1e-3;

/// The likeliest first, ties by the lower id, at most `top_k`. Some servers add the token they sampled to the list. It is cut off
/// again: the certificate needs a last entry that bounds every token outside the list.
///
/// # Errors
/// [`Problem::Malformed`] for numbers that are no log-probabilities, [`Problem::TooFewCandidates`] for a list that is
/// shorter than asked for although it does not hold the whole mass.
pub fn ranked(mut candidates: Vec<(TokenId, f64)>, top_k: usize) -> Result<Vec<(TokenId, f64)>, Problem> {
    let mass = checked_mass(&candidates)?;
    if candidates.len() < top_k && mass < WHOLE {
        return Err(Problem::TooFewCandidates {
            asked: top_k,
            given: candidates.len(),
        });
    }
    candidates.sort_unstable_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    candidates.truncate(top_k);
    Ok(candidates)
}

/// What was wanted of a position, out of what a server gave. A list of the likeliest may be shorter than asked for; the caller
/// compares it with the last one.
///
/// # Errors
/// [`Problem::NotTheTokensAskedFor`] when single tokens are missing; as for [`ranked`].
pub fn answering(wanted: &CandidateQuery, mut given: Vec<(TokenId, f64)>) -> Result<Vec<(TokenId, f64)>, Problem> {
    match wanted {
        CandidateQuery::Likeliest(count) => {
            let count = (*count).min(given.len());
            ranked(given, count)
        }
        CandidateQuery::Tokens(tokens) => {
            checked_mass(&given)?;
            // Servers add the token they sampled, or give the whole vocabulary.
            given.retain(|(id, _)| tokens.contains(id));
            if given.len() < tokens.len() {
                return Err(Problem::NotTheTokensAskedFor {
                    asked: tokens.len(),
                    given: given.len(),
                });
            }
            Ok(given)
        }
    }
}

/// What the listed tokens' probabilities come to.
///
/// # Errors
/// [`Problem::Malformed`] for numbers that are no log-probabilities of one distribution.
fn checked_mass(candidates: &[(TokenId, f64)]) -> Result<f64, Problem> {
    let mut mass = 0.0;
    for (token, logprob) in candidates {
        if logprob.is_nan() || *logprob > ROUNDING {
            let token = token.0;
            return Err(Problem::Malformed(format!(
                "the log-probability of token {token} is {logprob}, and none can be above 0"
            )));
        }
        mass += logprob.exp();
    }
    if mass > 1.0 + ROUNDING {
        return Err(Problem::Malformed(format!(
            "the candidates' probabilities come to {mass:.3}; are they raw, and is no token listed twice?"
        )));
    }
    Ok(mass)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[(u32, f64)]) -> Vec<(TokenId, f64)> {
        entries.iter().map(|(id, logprob)| (TokenId(*id), *logprob)).collect()
    }

    #[test]
    fn what_is_added_to_the_likeliest_is_left_out() {
        let listed = list(&[(7, -9.5), (3, -2.5), (1, -0.1)]);
        assert_eq!(ranked(listed, 2).unwrap(), list(&[(1, -0.1), (3, -2.5)]));
    }

    #[test]
    fn ties_go_to_the_lower_id() {
        let listed = list(&[(9, -1.5), (2, -1.5), (5, -1.5)]);
        assert_eq!(ranked(listed, 3).unwrap(), list(&[(2, -1.5), (5, -1.5), (9, -1.5)]));
    }

    #[test]
    fn a_short_list_is_refused_unless_it_is_everything() {
        let short = list(&[(1, -0.5), (2, -2.0)]);
        assert!(matches!(
            ranked(short, 3),
            Err(Problem::TooFewCandidates { asked: 3, given: 2 })
        ));
        let whole = list(&[(1, 0.25_f64.ln()), (2, 0.75_f64.ln())]);
        assert_eq!(ranked(whole, 20).unwrap().len(), 2);
    }

    #[test]
    fn numbers_that_are_no_logprobs_are_named() {
        for (entries, needle) in [
            (&[(5, f64::NAN)][..], "token 5 is NaN"),
            (&[(6, 0.7)][..], "token 6 is 0.7"),
            (&[(1, -0.1), (2, -0.1)][..], "come to 1.8"),
        ] {
            let error = ranked(list(entries), 1).unwrap_err().to_string();
            assert!(error.contains(needle), "{error}");
        }
        // Masked entries are written as large negative numbers.
        assert!(ranked(list(&[(1, 0.0), (2, -9999.0), (3, f64::NEG_INFINITY)]), 3).is_ok());
    }
}
