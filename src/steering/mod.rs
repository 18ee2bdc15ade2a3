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
mod policy;
mod sampling;
mod strength;
mod weighed;

pub use adjust::{Adjustments, Penalties};
pub use candidates::{Candidate, Candidates};
pub use cap::Cap;
pub use certificate::{Doubt, doubtful};
pub use delta::{Delta, NotANumber};
pub use log_sum_exp::log_sum_exp;
pub use noise::Noise;
pub use policy::{Policy, Rule, Scored};
pub use sampling::{Hurdle, Sampling};
pub use strength::{Ftrl, Strength};
pub use weighed::{Weighed, weighed};
