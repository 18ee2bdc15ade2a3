//! Answers of the upstream's, with the model's name as the client wrote it.

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::response::Response;
use futures::{StreamExt, stream};
use zeroize::Zeroizing;

use crate::http::gate::{Fields, Json, content_type, object, written};

/// What is longer than this, in one line or one body, passes as it is.
const MOST: usize = 64 << 20;

/// Objects that name the model one level deeper: events of the APIs Responses and Messages.
const NESTED: [&str; 2] = ["response", "message"];

/// The answer with the model called `name`, in `field` of its objects. What is neither JSON nor a stream of events, or packed, stays as it is.
pub fn renamed(response: Response, field: &'static str, name: &str) -> Response {
    let kind = content_type(response.headers());
    let is_stream = match kind.as_ref().map(mime::Mime::essence_str) {
        Some("application/json") => false,
        Some("text/event-stream") => true,
        _ => return response,
    };
    if response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    let renamer = Renamer {
        field,
        name: name.to_owned(),
        is_stream,
        is_over: false,
        held: Vec::new(),
    };
    let whole = stream::unfold(Some((body.into_data_stream(), renamer)), |state| async {
        let (mut parts, mut renamer) = state?;
        Some(match parts.next().await {
            Some(Ok(part)) => (Ok(renamer.push(&part)), Some((parts, renamer))),
            Some(Err(error)) => (Err(error), None),
            None => (Ok(renamer.end()), None),
        })
    });
    // No empty parts: they would be read as the end of a chunked body by some.
    let parts_with_text = whole.filter(|part| std::future::ready(!part.as_ref().is_ok_and(Vec::is_empty)));
    Response::from_parts(parts, Body::from_stream(parts_with_text))
}

/// Writes an answer anew, as it arrives.
struct Renamer {
    field: &'static str,
    name: String,
    is_stream: bool,
    /// The rest passes as it is.
    is_over: bool,
    /// A line or a body that is not whole yet.
    held: Vec<u8>,
}

impl Renamer {
    fn push(&mut self, part: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(part);
        if self.is_over {
            return std::mem::take(&mut self.held);
        }
        let mut out = Vec::new();
        if self.is_stream {
            let before = self.held.len() - part.len();
            let last = part.iter().rposition(|byte| *byte == b'\n');
            let whole = last.map_or(0, |end| before + end + 1);
            let rest = self.held.split_off(whole);
            let lines = std::mem::replace(&mut self.held, rest);
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                self.line(line, &mut out);
            }
        }
        if self.held.len() > MOST {
            self.is_over = true;
            out.append(&mut self.held);
        }
        out
    }

    fn end(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        let mut out = Vec::new();
        match (self.is_over, self.is_stream) {
            (true, _) => out = held,
            (false, true) => self.line(&held, &mut out),
            (false, false) => out = self.object(&held).unwrap_or(held),
        }
        out
    }

    fn line(&self, line: &[u8], out: &mut Vec<u8>) {
        let data = line.strip_prefix(b"data:").map(<[u8]>::trim_ascii);
        match data.and_then(|data| self.object(data)) {
            Some(data) => {
                out.extend_from_slice(b"data: ");
                out.extend(data);
                out.extend_from_slice(line.get(line.trim_ascii_end().len()..).unwrap_or_default());
            }
            None => out.extend_from_slice(line),
        }
    }

    /// The object anew; `None` where it names no model.
    fn object(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut fields = object(text).ok()?;
        let mut named = self.set(&mut fields);
        for (_, value) in fields.iter_mut().filter(|(key, _)| NESTED.contains(&key.as_str())) {
            if let Json::Object(inner) = value {
                named |= self.set(inner);
            }
        }
        named.then(|| written(&fields))
    }

    fn set(&self, fields: &mut Fields) -> bool {
        let place = fields
            .iter_mut()
            .find(|(key, value)| key == self.field && value.as_text().is_some());
        place.is_some_and(|(_, value)| {
            *value = Json::Text(Zeroizing::new(self.name.clone()));
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn through(is_stream: bool, text: &str, cuts: usize) -> String {
        let mut renamer = Renamer {
            field: "model",
            name: "m@ada".to_owned(),
            is_stream,
            is_over: false,
            held: Vec::new(),
        };
        let mut out = Vec::new();
        for part in text.as_bytes().chunks(cuts) {
            out.extend(renamer.push(part));
        }
        out.extend(renamer.end());
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn a_model_is_named_as_asked_wherever_a_stream_is_cut(cuts in 1..80usize) {
            let given = "event: x\r\ndata: {\"id\":\"1\",\"model\":\"m\",\"n\":1.0}\r\n\r\ndata:{\"response\":{\"model\":\"m\"}}\n\n: model\ndata: [DONE]\n\n";
            let wanted = "event: x\r\ndata: {\"id\":\"1\",\"model\":\"m@ada\",\"n\":1.0}\r\n\r\ndata: {\"response\":{\"model\":\"m@ada\"}}\n\n: model\ndata: [DONE]\n\n";
            prop_assert_eq!(through(true, given, cuts), wanted);
            prop_assert_eq!(through(false, "{\"model\":\"m\",\"choices\":[1.50]}", cuts), "{\"model\":\"m@ada\",\"choices\":[1.50]}");
        }

        #[test]
        fn what_names_no_model_stays_as_it_is(text in "[ -~äß\n]{0,60}", cuts in 1..9usize, is_stream: bool) {
            prop_assert_eq!(through(is_stream, &text, cuts), text);
        }
    }
}
