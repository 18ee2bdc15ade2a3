use super::arguments::object;
use super::call::{Part, ToolCall};

/// Messages of the commentary channel: those to functions are calls, and the others are for the user.
pub fn read(written: &str) -> Option<Vec<Part>> {
    let messages = written.split("<|end|>").filter(|message| !message.trim().is_empty());
    messages.map(part).collect()
}

fn part(message: &str) -> Option<Part> {
    let (header, body) = message.split_once("<|message|>")?;
    let Some((_, recipient)) = header.split_once("to=functions.") else {
        return Some(Part::Text(body.to_owned()));
    };
    let name = recipient.split(|next: char| next == '<' || next.is_whitespace()).next();
    Some(Part::Call(ToolCall {
        name: name.filter(|name| !name.is_empty())?.to_owned(),
        arguments: object(body)?,
    }))
}
