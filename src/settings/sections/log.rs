use serde::Deserialize;

/// `[log]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// tracing-subscriber's filter syntax.
    pub filter: String,
    /// Lines for people or for machines.
    pub format: LogFormat,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}
