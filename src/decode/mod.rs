//! One steered generation: positions from the upstream, logits from the two branches, a pick from steering.
//!
//! The state of a session is the ids picked so far and nothing else.

mod branches;
mod draft;
mod error;
mod gate;
mod pick;
mod plan;
mod refetch;
mod report;
mod session;
mod spelling;
mod trace;
mod window;

pub use error::DecodeError;
pub use gate::{GateMode, GateRule};
pub use pick::{Exactness, Listing};
pub use plan::{Event, Finish, Limits, Picked, Plan};
pub use report::{Report, TimeSplit, in_seconds};
pub use session::Session;
pub use trace::{Certainty, Picking, Trace};
pub use window::Lookahead;
