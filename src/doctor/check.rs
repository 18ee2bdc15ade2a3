use serde::Serialize;

use crate::foreign::escaped;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, and could work better.
    Warning,
    /// Steering will not work, or not as configured.
    Failed,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// How it went.
    pub status: Status,
    /// What was seen.
    pub finding: String,
    /// What to change; empty where nothing.
    pub advice: String,
}

impl Check {
    /// As it should be.
    pub fn ok(name: impl Into<String>, finding: impl Into<String>) -> Self {
        Self::new(name, Status::Ok, finding, "")
    }

    /// It could be better.
    pub fn warning(name: impl Into<String>, finding: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, Status::Warning, finding, advice)
    }

    /// It is wrong.
    pub fn failed(name: impl Into<String>, finding: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, Status::Failed, finding, advice)
    }

    fn new(name: impl Into<String>, status: Status, finding: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            status,
            // Servers, files and models have a say in it.
            finding: escaped(&finding.into()),
            advice: advice.into(),
        }
    }
}
