//! Logs and metrics. Nothing private is ever logged or counted: no prompt, no answer, no context, no header value.

mod logs;
mod metrics;

pub use self::logs::start;
pub use self::metrics::{Metrics, metrics};
