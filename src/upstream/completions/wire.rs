//! Text completions with log-probabilities, in the forms that hosts give them.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::upstream::Problem;
use crate::upstream::lenient::{nullable, reason};
use crate::upstream::named::Entry;
use crate::upstream::reader::{Dialect, Read};

/// An event of the stream, or the whole answer.
#[derive(Deserialize)]
pub struct Event {
    #[serde(default, deserialize_with = "nullable")]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default, deserialize_with = "nullable")]
    text: String,
    #[serde(default)]
    logprobs: Value,
    #[serde(default, deserialize_with = "reason")]
    finish_reason: Option<String>,
}

/// What an event says of the next positions.
pub struct Part {
    /// What was sampled, and the lists.
    pub entries: Vec<Entry>,
    /// The text that became certain; it may come later than the entries that it is of.
    pub text: String,
    /// The answer has stopped of itself.
    pub stopped: bool,
}

impl Event {
    /// What it says; `None` where it says nothing of an answer.
    ///
    /// # Errors
    /// [`Problem::Malformed`] for lists that cannot be read.
    pub fn part(self) -> Result<Option<(Part, bool)>, Problem> {
        let Some(choice) = self.choices.into_iter().next() else {
            return Ok(None);
        };
        let part = Part {
            entries: entries(choice.logprobs)?,
            text: choice.text,
            // Together's word for it is "eos".
            stopped: matches!(choice.finish_reason.as_deref(), Some("stop" | "eos")),
        };
        Ok(Some((part, choice.finish_reason.is_some())))
    }
}

/// Lists are `content`, as in chat completions, or columns, as in OpenAI's old completions; mistral.rs streams bare entries.
fn entries(logprobs: Value) -> Result<Vec<Entry>, Problem> {
    let malformed = |error: serde_json::Error| Problem::Malformed(format!("its logprobs: {error}"));
    let Value::Object(mut fields) = logprobs else {
        return Ok(Vec::new());
    };
    if let Some(content @ Value::Array(_)) = fields.remove("content") {
        return serde_json::from_value(content).map_err(malformed);
    }
    if fields.contains_key("token") {
        let entry = serde_json::from_value(Value::Object(fields)).map_err(malformed)?;
        return Ok(vec![entry]);
    }
    let columns: Columns = serde_json::from_value(Value::Object(fields)).map_err(malformed)?;
    Ok(columns.entries())
}

#[derive(Deserialize)]
struct Columns {
    #[serde(default, deserialize_with = "nullable")]
    tokens: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    token_ids: Vec<Option<u32>>,
    #[serde(default, deserialize_with = "nullable")]
    token_logprobs: Vec<Option<f64>>,
    #[serde(default, deserialize_with = "nullable")]
    top_logprobs: Vec<Option<Map<String, Value>>>,
}

impl Columns {
    fn entries(self) -> Vec<Entry> {
        let (mut ids, mut logprobs) = (self.token_ids.into_iter(), self.token_logprobs.into_iter());
        let mut lists = self.top_logprobs.into_iter();
        let sampled = self.tokens.into_iter().map(|token| {
            let list = lists.next().flatten().unwrap_or_default();
            let list = list
                .into_iter()
                .filter_map(|(name, logprob)| Some(named(name, logprob.as_f64()?)));
            let top_logprobs: Vec<Entry> = list.collect();
            let same = top_logprobs.iter().find(|entry| entry.token == token);
            let listed = same.map_or(f64::NEG_INFINITY, |entry| entry.logprob);
            Entry {
                id: ids.next().flatten(),
                top_logprobs,
                ..named(token, logprobs.next().flatten().unwrap_or(listed))
            }
        });
        sampled.collect()
    }
}

fn named(token: String, logprob: f64) -> Entry {
    Entry {
        token,
        bytes: None,
        id: None,
        logprob,
        top_logprobs: Vec::new(),
    }
}

/// Reads a stream of completions, or one in a single body.
pub struct Events;

impl Dialect for Events {
    type Event = Event;
    type Item = Part;

    fn read(&mut self, event: Event) -> Result<Read<Part>, Problem> {
        let Some((part, finished)) = event.part()? else {
            let items = Vec::new();
            return Ok(Read { items, finished: false });
        };
        let says_nothing = part.entries.is_empty() && part.text.is_empty() && !finished;
        Ok(Read {
            items: if says_nothing { Vec::new() } else { vec![part] },
            finished,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<(String, Option<u32>, usize)>, Problem> {
        let read = Events.read(serde_json::from_str(json).unwrap())?;
        let entries = read.items.into_iter().flat_map(|part| part.entries);
        Ok(entries
            .map(|entry| (entry.token, entry.id, entry.top_logprobs.len()))
            .collect())
    }

    #[test]
    fn lists_are_read_in_every_form() {
        let a = |id| vec![(" a".to_owned(), id, 2)];
        let content = r#"{"token":" a","logprob":-0.1,"token_id":7,"top_logprobs":[{"token":" a","logprob":-0.1},{"token":"b","logprob":-3}]}"#;
        for (logprobs, expected) in [
            (format!(r#"{{"content":[{content}]}}"#), a(Some(7))),
            // KoboldCpp has both forms side by side.
            (format!(r#"{{"content":[{content}],"tokens":[" a"],"top_logprobs":[{{}}]}}"#), a(Some(7))),
            (content.to_owned(), a(Some(7))),
            (
                r#"{"tokens":[" a"],"token_ids":[7],"token_logprobs":[-0.1],"top_logprobs":[{" a":-0.1,"b":-3}],"text_offset":[0]}"#.to_owned(),
                a(Some(7)),
            ),
            (r#"{"content":null,"tokens":[" a"],"token_ids":null,"top_logprobs":[{" a":-0.1,"b":-3}]}"#.to_owned(), a(None)),
            (r#"{"tokens":[" a"],"token_logprobs":[null],"top_logprobs":[null]}"#.to_owned(), vec![(" a".to_owned(), None, 0)]),
            // Together's streams say the sampled token's alone.
            ("-0.1".to_owned(), Vec::new()),
            ("null".to_owned(), Vec::new()),
        ] {
            let event = format!(r#"{{"choices":[{{"text":" a","logprobs":{logprobs},"finish_reason":""}}]}}"#);
            assert_eq!(read(&event).unwrap(), expected, "{event}");
        }
        assert!(read(r#"{"choices":[{"logprobs":{"content":[{"token":"a"}]}}]}"#).is_err());
        assert!(read(r#"{"choices":null}"#).unwrap().is_empty());
    }
}
