//! Logs, metrics and traces. Nothing private is ever logged, counted or traced: no prompt, no answer, no context, no header
//! value.

mod logs;
mod metrics;
#[cfg(feature = "otel")]
mod otel;

pub use self::logs::start;
pub use self::metrics::{Metrics, metrics};
#[cfg(feature = "otel")]
pub use self::otel::{finish, join};
