//! Requests as clients of other servers write them.

use serde_json::{Value, json};

use crate::drivers::{Host, chat_host};
use crate::support::{CONTEXT, DINNER, ask, content, default_proxy, proxy, question, run, streamed_content};

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
        for address in [default_proxy().await, by_text] {
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
            json!({"prompt": "My dog is called", "n_predict": 3, "echo": false, "add_special_tokens": false});
        let answer = crate::support::post(address, "/v1/completions", completion.to_string(), &STEER).await;
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["usage"]["completion_tokens"], 3);
    });
}
