//! One steered generation: positions from the upstream, logits from the two branches, a pick from steering.
//!
//! The state of a session is the ids picked so far and nothing else.

mod branches;
mod bypass;
mod certainty;
mod draft;
mod error;
mod format;
mod given;
mod phases;
mod pick;
mod plan;
mod refetch;
mod report;
mod session;
mod spelling;
mod time;
mod trace;
mod window;

pub use branches::ProjectedPair;
pub use bypass::{BypassMode, BypassRule};
pub use certainty::{Certainty, Picking};
pub use error::DecodeError;
pub use given::Given;
pub use phases::{Calls, Phase, Reasoning, Tools};
pub use pick::{Exactness, Listing};
pub use plan::{Event, Finish, Picked, Plan, SessionLimits};
pub use report::Report;
pub use session::Session;
pub use time::{TimeSplit, in_seconds};
pub use trace::Trace;
pub use window::Lookahead;
