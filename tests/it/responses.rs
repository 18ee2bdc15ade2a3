//! `POST /v1/responses`, through sockets.

use serde_json::{Value, json};

use crate::support::{
    CONTEXT, DINNER, ask, content, default_proxy, events, post, proxy, question, recorder, run, steered, upstream,
};

const PATH: &str = "/v1/responses";

fn asked(input: Value) -> Value {
    json!({"input": input, "temperature": 0, "max_output_tokens": 96})
}

#[test]
fn it_says_what_a_chat_says_and_keeps_nothing() {
    run(async {
        let address = default_proxy().await;
        let chat = ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
        let chat: Value = chat.json().await.unwrap();
        let text = |answer: &Value| answer["output"][0]["content"][0]["text"].as_str().unwrap().to_owned();
        let mut body = asked(json!(DINNER));
        body["metadata"] = json!({"a": "b"});
        body["store"] = json!(true);
        body["truncation"] = json!("disabled");
        let answer = steered(address, PATH, &body).await;
        assert_eq!(text(&answer), content(&chat));
        assert_eq!(
            (&answer["object"], &answer["status"]),
            (&json!("response"), &json!("completed"))
        );
        assert_eq!(
            (&answer["store"], &answer["metadata"]),
            (&json!(false), &json!({"a": "b"}))
        );
        assert_eq!(answer["usage"]["input_tokens"], chat["usage"]["prompt_tokens"]);
        assert_eq!(answer["usage"]["output_tokens"], answer["costeer"]["positions"]);
        let parts = json!([{"role": "user", "content": [{"type": "input_text", "text": DINNER}]}]);
        assert_eq!(text(&steered(address, PATH, &asked(parts)).await), content(&chat));
        // Instructions are what the system says.
        let mut body = asked(json!(DINNER));
        body["instructions"] = json!("Be short.");
        let mut chat = question(DINNER);
        chat["messages"] = json!([{"role": "system", "content": "Be short."}, {"role": "user", "content": DINNER}]);
        let chat = ask(address, &chat, &[("x-costeer-context", CONTEXT)]).await;
        assert_eq!(
            text(&steered(address, PATH, &body).await),
            content(&chat.json().await.unwrap())
        );
    });
}

#[test]
fn a_stream_has_the_events_that_lead_to_the_whole() {
    run(async {
        let address = default_proxy().await;
        let mut body = asked(json!(DINNER));
        body["include"] = json!(["message.output_text.logprobs"]);
        body["top_logprobs"] = json!(2);
        body["costeer"] = json!({"trace": true});
        let whole = steered(address, PATH, &body).await;
        body["stream"] = json!(true);
        let response = post(address, PATH, body.to_string(), &[("x-costeer-context", CONTEXT)]).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let stream = response.text().await.unwrap();
        let named: Vec<&str> = stream.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        let data: Vec<Value> = events(&stream)
            .iter()
            .map(|data| serde_json::from_str(data).unwrap())
            .collect();
        assert_eq!(named.len(), data.len());
        for (number, (name, data)) in named.iter().zip(&data).enumerate() {
            assert_eq!(
                (&data["type"], &data["sequence_number"]),
                (&json!(name), &json!(number))
            );
        }
        let begin = ["created", "in_progress", "output_item.added", "content_part.added"];
        let end = ["output_text.done", "content_part.done", "output_item.done", "completed"];
        let is = |names: &[&str], wanted: [&str; 4]| names == wanted.map(|name| format!("response.{name}"));
        assert!(
            is(&named[..4], begin) && is(&named[named.len() - 4..], end),
            "{named:?}"
        );
        let deltas = &data[4..data.len() - 4];
        assert!(deltas.iter().all(|delta| delta["type"] == "response.output_text.delta"));
        let text: String = deltas.iter().filter_map(|delta| delta["delta"].as_str()).collect();
        let said = &whole["output"][0]["content"][0];
        assert_eq!(said["text"], text);
        let last = &data.last().unwrap()["response"];
        assert_eq!(last["output"][0]["content"][0], *said);
        assert_eq!(last["usage"], whole["usage"]);
        assert_eq!(last["costeer"]["positions"], whole["costeer"]["positions"]);
        assert_eq!(
            last["costeer"]["trace"][0]["positions"].as_array().unwrap().len() as u64,
            whole["costeer"]["positions"].as_u64().unwrap()
        );
        let listed = said["logprobs"].as_array().unwrap();
        assert!(
            !listed.is_empty()
                && listed
                    .iter()
                    .all(|one| one["top_logprobs"].as_array().unwrap().len() == 2)
        );
        assert_eq!(data[0]["response"]["output"], json!([]));
    });
}

