//! What servers say when they refuse: `error` as an object (OpenAI, vLLM, llama.cpp, SGLang) or as a string (vLLM without a
//! key), `detail` (FastAPI's own errors), a bare message, or a web page from something in between.

use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Problem;

/// A refusal in an answer with status 200, beside which there is nothing of use.
pub fn disguised(body: &[u8]) -> Option<Problem> {
    #[derive(Deserialize)]
    struct Answer {
        error: Option<Value>,
        code: Option<Value>,
    }
    let Answer { error, code } = serde_json::from_slice(body).ok()?;
    late(&json!({"error": error?, "code": code}))
}

/// The refusal in a body or an event, if it is one, with the code that stands in it.
pub fn refusal(body: &Value) -> Option<(Option<u16>, String)> {
    let is_error = body.get("object").is_some_and(|object| object == "error");
    let said = |name: &str| body.get(name).filter(|said| !said.is_null());
    let bare = || said("message").filter(|_| is_error);
    let error = said("error").or_else(|| said("detail")).or_else(bare)?;
    let message = error.get("message").unwrap_or(error);
    let text = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
    let code = error.get("code").or_else(|| body.get("code")).and_then(Value::as_u64);
    Some((code.and_then(|code| u16::try_from(code).ok()), text))
}

/// A refusal inside a stream that began with 200.
pub fn late(body: &Value) -> Option<Problem> {
    let (code, message) = refusal(body)?;
    Some(Problem::Refused {
        // Codes that are no HTTP status say nothing to a client.
        status: code.filter(|code| (400..600).contains(code)).unwrap_or(502),
        message,
        retry_after: None,
    })
}

/// Longest part of an error's body that is read. More would help nobody, and some bodies never end.
pub const MOST_ERROR_BYTES: usize = 64 << 10;

/// The refusal an answer with an error status is.
pub async fn refused(response: Response) -> Problem {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER).cloned();
    let message = if is_web_page(&response) {
        "it answered with a web page; is upstream.url right, and is the server behind it up?".to_owned()
    } else {
        let text = beginning(response).await;
        let parsed = serde_json::from_str(&text).ok();
        match parsed.as_ref().and_then(refusal) {
            Some((_, message)) => message,
            None if text.trim().is_empty() => "it gave no reason".to_owned(),
            None => text,
        }
    };
    Problem::Refused {
        status,
        message,
        retry_after,
    }
}

async fn beginning(mut response: Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(part)) = response.chunk().await {
        body.extend_from_slice(part.get(..MOST_ERROR_BYTES - body.len()).unwrap_or(&part));
        if body.len() >= MOST_ERROR_BYTES {
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// Whether the answer is HTML, which no inference server sends.
pub fn is_web_page(response: &Response) -> bool {
    is_called(response, "text/html")
}

/// Whether the answer is one JSON body and no stream of events.
pub fn comes_whole(response: &Response) -> bool {
    is_called(response, "application/json")
}

/// Whether the answer is a stream of JSON lines.
pub fn comes_in_lines(response: &Response) -> bool {
    is_called(response, "application/x-ndjson")
}

fn is_called(response: &Response, name: &str) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read_in_every_shape() {
        for (body, expected) in [
            (
                json!({"error": {"message": "too many logprobs", "code": 400}}),
                Some((Some(400), "too many logprobs")),
            ),
            (json!({"error": "Unauthorized"}), Some((None, "Unauthorized"))),
            (json!({"detail": "Not Found"}), Some((None, "Not Found"))),
            (
                json!({"object": "error", "error": "no such model", "code": 404}),
                Some((Some(404), "no such model")),
            ),
            (
                json!({"object": "error", "message": "too long", "code": 400}),
                Some((Some(400), "too long")),
            ),
            (json!({"choices": [], "error": null}), None),
            (json!({"choices": []}), None),
        ] {
            let expected = expected.map(|(code, message)| (code, message.to_owned()));
            assert_eq!(refusal(&body), expected, "{body}");
        }
    }
}
