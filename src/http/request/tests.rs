use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use super::*;

/// A word that no error may repeat.
const WORD: &str = "Wilhelmina";

/// Requests with most of what each API has.
fn requests() -> [Value; 4] {
    let call = json!({"id": "a", "type": "function", "function": {"name": "find", "arguments": "{}"}});
    let tool =
        json!({"type": "function", "function": {"name": "find", "description": "x", "parameters": {"type": "object"}}});
    [
        json!({"model": "m", "temperature": 1, "max_completion_tokens": 9, "stream_options": {"include_usage": true}, "stop": ["x"],
            "logit_bias": {"5": 1}, "logprobs": true, "top_logprobs": 2, "tools": [tool], "tool_choice": {"type": "function", "function": {"name": "find"}},
            "chat_template_kwargs": {"x": 1}, "thinking": {"type": "disabled"}, "seed": 1, "options": {"num_ctx": 1}, "reasoning": {"effort": "low"},
            "messages": [{"role": "user", "name": "Ada", "content": [{"type": "text", "text": "Hi"}]},
                {"role": "assistant", "content": null, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "a", "content": "x"}]}),
        json!({"prompt": ["Hi", [1, 2]], "logprobs": 1, "best_of": 1, "n": 1, "top_k": 5, "repeat_penalty": 1, "samplers": ["top_k"],
            "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}}),
        json!({"instructions": "Be kind.", "max_output_tokens": 9, "text": {"format": {"type": "json_schema", "name": "x", "schema": {}}},
            "reasoning": {"effort": "low"}, "include": ["x"], "truncation": "disabled", "structured_outputs": null,
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}, {"type": "reasoning", "content": null},
                {"type": "function_call", "call_id": "a", "name": "find", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "a", "output": "x"}]}),
        json!({"max_tokens": 9, "system": [{"type": "text", "text": "x"}], "stop_sequences": ["x"], "output_config": {"effort": "low"},
            "tools": [{"name": "find", "input_schema": {}}], "tool_choice": {"type": "tool", "name": "find"}, "metadata": {"user_id": "x"},
            "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [{"type": "thinking", "thinking": "x"},
                {"type": "tool_use", "id": "a", "name": "find", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "x"}]}]}),
    ]
}

fn read(api: usize, body: &Map<String, Value>) -> Result<(), String> {
    let read = match api {
        0 => chat_request(body),
        1 => completion_request(body),
        2 => responses_request(body),
        _ => messages_request(body),
    };
    read.map(|_| ()).map_err(|error| match error {
        RequestError::Invalid(error) => error.body().to_string(),
        RequestError::Unsteerable { field, reason } => format!("{field}: {reason}"),
    })
}

/// Where a value has values.
fn places(value: &Value, at: &str) -> Vec<String> {
    let beneath: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (format!("{at}/{name}"), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(index, value)| (format!("{at}/{index}"), value))
            .collect(),
        _ => Vec::new(),
    };
    beneath
        .into_iter()
        .flat_map(|(at, value)| [places(value, &at), vec![at]].concat())
        .collect()
}

fn other() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(WORD)),
        Just(json!(format!("{WORD}, expected {WORD}"))),
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let names = prop_oneof![
            Just("type"),
            Just("text"),
            Just("name"),
            Just("function"),
            Just("content")
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..3).prop_map(|fields| fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

#[test]
fn each_is_read_as_it_is() {
    for (api, body) in requests().iter().enumerate() {
        assert_eq!(read(api, body.as_object().unwrap()), Ok(()));
    }
}

proptest! {
    /// Whatever stands wherever, the request is read, or refused in words that quote nothing of it.
    #[test]
    fn errors_quote_nothing(api in 0..4usize, place in any::<Index>(), other in other()) {
        let mut body = requests()[api].clone();
        let places = places(&body, "");
        let place: &String = place.get(&places);
        *body.pointer_mut(place).unwrap() = other;
        if let Err(said) = read(api, body.as_object().unwrap()) {
            prop_assert!(!said.contains(WORD), "{said}");
        }
    }
}
