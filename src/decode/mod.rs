//! One steered generation: positions from the upstream, logits from the two branches, a pick from steering.
//!
//! The state of a session is the ids picked so far and nothing else.

mod error;
mod report;
mod session;

pub use error::DecodeError;
pub use report::{Report, TimeSplit};
pub use session::{Event, Finish, Limits, Picked, Plan, Session};
