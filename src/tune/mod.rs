//! Finds the strength, the delta floor and the plausibility limit that suit a pair of models, without anything private.
//!
//! Made-up people ask made-up questions. The upstream answers with what they say of themselves in its prompt, and is asked at each
//! position of that answer what it would say without. What it says with the context is what steering without it should come to; the
//! numbers are those with which it comes closest. [`score`] has the formulas.

mod ask;
mod curve;
mod error;
mod minimum;
mod pair;
mod place;
mod question;
mod report;
mod resamples;
mod rest;
pub mod score;
mod state;

pub use curve::{Curve, Estimate, Point};
pub use error::TuneError;
pub use pair::{Pair, floors, key};
pub use place::{Cost, Listed, Place, Record, Share};
pub use question::{Question, SHIPPED, TOKENS, read};
pub use report::{Limit, Numbers, Report, Standing};
pub use resamples::Interval;
pub use state::State;
