//! Ollama's answers, as far as steering needs them.

use serde::Deserialize;

use crate::upstream::Problem;
use crate::upstream::lenient::{nullable, reason};
use crate::upstream::named::Entry;
use crate::upstream::reader::{Dialect, Read};

/// A line of the stream, or the whole answer.
#[derive(Deserialize)]
pub struct Event {
    #[serde(default, deserialize_with = "nullable")]
    response: String,
    #[serde(default, deserialize_with = "nullable")]
    done: bool,
    #[serde(default, deserialize_with = "reason")]
    done_reason: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub logprobs: Vec<Entry>,
}

/// What a line says of the next positions.
pub enum Listed {
    /// A token and its list.
    Entry(Entry),
    /// Text of several tokens, whose lists are lost.
    Text(String),
    /// The answer has stopped of itself.
    Stopped,
}

/// Reads a stream of lines.
pub struct Events;

impl Dialect for Events {
    type Event = Event;
    type Item = Listed;

    fn read(&mut self, event: Event) -> Result<Read<Listed>, Problem> {
        let listed: Vec<u8> = event.logprobs.iter().flat_map(|entry| entry.text()).copied().collect();
        let mut items: Vec<Listed> = if listed == event.response.as_bytes() {
            event.logprobs.into_iter().map(Listed::Entry).collect()
        } else if event.logprobs.is_empty() {
            return Err(Problem::NoLogprobs);
        } else {
            vec![Listed::Text(event.response)]
        };
        if event.done && event.done_reason.as_deref() == Some("stop") {
            items.push(Listed::Stopped);
        }
        Ok(Read {
            items,
            finished: event.done,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<(Vec<Listed>, bool), Problem> {
        let read = Events.read(serde_json::from_str(json).unwrap())?;
        Ok((read.items, read.finished))
    }

    #[test]
    fn lines_are_tokens_texts_and_ends() {
        let token = r#"{"model":"m","response":" By","done":false,"logprobs":[{"token":" By","logprob":-0.1,"bytes":[32,66,121],
            "top_logprobs":[{"token":" By","logprob":-0.1},{"token":"","logprob":-3.0}]}]}"#;
        assert!(matches!(&read(token).unwrap().0[..], [Listed::Entry(_)]));
        let withheld = r#"{"response":"日","done":false,"logprobs":[{"token":"\ufffd","logprob":-0.1,"bytes":[165],"top_logprobs":[]}]}"#;
        assert!(matches!(&read(withheld).unwrap().0[..], [Listed::Text(text)] if text == "日"));
        let (items, finished) = read(r#"{"response":"","done":true,"done_reason":"stop","eval_count":3}"#).unwrap();
        assert!(finished && matches!(&items[..], [Listed::Stopped]));
        let (items, finished) = read(r#"{"response":"","done":true,"done_reason":"length"}"#).unwrap();
        assert!(finished && items.is_empty());
        assert!(matches!(
            read(r#"{"response":"a","done":false}"#),
            Err(Problem::NoLogprobs)
        ));
    }
}
