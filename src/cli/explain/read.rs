use std::io::{self, BufRead};

use serde::Deserialize;

use super::error::ExplainError;

/// A part of a trace, as openapi.yaml describes it.
#[derive(Debug, Deserialize)]
pub struct Part {
    /// The answer's number among those of the request.
    #[serde(default)]
    pub index: usize,
    /// Picks, in order.
    pub positions: Vec<Position>,
}

/// How a token was picked.
#[derive(Debug, Deserialize)]
pub struct Position {
    pub position: u64,
    pub id: u32,
    pub text: String,
    /// UTF-8, perhaps a part of a character; empty for tokens that are no text.
    pub bytes: Vec<u8>,
    pub upstream: Token,
    /// What it belongs to; traces of older versions do not say.
    #[serde(default)]
    pub phase: Option<String>,
    pub steered: bool,
    /// Whether the answer's format left no other token.
    #[serde(default)]
    pub forced: bool,
    pub certainty: Option<String>,
    pub candidates: Vec<Candidate>,
}

#[derive(Debug, Deserialize)]
pub struct Token {
    pub id: u32,
    pub text: String,
}

#[derive(Debug, Deserialize)]
pub struct Candidate {
    pub id: u32,
    pub text: String,
    pub logprob: f64,
    pub delta: f64,
    pub shift: f64,
    pub probability: f64,
}

impl Position {
    /// The picked candidate.
    pub fn picked(&self) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.id == self.id)
    }

    /// By how much steering moved the picked token's score, in nats.
    pub fn shift(&self) -> f64 {
        self.picked().map_or(0.0, |candidate| candidate.shift)
    }

    /// Whether the upstream alone would have gone on with another token.
    pub fn is_changed(&self) -> bool {
        self.id != self.upstream.id
    }
}

/// What carries parts: an answer or a piece of a streamed one with them under `costeer.trace`, an error, or a saved trace.
#[derive(Deserialize)]
struct Message {
    costeer: Option<Carrier>,
    error: Option<Failure>,
    #[serde(flatten)]
    saved: Option<Part>,
}

#[derive(Deserialize)]
struct Carrier {
    trace: Option<Parts>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Parts {
    One(Part),
    Many(Vec<Part>),
}

#[derive(Deserialize)]
struct Failure {
    message: String,
}

/// Reads an answer in one body, a stream of server-sent events, or a saved trace, and hands over each part as it comes.
///
/// # Errors
/// [`ExplainError`] where it is none of these, holds no trace, or ends in an error of the proxy, and where `found` cannot
/// write.
pub fn each_part(mut input: impl BufRead, mut found: impl FnMut(Part) -> io::Result<()>) -> Result<(), ExplainError> {
    let (mut body, mut streamed, mut any, mut in_head) = (Vec::new(), false, false, false);
    let mut line = Vec::new();
    let mut take = |data: &[u8]| {
        for part in parts(data)? {
            any = true;
            found(part).map_err(ExplainError::Output)?;
        }
        Ok::<_, ExplainError>(())
    };
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(ExplainError::Input)? == 0 {
            break;
        }
        // What "curl -i" prints before a body.
        if !streamed && body.is_empty() && (in_head || line.starts_with(b"HTTP/")) {
            in_head = !line.trim_ascii().is_empty();
            continue;
        }
        match line.strip_prefix(b"data:").map(<[u8]>::trim_ascii) {
            Some(b"[DONE]") => streamed = true,
            Some(data) => {
                streamed = true;
                take(data)?;
            }
            // Comments and blank lines of a stream say nothing.
            None if streamed || line.starts_with(b":") => {}
            None => body.extend_from_slice(&line),
        }
    }
    if !streamed {
        take(&body)?;
    }
    if any { Ok(()) } else { Err(ExplainError::NoTrace) }
}

fn parts(data: &[u8]) -> Result<Vec<Part>, ExplainError> {
    let message: Message = serde_json::from_slice(data).map_err(|error| ExplainError::NotATrace {
        line: error.line(),
        column: error.column(),
    })?;
    if let Some(failure) = message.error {
        return Err(ExplainError::Answer(failure.message));
    }
    let carried = match message.costeer.and_then(|carrier| carrier.trace) {
        Some(Parts::One(part)) => vec![part],
        Some(Parts::Many(parts)) => parts,
        None => Vec::new(),
    };
    Ok(carried.into_iter().chain(message.saved).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSITION: &str = r#"{"position": 0, "id": 1, "text": "a", "bytes": [97], "upstream": {"id": 2, "text": "b"}, "steered": true,
        "certainty": null, "candidates": [{"id": 1, "text": "a", "logprob": -1, "delta": 2, "shift": 3, "probability": 0.5}]}"#;

    fn read(text: &str) -> Result<Vec<Part>, ExplainError> {
        let mut all = Vec::new();
        each_part(text.as_bytes(), |part| {
            all.push(part);
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn answers_streams_and_files_are_read() {
        let part = format!(r#"{{"index": 3, "positions": [{POSITION}]}}"#).replace('\n', "");
        for text in [
            format!(r#"{{"choices": [], "costeer": {{"changed": 1, "trace": [{part}]}}}}"#),
            format!(r#"{{"object": "costeer.trace", "version": 1, "index": 3, "positions": [{POSITION}]}}"#),
            format!(
                "HTTP/1.1 200 OK\r\nserver: x\r\n\r\n: hello\n\ndata: {{\"choices\": []}}\n\ndata: {{\"costeer\": {{\"trace\": {part}}}}}\n\ndata: [DONE]\n"
            ),
        ] {
            let parts = read(&text).unwrap();
            assert_eq!(
                (parts.len(), parts[0].index, parts[0].positions[0].shift()),
                (1, 3, 3.0),
                "{text}"
            );
            assert!(parts[0].positions[0].is_changed());
        }
    }

    #[test]
    fn what_is_no_trace_is_refused() {
        assert!(matches!(read(r#"{"choices": []}"#), Err(ExplainError::NoTrace)));
        assert!(matches!(read("data: {}\n\ndata: [DONE]\n"), Err(ExplainError::NoTrace)));
        assert!(matches!(read(""), Err(ExplainError::NotATrace { .. })));
        assert!(matches!(read("<html>"), Err(ExplainError::NotATrace { .. })));
        let failed = read(r#"data: {"error": {"message": "the upstream is down"}}"#);
        assert!(matches!(failed, Err(ExplainError::Answer(message)) if message == "the upstream is down"));
    }
}
