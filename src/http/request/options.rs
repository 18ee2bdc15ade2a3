use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::RequestError;
use super::read::{flag, integer, limit, number, text, whole};
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
/// [`RequestError`] naming a field that is wrong.
pub fn read(options: &mut Options, field: &str, value: &Value) -> Result<bool, RequestError> {
    let sampling = &mut options.sampling;
    match field {
        "model" => options.model = Some(text(field, value)?.to_owned()),
        "stream" => options.stream = flag(field, value)?,
        "stream_options" => options.include_usage = include_usage(value)?,
        "temperature" => sampling.temperature = number(field, value, 0.0, 2.0)?,
        "top_p" => {
            // 0 leaves the likeliest token alone, as the smallest number above it does.
            sampling.top_p = number(field, value, 0.0, 1.0)?.max(f64::MIN_POSITIVE);
        }
        // Vendors write "all" as 0 or -1.
        "top_k" if integer(value) == Some(-1) => sampling.top_k = 0,
        "top_k" => sampling.top_k = whole(field, value, 0, usize::MAX)?,
        "min_p" => sampling.min_p = number(field, value, 0.0, 1.0)?,
        "seed" => {
            let seed = integer(value).ok_or_else(|| ApiError::invalid(field, "it must be an integer"))?;
            // Servers have -1 for a random one.
            if seed != -1 {
                sampling.seed = seed.cast_unsigned();
            }
        }
        "presence_penalty" => options.penalties.presence = number(field, value, -2.0, 2.0)?,
        "frequency_penalty" => options.penalties.frequency = number(field, value, -2.0, 2.0)?,
        "repetition_penalty" => {
            options.penalties.repetition = number(field, value, 0.0, 100.0)?;
            if options.penalties.repetition == 0.0 {
                return Err(ApiError::invalid(field, "it must be above 0").into());
            }
        }
        "parallel_tool_calls" => options.parallel_calls = flag(field, value)?,
        "logit_bias" => options.penalties.bias = biases(value)?,
        "n" => options.choices = whole(field, value, 1, MOST_CHOICES)?,
        "stop" => options.stop = stops(value)?,
        // The newer name wins, in whatever order they come.
        "max_tokens" => {
            let tokens = limit(field, value)?;
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

fn include_usage(options: &Value) -> Result<bool, ApiError> {
    let options = options
        .as_object()
        .ok_or_else(|| ApiError::invalid("stream_options", "it must be an object"))?;
    match options.get("include_usage").filter(|include| !include.is_null()) {
        Some(include) => flag("stream_options.include_usage", include),
        None => Ok(false),
    }
}

fn stops(value: &Value) -> Result<Vec<String>, ApiError> {
    let wrong = || {
        let wanted = format!(
            "it must be a string, or a list of at most {MOST_STOPS} strings, none of them empty or longer than {MOST_STOP_BYTES} bytes"
        );
        ApiError::invalid("stop", wanted)
    };
    let stops: Vec<String> = match value {
        Value::String(stop) => vec![stop.clone()],
        Value::Array(stops) => {
            let texts = stops.iter().map(|stop| stop.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or_else(wrong)?
        }
        _ => return Err(wrong()),
    };
    let fits = |stop: &String| (1..=MOST_STOP_BYTES).contains(&stop.len());
    if stops.len() > MOST_STOPS || !stops.iter().all(fits) {
        return Err(wrong());
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
