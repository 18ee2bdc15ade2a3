//! vLLM's `/v1/completions` on the wire, as far as steering needs it.
//!
//! Source: vLLM 0.32 (OpenAI-compatible server documentation) and recorded answers of it. Unknown fields are ignored:
//! every version adds some.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::upstream::lenient::{nullable, reason};
use crate::upstream::ranking::{answering, ranked};
use crate::upstream::{CandidateQuery, Position, Problem};
use crate::vocabulary::TokenId;

/// The request. Sampling settings are all spelled out: vLLM otherwise takes those of the model's
/// generation_config.json.
#[derive(Serialize)]
pub struct CompletionRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<&'a str>,
    pub prompt: &'a [TokenId],
    pub max_tokens: usize,
    pub logprobs: usize,
    /// Replaces the likeliest tokens; needs `logprobs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprob_token_ids: Option<&'a [TokenId]>,
    pub return_tokens_as_token_ids: bool,
    pub return_token_ids: bool,
    pub temperature: f64,
    pub top_p: f64,
    pub top_k: i64,
    pub min_p: f64,
    pub presence_penalty: f64,
    pub frequency_penalty: f64,
    pub repetition_penalty: f64,
    pub stream: bool,
}

impl<'a> CompletionRequest<'a> {
    /// A neutral, greedy, streamed request for `window` positions and the `top_k` likeliest tokens at each.
    pub fn positions(model: Option<&'a str>, prefix: &'a [TokenId], window: usize, top_k: usize) -> Self {
        Self {
            model,
            prompt: prefix,
            max_tokens: window,
            logprobs: top_k,
            logprob_token_ids: None,
            return_tokens_as_token_ids: true,
            return_token_ids: true,
            temperature: 0.0,
            top_p: 1.0,
            top_k: -1,
            min_p: 0.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            repetition_penalty: 1.0,
            stream: true,
        }
    }

    /// A request for one position, answered in one body.
    pub fn single(model: Option<&'a str>, prefix: &'a [TokenId], wanted: &'a CandidateQuery, temperature: f64) -> Self {
        let (likeliest, tokens) = match wanted {
            CandidateQuery::Likeliest(count) => (*count, None),
            CandidateQuery::Tokens(tokens) => (1, Some(tokens.as_slice())),
        };
        Self {
            logprob_token_ids: tokens,
            temperature,
            stream: false,
            ..Self::positions(model, prefix, 1, likeliest)
        }
    }
}

/// One event of the stream, or the whole answer.
#[derive(Deserialize)]
pub struct CompletionEvent {
    #[serde(default, deserialize_with = "nullable")]
    pub choices: Vec<Choice>,
}

#[derive(Deserialize)]
pub struct Choice {
    pub logprobs: Option<Logprobs>,
    #[serde(default, deserialize_with = "reason")]
    pub finish_reason: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub text: String,
    pub token_ids: Option<Vec<u32>>,
}

#[derive(Deserialize)]
pub struct Logprobs {
    #[serde(default, deserialize_with = "nullable")]
    tokens: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    top_logprobs: Vec<Option<Map<String, Value>>>,
}

impl Choice {
    /// The positions of this event, with at most `top_k` candidates; none where it carries no token (the last event of
    /// some servers).
    pub fn positions(self, top_k: usize) -> Result<Vec<Position>, Problem> {
        let Some(logprobs) = self.logprobs else {
            let carries_a_token = !self.text.is_empty() || self.token_ids.is_some_and(|ids| !ids.is_empty());
            return if carries_a_token {
                Err(Problem::NoLogprobs)
            } else {
                Ok(Vec::new())
            };
        };
        if logprobs.top_logprobs.len() != logprobs.tokens.len() {
            return Err(Problem::NoLogprobs);
        }
        let listed = logprobs.tokens.iter().zip(logprobs.top_logprobs);
        listed.map(|(token, top)| position(token, top, top_k)).collect()
    }
}

fn position(token: &str, top: Option<Map<String, Value>>, top_k: usize) -> Result<Position, Problem> {
    Ok(Position {
        draft: token_id(token)?,
        candidates: ranked(entries(top)?, top_k)?,
    })
}

fn entries(top: Option<Map<String, Value>>) -> Result<Vec<(TokenId, f64)>, Problem> {
    let top = top.ok_or(Problem::NoLogprobs)?;
    let entry = |(name, logprob): (&String, &Value)| {
        let not_a_number = || Problem::Malformed(format!("the logprob of {name:?} is not a number"));
        Ok((token_id(name)?, logprob.as_f64().ok_or_else(not_a_number)?))
    };
    top.iter().map(entry).collect()
}

