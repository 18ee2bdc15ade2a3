//! Requests as clients of other servers write them.

use serde_json::{Value, json};

use crate::drivers::{Host, chat_host};
use crate::support::{
    CONTEXT, DINNER, ask, content, default_proxy, post, proxy, question, run, streamed_content, upstream,
};

const STEER: [(&str, &str); 1] = [("x-costeer-context", CONTEXT)];

/// A chat whose last message is what the assistant has begun to say.
fn begun(text: &str, fields: Value) -> Value {
    let mut body = question(DINNER);
    let message = json!({"role": "assistant", "content": text});
    body["messages"].as_array_mut().unwrap().push(message);
    body.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    body
}

#[test]
fn an_answer_goes_on_with_the_assistants_message_where_the_request_says_so() {
    run(async {
        let host = chat_host(Host::Continues).await;
        let (_chat_host, by_text) = proxy(host, &[("upstream.driver", "openai-chat")]).await;
        // Its server writes the prompts of chats itself.
        let (_by_server, written) = proxy(upstream().await, &[("upstream.tokenizer", "")]).await;
        for address in [default_proxy().await, by_text, written] {
            let whole = ask(address, &question(DINNER), &STEER).await;
            let whole = content(&whole.json().await.unwrap());
            let (place, _) = whole.match_indices(' ').nth(4).unwrap();
            let (first, rest) = whole.split_at(place);
            for fields in [
                json!({"continue_final_message": true}),
                json!({"add_generation_prompt": false}),
                json!({"continue_final_message": true, "add_generation_prompt": false}),
            ] {
                let answer = ask(address, &begun(first, fields), &STEER).await;
                assert_eq!(answer.headers()["x-costeer-steered"], "true");
                assert_eq!(content(&answer.json().await.unwrap()), rest);
            }
            let mut marked = begun(first, json!({"stream": true}));
            marked["messages"][1]["prefix"] = true.into();
            let stream = ask(address, &marked, &STEER).await.text().await.unwrap();
            assert_eq!(streamed_content(&stream).0, rest);
            // Without a word about it, another turn begins.
            let answer = ask(address, &begun(first, json!({})), &STEER).await;
            assert_eq!(answer.status(), 200);
            assert_ne!(content(&answer.json().await.unwrap()), rest);
        }
    });
}

#[test]
fn going_on_with_what_is_not_the_assistants_is_refused() {
    run(async {
        let mut body = question(DINNER);
        body["continue_final_message"] = true.into();
        let answer = ask(default_proxy().await, &body, &STEER).await;
        assert_eq!(answer.status(), 400);
        let said: Value = answer.json().await.unwrap();
        assert_eq!(said["error"]["param"], "continue_final_message");
    });
}

#[test]
fn fields_of_other_servers_change_nothing_or_are_refused_by_name() {
    run(async {
        let address = default_proxy().await;
        let plain = content(&ask(address, &question(DINNER), &STEER).await.json().await.unwrap());
        let mut body = question(DINNER);
        let fields = json!({"typical_p": 1, "mirostat": 0, "cache_prompt": true, "samplers": ["top_k", "temperature"],
            "options": {"num_ctx": 4096}, "repeat_penalty": 1.0, "repeat_last_n": 64, "verbosity": "low", "best_of": 1});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let answer = ask(address, &body, &STEER).await;
        assert_eq!(content(&answer.json().await.unwrap()), plain);
        body["options"]["tfs_z"] = json!(0.5);
        let answer = ask(address, &body, &STEER).await;
        assert_eq!(answer.status(), 400);
        let said: Value = answer.json().await.unwrap();
        assert_eq!(
            (&said["error"]["param"], &said["error"]["code"]),
            (&json!("tfs_z"), &json!("unsupported_parameter"))
        );
        let completion =
            json!({"prompt": "My dog is called", "n_predict": 3, "echo": false, "add_special_tokens": true});
        let answer = post(address, "/v1/completions", completion.to_string(), &STEER).await;
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["usage"]["completion_tokens"], 3);
    });
}

/// vLLM's default is false for a chat, whose template writes them, and true for a text. Prompts in ids have none added.
#[test]
fn special_tokens_are_those_that_the_prompt_has_here() {
    run(async {
        let address = default_proxy().await;
        let chat = json!([{"role": "user", "content": DINNER}]);
        for (path, prompt, value, added) in [
            ("/v1/chat/completions", "messages", &chat, Some(false)),
            ("/v1/completions", "prompt", &json!("My dog"), Some(true)),
            ("/v1/completions", "prompt", &json!(["My dog", "My cat"]), Some(true)),
            ("/v1/completions", "prompt", &json!([300, 301]), None),
        ] {
            for asked in [true, false] {
                let body = json!({prompt: value, "max_tokens": 1, "add_special_tokens": asked});
                let answer = post(address, path, body.to_string(), &STEER).await;
                let is_so = added.is_none_or(|added| added == asked);
                assert_eq!(answer.status(), if is_so { 200 } else { 400 }, "{body}");
                let said: Value = answer.json().await.unwrap();
                assert!(is_so || said["error"]["param"] == "add_special_tokens", "{said}");
            }
        }
    });
}

#[test]
fn a_count_is_that_of_the_prompt_which_the_upstream_reads() {
    run(async {
        let (_by_server, written) = proxy(upstream().await, &[("upstream.tokenizer", "")]).await;
        for address in [default_proxy().await, written] {
            let body = json!({"max_tokens": 1, "messages": [{"role": "user", "content": DINNER}]}).to_string();
            let counted = post(address, "/v1/messages/count_tokens", body.clone(), &STEER).await;
            let counted: Value = counted.json().await.unwrap();
            let answer: Value = post(address, "/v1/messages", body, &STEER).await.json().await.unwrap();
            assert!(counted["input_tokens"].is_u64(), "{counted}");
            assert_eq!(counted["input_tokens"], answer["usage"]["input_tokens"]);
        }
    });
}

#[test]
fn what_claude_code_sends_beside_its_tools_is_taken() {
    run(async {
        let parts = json!([{"type": "text", "text": "Be brief."}, {"type": "text", "text": DINNER, "cache_control": {"type": "ephemeral"}}]);
        let mut body = json!({
            "model": "tiny-llm",
            "messages": [{"role": "user", "content": parts}, {"role": "system", "content": "It is Friday."}],
            "system": [{"type": "text", "text": "You are a helpful assistant.", "cache_control": {"type": "ephemeral"}}],
            "tools": [],
            "metadata": {"user_id": "{}"},
            "max_tokens": 32000,
            "thinking": {"type": "adaptive"},
            "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
            "output_config": {"effort": "high"},
        });
        let ask = async |body: &Value| {
            let answer = post(
                default_proxy().await,
                "/v1/messages?beta=true",
                body.to_string(),
                &STEER,
            )
            .await;
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let (status, said) = ask(&body).await;
        assert_eq!(status, 200, "{said}");
        body["context_management"]["edits"][0]["keep"] = json!({"type": "thinking_turns", "value": 1});
        let (status, said) = ask(&body).await;
        assert!(status == 400 && said.contains("context_management"), "{said}");
    });
}
