//! One steered generation: positions from the upstream, logits from the two branches, a pick from steering.
//!
//! The state of a session is the ids picked so far and nothing else.

mod draft;
mod error;
mod gate;
mod pick;
mod report;
mod session;
mod window;

pub use error::DecodeError;
pub use gate::{GateMode, GateRule};
pub use pick::Exactness;
pub use report::{Report, TimeSplit};
pub use session::{Event, Finish, Limits, Picked, Plan, Session};
pub use window::Lookahead;
