use super::arguments::object;
use super::call::{Part, ToolCall};
use crate::vocabulary::channels::Channel;

/// Messages in a row: those to functions are calls, and of the others the channel says whom they are for.
pub fn read(written: &str) -> Option<Vec<Part>> {
    let messages = written.split("<|end|>").filter(|message| !message.trim().is_empty());
    messages.map(part).collect()
}

fn part(message: &str) -> Option<Part> {
    let (header, body) = message.split_once("<|message|>")?;
    let Some((_, recipient)) = header.split_once("to=functions.") else {
        return Some(match Channel::of(header) {
            Channel::Thought => Part::Thought(body.to_owned()),
            Channel::Preamble | Channel::Answer => Part::Text(body.to_owned()),
        });
    };
    let name = recipient.split(|next: char| next == '<' || next.is_whitespace()).next();
    Some(Part::Call(ToolCall {
        name: name.filter(|name| !name.is_empty())?.to_owned(),
        arguments: object(body)?,
    }))
}
