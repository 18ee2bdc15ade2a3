/// How a position's token was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picking {
    /// Steering was bypassed: the token comes from the upstream's list alone.
    Passed,
    /// It is a part of the upstream's reasoning or of a call, or of what marks them: the token comes from the upstream's list alone.
    Own,
    /// The upstream was sure enough that the answer ends here, see [`super::Plan::forced_stop`].
    Stopped,
    /// The answer's format leaves no other token, so nobody was asked.
    Forced,
    /// Steered; `None` where the certainty was not computed.
    Steered(Option<Certainty>),
}

/// What is known about a pick among the upstream's list, as a pick from the whole vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Proved to be it.
    Certified,
    /// Proved to be it after asking for more.
    Refetched,
    /// Not proved.
    Uncertified,
}
