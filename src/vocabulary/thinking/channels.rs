//! Answers that are a row of messages, each in a channel: the form called harmony, in which gpt-oss writes.
//!
//! The crate openai-harmony reads it, too. It loads its vocabulary from the network when it is first used, and knows gpt-oss' alone, so
//! that a machine without the network or a model of that form with its own vocabulary could not be served; so the marks are read here.

/// What begins a message.
pub const START: &str = "<|start|>";
/// What comes before the name of a channel.
pub const CHANNEL: &str = "<|channel|>";
/// What ends a header and begins the message's text.
pub const MESSAGE: &str = "<|message|>";
/// What ends a message that another one follows.
pub const END: &str = "<|end|>";
/// What comes before the name of a recipient.
pub const RECIPIENT: &str = "to=";

/// All marks that stand for no text.
pub const MARKS: [&str; 6] = [START, CHANNEL, MESSAGE, END, "<|constrain|>", "<|call|>"];

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// What the model thinks, and what it says to anybody but the person.
    Thought,
    /// What it says to the person before it calls a function.
    Preamble,
    /// The answer.
    Answer,
}

impl Channel {
    /// Of the message with this header, which is what stands before [`MESSAGE`].
    pub fn of(header: &str) -> Self {
        let mut named = header.split(CHANNEL).skip(1);
        let name = named.next().unwrap_or_default().trim_start();
        let length = name
            .find(|next: char| !next.is_ascii_alphanumeric())
            .unwrap_or(name.len());
        let has_recipient = header.split(|next: char| next.is_whitespace() || next == '>');
        if has_recipient.into_iter().any(|word| word.starts_with(RECIPIENT)) {
            return Self::Thought;
        }
        match name.get(..length) {
            Some("analysis") => Self::Thought,
            Some("commentary") => Self::Preamble,
            _ => Self::Answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_where_a_message_goes() {
        for (header, channel) in [
            ("<|channel|>analysis", Channel::Thought),
            ("<|start|>assistant<|channel|>final", Channel::Answer),
            ("<|channel|>final <|constrain|>json", Channel::Answer),
            ("<|start|>assistant<|channel|>commentary", Channel::Preamble),
            (
                "<|channel|>commentary to=functions.look <|constrain|>json",
                Channel::Thought,
            ),
            (
                "<|start|>assistant to=functions.look<|channel|>commentary json",
                Channel::Thought,
            ),
            ("<|start|>assistant<|channel|>analysis to=python code", Channel::Thought),
            ("<|start|>assistant", Channel::Answer),
        ] {
            assert_eq!(Channel::of(header), channel, "{header}");
        }
    }
}
