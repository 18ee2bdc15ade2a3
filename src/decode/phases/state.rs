use crate::vocabulary::{Thinking, channels};

/// Where an answer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not begun, and may begin with a thought.
    Start,
    /// In a thought.
    Thought,
    /// In what says where a message goes.
    Header,
    /// Behind a thought, before the answer's first word.
    After,
    Prose,
    /// Behind the answer.
    Ended,
}

/// What may begin an answer that is no plain text, and what comes after it.
pub fn openings(thinking: &Thinking) -> impl Iterator<Item = (&str, State)> {
    let headers = [channels::CHANNEL, channels::START, channels::RECIPIENT].map(|mark| (mark, State::Header));
    let marks = [
        (thinking.open.as_str(), State::Thought),
        (thinking.direct.as_str(), State::After),
    ];
    let headers = headers.into_iter().filter(|_| thinking.has_channels);
    let marks = marks
        .into_iter()
        .filter(|(mark, _)| !thinking.has_channels && !mark.is_empty());
    headers.chain(marks)
}
