//! The steering rule of CoSteer (arXiv:2507.04756): pure arithmetic on log-probabilities.
//!
//! `policy = softmax(log p_LLM + c · Δ)` over the candidates, with `Δ = log p_SLM(private) − log p_SLM(public)`;
//! a cap can hold `c · Δ` within bounds.
//! Nothing here waits, allocates per vocabulary entry, or knows where the numbers come from. All logarithms are natural.

mod adjust;
mod candidates;
mod cap;
mod certificate;
mod delta;
mod log_sum_exp;
mod noise;
mod nucleus;
mod policy;
mod projection;
mod reaching;
mod rule;
mod sampling;
mod scorer;
mod strength;
mod threshold;
mod weighed;

pub use adjust::{Adjustments, Penalties};
pub use candidates::{Candidate, Candidates};
pub use cap::Cap;
pub use delta::{Delta, NotANumber};
pub use log_sum_exp::log_sum_exp;
pub use noise::Noise;
pub use policy::{Policy, Scored};
pub use projection::Projection;
pub use reaching::Uncertain;
pub use rule::Rule;
pub use sampling::Sampling;
pub use scorer::Scorer;
pub use strength::{Ftrl, Strength};
use threshold::Threshold;
pub use weighed::Weighed;
