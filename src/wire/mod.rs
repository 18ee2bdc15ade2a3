//! OpenAI's wire formats as a server writes them: envelope, choices, usage, errors, events.
//!
//! The proxy and the demo's server both answer in them. The room knows nothing else of ours. It knows axum's response types,
//! because server-sent events are one of the formats.

mod choice;
mod envelope;
mod error;
mod events;
mod shape;
mod usage;

pub use envelope::{Envelope, FINGERPRINT, now};
pub use error::error;
pub use events::{DONE, events};
pub use shape::Shape;
pub use usage::Usage;