fn token_id(name: &str) -> Result<TokenId, Problem> {
    name.strip_prefix("token_id:")
        .and_then(|digits| digits.parse().ok())
        .map(TokenId)
        .ok_or_else(|| Problem::NoTokenIds {
            sample: name.chars().take(40).collect(),
        })
}

impl CompletionEvent {
    /// The candidates of an answer of one position.
    ///
    /// # Errors
    /// [`Problem::NoLogprobs`]; [`Problem::TooFewCandidates`], because vLLM refuses what it does not give; as for [`answering`].
    pub fn candidates(mut self, wanted: &CandidateQuery) -> Result<Vec<(TokenId, f64)>, Problem> {
        let logprobs = self.choices.pop().and_then(|choice| choice.logprobs);
        let top = logprobs.ok_or(Problem::NoLogprobs)?.top_logprobs.pop().flatten();
        let given = entries(top)?;
        match wanted {
            CandidateQuery::Likeliest(count) => ranked(given, *count),
            CandidateQuery::Tokens(_) => answering(wanted, given),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(json: &str) -> Choice {
        let event: CompletionEvent = serde_json::from_str(json).unwrap();
        event.choices.into_iter().next().unwrap()
    }

    #[test]
    fn a_recorded_vllm_event_gives_its_position() {
        // vLLM 0.32.0, one event of a stream with logprobs 3.
        let event = r#"{"id":"cmpl-1","object":"text_completion","choices":[{"index":0,"text":" St","logprobs":{
            "text_offset":[0],"token_logprobs":[-2.6235969066619873],"tokens":["token_id:1369"],
            "top_logprobs":[{"token_id:1369":-2.6235969066619873,"token_id:1994":-3.6442697,"token_id:418":-3.9514758}]},
            "finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":[1369]}]}"#;
        let positions = choice(event).positions(3).unwrap();
        assert_eq!(positions.len(), 1);
        assert_eq!(positions[0].draft, TokenId(1369));
        assert_eq!(positions[0].candidates.len(), 3);
        assert!((positions[0].candidates[1].1 + 3.6442697).abs() < 1e-9);
    }

    #[test]
    fn a_recorded_answer_for_single_tokens_gives_them_and_no_other() {
        // vLLM 0.32.0, `logprob_token_ids: [418, 1994, 2001, 5]`, shortened.
        let answer = r#"{"choices":[{"index":0,"text":" St","logprobs":{"text_offset":[0],"token_logprobs":[-2.6235969],
            "tokens":["token_id:1369"],"top_logprobs":[{"token_id:1369":-2.6235969,"token_id:418":-3.9514758,
            "token_id:1994":-3.6442697,"token_id:2001":-10.024911,"token_id:5":-9.8807}]},"finish_reason":"length"}]}"#;
        let candidates = |ids: &[u32]| {
            let event: CompletionEvent = serde_json::from_str(answer).unwrap();
            event.candidates(&CandidateQuery::Tokens(ids.iter().copied().map(TokenId).collect()))
        };
        let known = candidates(&[418, 1994, 2001, 5]).unwrap();
        let ids: Vec<u32> = known.iter().map(|(id, _)| id.0).collect();
        assert_eq!(ids, [418, 1994, 2001, 5]);
        let error = candidates(&[418, 77]).unwrap_err();
        assert!(matches!(error, Problem::NotTheTokensAskedFor { asked: 2, given: 1 }));
    }

    #[test]
    fn text_without_logprobs_is_an_error_and_an_empty_end_is_not() {
        let text = r#"{"choices":[{"text":"Hi","logprobs":null,"finish_reason":null}]}"#;
        assert!(matches!(choice(text).positions(20), Err(Problem::NoLogprobs)));
        let end = r#"{"choices":[{"text":"","logprobs":null,"finish_reason":"length"}]}"#;
        assert!(choice(end).positions(20).unwrap().is_empty());
    }

    #[test]
    fn names_instead_of_ids_are_an_error_that_shows_one() {
        let event = r#"{"choices":[{"text":" St","logprobs":{"tokens":[" St"],"token_logprobs":[-2.6],
            "top_logprobs":[{" St":-2.6}]},"finish_reason":null}]}"#;
        let error = choice(event).positions(20).unwrap_err();
        assert!(error.to_string().contains("\" St\""), "{error}");
    }
}