#[test]
fn a_limit_leaves_it_incomplete() {
    run(async {
        let mut body = asked(json!(DINNER));
        body["max_output_tokens"] = json!(3);
        let answer = steered(default_proxy().await, PATH, &body).await;
        assert_eq!(answer["status"], "incomplete");
        assert_eq!(answer["incomplete_details"], json!({"reason": "max_output_tokens"}));
        assert_eq!(answer["output"][0]["status"], "incomplete");
        body["stream"] = json!(true);
        let response = post(
            default_proxy().await,
            PATH,
            body.to_string(),
            &[("x-costeer-context", CONTEXT)],
        )
        .await;
        let stream = response.text().await.unwrap();
        assert!(stream.contains("event: response.incomplete") && !stream.contains("response.completed"));
    });
}

#[test]
fn what_is_wrong_or_cannot_be_steered_is_named_as_it_was_written() {
    run(async {
        let address = default_proxy().await;
        for (field, value, named) in [
            ("previous_response_id", json!("resp_1"), "previous_response_id"),
            ("conversation", json!({"id": "conv_1"}), "conversation"),
            ("background", json!(true), "background"),
            ("tools", json!([{"type": "web_search"}]), "tools[0].type"),
            ("max_output_tokens", json!("many"), "max_output_tokens"),
            ("reasoning", json!({"effort": 3}), "reasoning.effort"),
            ("messages", json!([]), "messages"),
            ("n", json!(2), "n"),
            ("invented_by_a_vendor", json!(1), "invented_by_a_vendor"),
            ("input", json!([]), "input"),
            (
                "input",
                json!([{"role": "user", "content": [{"type": "input_text", "text": 5}]}]),
                "input[0].content[0].text",
            ),
            (
                "input",
                json!([{"role": "user", "content": [{"type": "input_image"}]}]),
                "input[0].content[0]",
            ),
            ("input", json!([{"role": "wizard", "content": "Hi"}]), "input[0].role"),
            (
                "text",
                json!({"format": {"type": "json_schema", "name": "x"}}),
                "text.format.schema",
            ),
            ("tools", json!([{"type": "function", "name": ""}]), "tools[0].name"),
            ("input", json!([{"type": "item_reference", "id": "x"}]), "input[0].type"),
            (
                "input",
                json!([{"type": "function_call", "name": "f", "arguments": "{}"}]),
                "input[0].call_id",
            ),
        ] {
            let mut body = asked(json!(DINNER));
            body[field] = value;
            let response = post(address, PATH, body.to_string(), &[("x-costeer-context", CONTEXT)]).await;
            let (status, error): (_, Value) = (response.status(), response.json().await.unwrap());
            assert_eq!(
                (status.as_u16(), &error["error"]["param"]),
                (400, &json!(named)),
                "{error}"
            );
        }
    });
}

#[test]
fn without_a_context_it_is_the_upstreams() {
    run(async {
        let (recording_at, recording) = recorder(upstream().await).await;
        let (_proxy, address) = proxy(recording_at, &[("context.text", CONTEXT)]).await;
        let body = asked(json!(DINNER)).to_string();
        let declined = post(address, PATH, body.clone(), &[("x-costeer-context", " ")]).await;
        assert_eq!(declined.headers()["x-costeer-steered"], "false");
        assert!(declined.headers().contains_key("x-costeer-reason"));
        let seen = recording.requests();
        assert!(seen.last().unwrap().starts_with("POST /v1/responses"), "{seen:?}");
        assert!(seen.last().unwrap().ends_with(&body), "{seen:?}");
        // A configured context applies here as it does to chats, and where it cannot, the answer says so.
        let steered = post(address, PATH, body, &[]).await;
        assert_eq!(steered.headers()["x-costeer-steered"], "true");
        let other = post(address, "/v1/embeddings", json!({"input": "x"}).to_string(), &[]).await;
        assert_eq!(other.headers()["x-costeer-steered"], "false");
        assert!(other.headers().contains_key("x-costeer-reason"));
    });
}
