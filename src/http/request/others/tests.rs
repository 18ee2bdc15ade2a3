use serde_json::json;

use super::*;
use crate::http::request::chat::chat_request;
use crate::http::request::completion::completion_request;
use crate::service::Options;

/// What became of a chat with these fields: the options, or the field that is refused.
fn read(fields: Value) -> Result<Options, String> {
    let mut body = json!({"messages": [{"role": "user", "content": "Hi"}]});
    body.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    let request = chat_request(body.as_object().unwrap()).map_err(|error| match error {
        RequestError::Invalid(error) => format!(
            "invalid {}",
            error.body()["error"]["param"].as_str().unwrap_or_default()
        ),
        RequestError::Unsteerable { field, .. } => format!("unsteerable {field}"),
    })?;
    Ok(request.options)
}

#[test]
fn other_names_mean_the_same() {
    for (ours, theirs) in [
        (json!({"repetition_penalty": 1.1}), json!({"repeat_penalty": 1.1})),
        (json!({"max_tokens": 7}), json!({"n_predict": 7})),
        (
            json!({"max_tokens": 7}),
            json!({"options": {"num_predict": 7, "num_ctx": 4096}}),
        ),
        (json!({"stop": ["x"]}), json!({"stop_sequence": ["x"]})),
        (
            json!({"logit_bias": {"5": -100, "6": 1.5}}),
            json!({"logit_bias": [[5, false], [6, 1.5]]}),
        ),
        (json!({}), json!({"logit_bias": [], "n_predict": -2})),
        (json!({"max_tokens": 7}), json!({"max_tokens": 7, "n_predict": 9})),
        (
            json!({"temperature": 0.5}),
            json!({"temperature": 0.5, "options": {"temperature": 1.5}}),
        ),
    ] {
        let with_seed = |mut fields: Value| {
            fields["seed"] = json!(1);
            read(fields).unwrap()
        };
        assert_eq!(with_seed(ours), with_seed(theirs.clone()), "{theirs}");
    }
    assert_eq!(read(json!({"random_seed": 5})).unwrap().sampling.seed, 5);
    assert_eq!(
        read(json!({"repeat_penalty": "x"})).unwrap_err(),
        "invalid repeat_penalty"
    );
    assert_eq!(
        read(json!({"options": {"num_predict": 0}})).unwrap_err(),
        "invalid num_predict"
    );
}

#[test]
fn what_asks_for_nothing_is_taken() {
    for fields in [
        json!({"typical_p": 1, "tfs_z": 1.0, "top_a": 0, "mirostat": 0, "mirostat_tau": 5.0, "mirostat_eta": 0.1}),
        json!({"xtc_probability": 0, "xtc_threshold": 0.1, "dry_multiplier": 0.0, "dry_base": 1.75, "dry_sequence_breakers": ["\n"]}),
        json!({"min_tokens": 0, "ignore_eos": false, "best_of": 1, "use_beam_search": false, "length_penalty": 1.2}),
        json!({"n": 2, "best_of": 2, "temperature": 1}),
        json!({"stop_token_ids": [], "skip_special_tokens": false, "include_stop_str_in_output": false}),
        json!({"cache_prompt": true, "id_slot": -1, "num_ctx": 8192, "n_probs": 0, "min_keep": 0}),
        json!({"dynatemp_range": 0, "dynatemp_exponent": 1, "repeat_last_n": 64, "penalize_nl": false}),
        json!({"repeat_penalty": 1.1, "repeat_last_n": -1, "rep_pen_range": 0}),
        json!({"samplers": ["top_k", "top_p", "temperature"], "temperature": 0, "top_p": 0.5, "top_k": 5}),
        json!({"samplers": ["temperature", "min_p", "top_k", "top_p"], "temperature": 0.7, "top_p": 0.5, "top_k": 5}),
        json!({"samplers": ["top_k", "typ_p", "top_p", "temperature"], "temperature": 0.7}),
        json!({"samplers": "kfypmt", "temperature": 0.7}),
        json!({"temperature_last": true, "temperature": 0.7}),
        json!({"service_tier": "auto", "metadata": {"a": "b"}, "store": true, "prompt_cache_key": "x"}),
        json!({"safety_identifier": "x", "verbosity": "low", "prediction": {"type": "content", "content": "x"}}),
        json!({"modalities": ["text"], "echo": false, "usage": {"include": true}, "web_search_options": null}),
        json!({"reasoning": {"effort": "low"}, "think": false, "top_n_sigma": -1, "reasoning_format": "auto"}),
    ] {
        assert!(
            read(fields.clone()).is_ok(),
            "{fields}: {:?}",
            read(fields.clone()).err()
        );
    }
}

#[test]
fn what_would_have_an_effect_is_refused_by_name() {
    for (fields, named) in [
        (json!({"typical_p": 0.9}), "typical_p"),
        (json!({"options": {"tfs_z": 0.9}}), "tfs_z"),
        (json!({"mirostat": 2, "mirostat_tau": 5}), "mirostat"),
        (json!({"xtc_probability": 0.5}), "xtc_probability"),
        (json!({"dry_multiplier": 0.8}), "dry_multiplier"),
        (json!({"min_tokens": 5}), "min_tokens"),
        (json!({"ignore_eos": true}), "ignore_eos"),
        (json!({"best_of": 2}), "best_of"),
        (json!({"best_of": 1, "n": 2}), "best_of"),
        (json!({"use_beam_search": true}), "use_beam_search"),
        (json!({"stop_token_ids": [2]}), "stop_token_ids"),
        (
            json!({"include_stop_str_in_output": true}),
            "include_stop_str_in_output",
        ),
        (json!({"repeat_penalty": 1.1, "repeat_last_n": 64}), "repeat_last_n"),
        (json!({"frequency_penalty": 1, "repeat_last_n": 0}), "repeat_last_n"),
        (
            json!({"samplers": ["top_p", "temperature"], "temperature": 0.7, "top_p": 0.5}),
            "samplers",
        ),
        (json!({"samplers": ["top_k"], "temperature": 0.7}), "samplers"),
        (
            json!({"sampler_order": [6, 0, 1, 3, 4, 2, 5], "temperature": 0.7, "top_p": 0.9}),
            "sampler_order",
        ),
        (
            json!({"temperature_last": true, "temperature": 0.7, "top_p": 0.5}),
            "temperature_last",
        ),
        (json!({"modalities": ["text", "audio"]}), "modalities"),
        (json!({"audio": {"voice": "x"}}), "audio"),
        (json!({"web_search_options": {}}), "web_search_options"),
        (json!({"top_a": "0.1"}), "top_a"),
    ] {
        assert_eq!(
            read(fields.clone()).unwrap_err(),
            format!("unsteerable {named}"),
            "{fields}"
        );
    }
}

#[test]
fn no_name_stands_twice_and_none_of_ours_is_in_the_table() {
    let mut body = json!({"prompt": "Hi", "max_tokens": 1, "temperature": 0, "top_p": 1, "top_k": 0, "min_p": 0, "seed": 1,
        "presence_penalty": 0, "frequency_penalty": 0, "repetition_penalty": 1, "logit_bias": {}, "n": 1, "stop": "x", "stream": true,
        "model": "m", "logprobs": 1});
    let before = body.clone();
    let others = Others::take(body.as_object_mut().unwrap());
    assert!(others.open.is_empty() && others.renamed.is_empty());
    assert_eq!(body, before);
    assert!(completion_request(body.as_object().unwrap()).is_ok());
    let names = table::names();
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len());
}
