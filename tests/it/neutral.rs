//! Fields by which clients ask for nothing: nulls, empty values, and what is so anyway. Libraries and front ends send them with every request.

use serde_json::{Value, json};

use crate::support::{DINNER, default_proxy, run, steered};

/// What each of `fields` changes in the answer to `body`, which is found in it at `pointer`: nothing.
async fn changes_nothing(path: &str, body: Value, pointer: &str, fields: &[Value]) {
    let address = default_proxy().await;
    let answer = async |body: &Value| {
        let answer = steered(address, path, body).await;
        (answer.pointer(pointer).unwrap().clone(), answer["usage"].clone())
    };
    let plain = answer(&body).await;
    for fields in fields {
        let mut body = body.clone();
        let all = body.as_object_mut().unwrap();
        all.extend(fields.as_object().unwrap().clone());
        assert_eq!(answer(&body).await, plain, "{path}: {fields}");
    }
}

/// Of chats and of texts.
fn of_both() -> Vec<Value> {
    vec![
        json!({"stop": []}),
        json!({"stop": null, "user": null, "seed": null, "n": null, "stream": null, "logit_bias": null}),
        json!({"user": "", "logit_bias": {}, "n": 1, "best_of": 1, "presence_penalty": 0, "frequency_penalty": 0.0}),
        json!({"n": 1.0, "best_of": 1.0, "seed": -1, "top_p": 1, "top_k": -1, "min_p": 0, "repetition_penalty": 1.0}),
        json!({"stream_options": {"include_usage": true}}),
        json!({"stream_options": {}, "suffix": "", "echo": false}),
        json!({"stream_options": null, "suffix": null, "echo": null, "best_of": null}),
        json!({"response_format": {"type": "text"}}),
        json!({"response_format": null, "guided_json": null, "structured_outputs": {}, "grammar": ""}),
        json!({"metadata": {}, "store": null, "service_tier": null, "options": {}, "stop_token_ids": [], "bad_words": null}),
        json!({"min_tokens": 0, "ignore_eos": false, "length_penalty": 1.0, "skip_special_tokens": true, "use_beam_search": false}),
    ]
}

#[test]
fn in_chats() {
    run(async {
        let messages = json!([{"role": "user", "content": DINNER}]);
        let body = json!({"messages": messages, "temperature": 0, "max_tokens": 8});
        let mut fields = of_both();
        fields.extend([
            json!({"tools": []}),
            json!({"tools": null, "tool_choice": null, "functions": null, "function_call": null}),
            json!({"tool_choice": "none"}),
            json!({"tool_choice": "auto", "tools": [], "functions": [], "function_call": "auto"}),
            json!({"function_call": "none", "parallel_tool_calls": true}),
            json!({"parallel_tool_calls": null, "reasoning_effort": null, "verbosity": null, "modalities": ["text"]}),
            json!({"logprobs": false, "top_logprobs": 0}),
            json!({"logprobs": null, "top_logprobs": null, "audio": null, "prediction": null, "web_search_options": null}),
            json!({"max_tokens": null, "max_completion_tokens": 8.0}),
            json!({"max_tokens": 8.0, "max_completion_tokens": null}),
            json!({"max_tokens": 8, "max_completion_tokens": -1}),
            json!({"add_generation_prompt": true, "continue_final_message": false, "chat_template_kwargs": {}}),
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": DINNER}]}]}),
            json!({"messages": [{"role": "user", "content": DINNER, "name": null, "tool_calls": [], "refusal": null, "audio": null, "function_call": null}]}),
        ]);
        changes_nothing("/v1/chat/completions", body, "/choices/0/message/content", &fields).await;
    });
}

#[test]
fn in_texts() {
    run(async {
        let body = json!({"prompt": "My dog is called", "temperature": 0, "max_tokens": 4});
        let mut fields = of_both();
        fields.extend([
            json!({"logprobs": 0}),
            json!({"logprobs": null}),
            json!({"prompt": ["My dog is called"]}),
        ]);
        changes_nothing("/v1/completions", body.clone(), "/choices/0/text", &fields).await;
        // No others are listed beside a token, but the token is.
        let mut listed = body;
        listed["logprobs"] = json!(0);
        let answer = steered(default_proxy().await, "/v1/completions", &listed).await;
        let logprobs = &answer["choices"][0]["logprobs"];
        assert_eq!(logprobs["token_logprobs"].as_array().unwrap().len(), 4);
    });
}

#[test]
fn in_responses() {
    run(async {
        let body = json!({"input": DINNER, "temperature": 0, "max_output_tokens": 8});
        let fields = [
            json!({"instructions": null, "tools": [], "tool_choice": "auto", "include": [], "parallel_tool_calls": true}),
            json!({"instructions": ""}),
            json!({"tool_choice": "none", "reasoning": {}, "text": {}, "top_logprobs": 0, "store": false}),
            json!({"tool_choice": null, "tools": null, "reasoning": {"effort": null, "summary": null}, "include": null}),
            json!({"text": {"format": {"type": "text"}, "verbosity": "medium"}, "truncation": "disabled", "background": false}),
            json!({"text": null, "truncation": null, "background": null, "conversation": null, "prompt": null}),
            json!({"previous_response_id": null, "max_tool_calls": null, "stream_options": null, "user": null, "metadata": null}),
            json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": DINNER}]}]}),
        ];
        changes_nothing("/v1/responses", body, "/output/0/content/0/text", &fields).await;
    });
}

#[test]
fn in_anthropics_messages() {
    run(async {
        let messages = json!([{"role": "user", "content": DINNER}]);
        let body = json!({"messages": messages, "temperature": 0, "max_tokens": 8});
        let fields = [
            json!({"system": null, "tools": [], "tool_choice": {"type": "auto"}, "stop_sequences": []}),
            json!({"system": ""}),
            json!({"system": []}),
            json!({"system": [{"type": "text", "text": ""}], "stop_sequences": null, "metadata": {"user_id": null}}),
            json!({"tool_choice": {"type": "none"}, "tools": null, "mcp_servers": [], "container": null}),
            json!({"tool_choice": null, "output_config": {}, "service_tier": "auto", "top_k": null, "stream": false}),
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": DINNER}]}]}),
        ];
        changes_nothing("/v1/messages", body, "/content/0/text", &fields).await;
    });
}
