//! The order in which samplers act. Here it is fixed: temperature, `min_p` and `top_k`, `top_p`.

use serde_json::Value;

use crate::service::{Options, PublicRequest};

/// Samplers that may act here, in their order, as other servers call them: by name, by llama.cpp's letter, by KoboldCpp's number.
const OURS: [(&[&str], char, Option<u64>); 4] = [
    (&["temperature", "temp"], 't', Some(5)),
    (&["min_p"], 'm', None),
    (&["top_k"], 'k', Some(0)),
    (&["top_p"], 'p', Some(2)),
];

/// Which of ours change anything.
fn acting(options: &Options) -> [bool; 4] {
    let sampling = &options.sampling;
    [
        sampling.temperature != 1.0,
        sampling.min_p > 0.0,
        sampling.top_k > 0,
        sampling.top_p < 1.0,
    ]
}

/// Whether the order that is asked for gives the same as ours.
pub fn is_ours(value: &Value, request: &PublicRequest) -> bool {
    let options = &request.options;
    if options.sampling.temperature == 0.0 {
        return true;
    }
    let place = |wanted: &Value| match wanted {
        Value::String(name) => OURS.iter().position(|(names, ..)| names.contains(&name.as_str())),
        Value::Number(number) => OURS
            .iter()
            .position(|(.., ours)| ours.is_some() && *ours == number.as_u64()),
        _ => None,
    };
    let wanted: Vec<usize> = match value {
        Value::Array(list) => list.iter().filter_map(place).collect(),
        Value::String(letters) => {
            let place = |letter| OURS.iter().position(|(_, ours, _)| *ours == letter);
            letters.chars().filter_map(place).collect()
        }
        _ => return false,
    };
    let acts = acting(options);
    let acting_in = |places: &mut dyn Iterator<Item = usize>| -> Vec<usize> {
        places.filter(|place| acts.get(*place) == Some(&true)).collect()
    };
    acting_in(&mut wanted.into_iter()) == acting_in(&mut (0..OURS.len()))
}

/// Whether it makes no difference that the temperature comes last.
pub fn last_is_no_different(value: &Value, request: &PublicRequest) -> bool {
    let options = &request.options;
    let [temperature, others @ ..] = acting(options);
    value.as_bool() == Some(false) || options.sampling.temperature == 0.0 || !temperature || !others.contains(&true)
}
