/// What a position of an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It may be the mark of a thought or of a call; what comes next decides.
    Undecided,
    /// A thought, what marks it, and what stands around it.
    Reasoning,
    /// A call of a tool, and what marks it.
    Call,
    /// The answer itself.
    Prose,
}

/// What is done about the thoughts of a model that thinks before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reasoning {
    /// They are the upstream's alone: nothing is steered, and the small model never sees them.
    Plain,
    /// They are steered like the answer.
    Steer,
}
