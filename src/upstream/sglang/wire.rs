//! SGLang's requests and answers, as far as steering needs them.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::upstream::lenient::nullable;
use crate::upstream::ranking::{answering, ranked};
use crate::upstream::reader::{Dialect, Read};
use crate::upstream::{CandidateQuery, Position, Prefix, Problem};
use crate::vocabulary::TokenId;

/// Greedy, with every sampling setting spelled out.
pub fn body(prefix: &Prefix, positions: usize, candidates: usize) -> Value {
    json!({
        "input_ids": prefix.ids,
        "sampling_params": {
            "max_new_tokens": positions,
            "temperature": 0.0,
            "top_p": 1.0,
            "top_k": -1,
            "min_p": 0.0,
            "frequency_penalty": 0.0,
            "presence_penalty": 0.0,
            "repetition_penalty": 1.0,
        },
        "return_logprob": true,
        "top_logprobs_num": candidates,
        "return_text_in_logprobs": false,
    })
}

/// What was asked for, out of an answer of one position.
///
/// # Errors
/// [`Problem::NoLogprobs`]; as for [`answering`].
pub fn candidates(answer: Event, wanted: &CandidateQuery) -> Result<Vec<(TokenId, f64)>, Problem> {
    let meta = answer.meta_info.ok_or(Problem::NoLogprobs)?;
    let first = |lists: Option<Vec<Option<Vec<Entry>>>>| lists.into_iter().flatten().next().flatten();
    let known = match wanted {
        CandidateQuery::Likeliest(_) => first(meta.output_top_logprobs).ok_or(Problem::NoLogprobs)?,
        CandidateQuery::Tokens(_) => first(meta.output_token_ids_logprobs).unwrap_or_default(),
    };
    answering(wanted, entries(&known))
}

/// An event of the stream, or the whole answer.
#[derive(Deserialize)]
pub struct Event {
    meta_info: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    /// Tokens generated so far.
    #[serde(default, deserialize_with = "nullable")]
    completion_tokens: usize,
    finish_reason: Option<Value>,
    output_token_logprobs: Option<Vec<Entry>>,
    output_top_logprobs: Option<Vec<Option<Vec<Entry>>>>,
    output_token_ids_logprobs: Option<Vec<Option<Vec<Entry>>>>,
}

/// ln p, token, and the token's text, which was not asked for.
#[derive(Deserialize)]
struct Entry(
    f64,
    u32,
    #[serde(default)]
    #[expect(dead_code, reason = "part of the array's shape")]
    Option<String>,
);

fn entries(list: &[Entry]) -> Vec<(TokenId, f64)> {
    list.iter()
        .map(|Entry(logprob, id, _)| (TokenId(*id), *logprob))
        .collect()
}

pub struct Events {
    pub top_k: usize,
    /// Positions read so far.
    pub seen: usize,
}

impl Dialect for Events {
    type Event = Event;
    type Item = Position;

    /// By default each event repeats all lists from the first token on; with `--incremental-streaming-output` it brings the
    /// new ones only. The count of tokens tells which.
    fn read(&mut self, event: Event) -> Result<Read<Position>, Problem> {
        let Some(meta) = event.meta_info else {
            return Ok(Read {
                items: Vec::new(),
                finished: false,
            });
        };
        let finished = meta
            .finish_reason
            .is_some_and(|reason| !reason.is_null() && reason != "");
        let new = meta.completion_tokens.checked_sub(self.seen).ok_or_else(|| {
            let (now, seen) = (meta.completion_tokens, self.seen);
            Problem::Malformed(format!("its stream went back from {seen} tokens to {now}"))
        })?;
        if new == 0 {
            return Ok(Read {
                items: Vec::new(),
                finished,
            });
        }
        let sampled = meta.output_token_logprobs.ok_or(Problem::NoLogprobs)?;
        let lists = meta.output_top_logprobs.ok_or(Problem::NoLogprobs)?;
        let (count, listed) = (sampled.len(), lists.len());
        if count != listed || (count != new && count != meta.completion_tokens) {
            return Err(Problem::Malformed(format!(
                "{} tokens are there, with {count} log-probabilities and {listed} lists",
                meta.completion_tokens
            )));
        }
        let fresh = sampled.into_iter().zip(lists).skip(count - new);
        let positions = fresh.map(|(Entry(_, draft, _), list)| {
            Ok(Position {
                draft: TokenId(draft),
                candidates: ranked(entries(&list.ok_or(Problem::NoLogprobs)?), self.top_k)?,
            })
        });
        let items = positions.collect::<Result<_, Problem>>()?;
        self.seen = meta.completion_tokens;
        Ok(Read { items, finished })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(tokens: usize, sampled: &[u32], finish: Value) -> Event {
        let entry = |id: &u32| json!([-0.5, id, null]);
        let list = |id: &u32| json!([[-0.5, id, null], [-1.0, 7]]);
        let event = json!({"text": "", "output_ids": sampled, "meta_info": {
            "id": "1", "finish_reason": finish, "prompt_tokens": 3, "completion_tokens": tokens, "cached_tokens": 0,
            "output_token_logprobs": sampled.iter().map(entry).collect::<Vec<_>>(),
            "output_top_logprobs": sampled.iter().map(list).collect::<Vec<_>>(),
        }});
        serde_json::from_value(event).unwrap()
    }

    fn drafts(events: Vec<Event>) -> Result<Vec<u32>, Problem> {
        let mut reader = Events { top_k: 2, seen: 0 };
        let mut drafts = Vec::new();
        for event in events {
            drafts.extend(reader.read(event)?.items.iter().map(|position| position.draft.0));
        }
        Ok(drafts)
    }

    #[test]
    fn streams_that_repeat_and_streams_that_do_not_give_the_same() {
        let length = json!({"type": "length", "length": 3});
        let repeating = vec![
            event(1, &[5], Value::Null),
            event(2, &[5, 6], Value::Null),
            event(3, &[5, 6, 8], length.clone()),
        ];
        assert_eq!(drafts(repeating).unwrap(), [5, 6, 8]);
        let incremental = vec![event(1, &[5], Value::Null), event(3, &[6, 8], length)];
        assert_eq!(drafts(incremental).unwrap(), [5, 6, 8]);
    }

    #[test]
    fn a_stream_that_goes_back_is_refused() {
        let error = drafts(vec![event(2, &[5, 6], Value::Null), event(1, &[5], Value::Null)]).unwrap_err();
        assert!(error.to_string().contains("from 2 tokens to 1"), "{error}");
    }

    #[test]
    fn single_tokens_are_found_in_their_own_list() {
        let answer = |ids: &[u32]| {
            let list: Vec<Value> = ids.iter().map(|id| json!([-3.0, id, null])).collect();
            let answer = json!({"meta_info": {"completion_tokens": 1, "finish_reason": {"type": "length"},
                "output_token_logprobs": [[-0.1, 1, null]], "output_token_ids_logprobs": [list]}});
            serde_json::from_value::<Event>(answer).unwrap()
        };
        let wanted = CandidateQuery::Tokens(vec![TokenId(4), TokenId(9)]);
        assert_eq!(candidates(answer(&[4, 9]), &wanted).unwrap().len(), 2);
        assert!(matches!(
            candidates(answer(&[4]), &wanted),
            Err(Problem::NotTheTokensAskedFor { asked: 2, given: 1 })
        ));
    }
}
