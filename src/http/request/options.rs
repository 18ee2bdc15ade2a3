//! What requests of all APIs say in the same words. A match of names reads better than a type of 16 optional fields would: each has its range
//! and its place in [`Options`] on one line, and that is written once.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::RequestError;
use super::read::{Integer, Limit, Number, Whole};
use super::typed::{Content, Object, typed};
use crate::foreign;
use crate::http::ApiError;
use crate::service::Options;

/// Answers to one prompt; each takes the small model's slot for its whole length.
const MOST_CHOICES: usize = 16;
const MOST_STOPS: usize = 16;
/// Each is looked for after every token.
const MOST_STOP_BYTES: usize = 4096;
/// OpenAI's limit.
pub const MOST_LISTED: usize = 20;

/// Reads one field that is no null; false for one that is not among them.
///
/// # Errors
/// 400 naming a field that is wrong.
pub fn read(options: &mut Options, field: &str, value: &Value) -> Result<bool, ApiError> {
    let (sampling, penalties) = (&mut options.sampling, &mut options.penalties);
    match field {
        "model" => options.model = Some(typed(field, value)?),
        "stream" => options.stream = typed(field, value)?,
        "stream_options" => {
            let asked: StreamOptions = typed(field, value)?;
            options.include_usage = asked.include_usage.unwrap_or_default();
        }
        "temperature" => sampling.temperature = typed::<Number<0, 2>>(field, value)?.0,
        // 0 leaves the likeliest token alone, as the smallest number above it does.
        "top_p" => sampling.top_p = typed::<Number<0, 1>>(field, value)?.0.max(f64::MIN_POSITIVE),
        // Vendors write "all" as 0 or -1.
        "top_k" => sampling.top_k = typed::<Limit<0>>(field, value)?.0.unwrap_or(0),
        "min_p" => sampling.min_p = typed::<Number<0, 1>>(field, value)?.0,
        "seed" => {
            let Integer(seed) = typed(field, value)?;
            // Servers have -1 for a random one.
            if seed != -1 {
                sampling.seed = seed.cast_unsigned();
            }
        }
        "presence_penalty" => penalties.presence = typed::<Number<-2, 2>>(field, value)?.0,
        "frequency_penalty" => penalties.frequency = typed::<Number<-2, 2>>(field, value)?.0,
        "repetition_penalty" => {
            penalties.repetition = typed::<Number<0, 100>>(field, value)?.0;
            if penalties.repetition == 0.0 {
                return Err(ApiError::invalid(field, "it must be above 0"));
            }
        }
        "parallel_tool_calls" => options.parallel_calls = typed(field, value)?,
        "logit_bias" => penalties.bias = biases(value)?,
        "n" => options.choices = typed::<Whole<1, MOST_CHOICES>>(field, value)?.0,
        "stop" => options.stop = stops(value)?,
        // The API's own name for it wins, which has been read before.
        "max_tokens" => {
            let Limit(tokens) = typed::<Limit<1>>(field, value)?;
            options.max_tokens = options.max_tokens.or(tokens);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// For a field that steering does not know.
pub fn unknown(field: &str) -> RequestError {
    RequestError::Unsteerable {
        field: foreign::beginning(field, 60),
        reason: "the field asks for something that steered decoding does not do",
    }
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
    #[serde(flatten)]
    _object: Object,
}

fn stops(value: &Value) -> Result<Vec<String>, ApiError> {
    let stops = match typed("stop", value)? {
        Content::Text(stop) => vec![stop],
        Content::Parts(stops) => stops,
    };
    let fits = |stop: &String| (1..=MOST_STOP_BYTES).contains(&stop.len());
    if stops.len() > MOST_STOPS || !stops.iter().all(fits) {
        let wanted = format!(
            "it must be a string, or a list of at most {MOST_STOPS} strings, none of them empty or longer than {MOST_STOP_BYTES} bytes"
        );
        return Err(ApiError::invalid("stop", wanted));
    }
    Ok(stops)
}

fn biases(value: &Value) -> Result<BTreeMap<usize, f64>, ApiError> {
    let wrong = || {
        ApiError::invalid(
            "logit_bias",
            "it must be an object of token ids and numbers from -100 to 100",
        )
    };
    let entries: &Map<String, Value> = value.as_object().ok_or_else(wrong)?;
    let bias = |(id, bias): (&String, &Value)| {
        // `parse` takes a sign as well.
        let digits = Some(id).filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
        let id = digits.and_then(|id| id.parse().ok()).ok_or_else(wrong)?;
        let bias = bias.as_f64().filter(|bias| (-100.0..=100.0).contains(bias));
        Ok((id, bias.ok_or_else(wrong)?))
    };
    entries.iter().map(bias).collect()
}
