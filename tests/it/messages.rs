//! `POST /v1/messages` in Anthropic's form, through sockets.

use serde_json::{Value, json};

use crate::support::{
    CONTEXT, DINNER, Running, ask, content, default_proxy, events, post, proxy, question, recorder, run, steered,
    upstream,
};

const PATH: &str = "/v1/messages";

fn asked(content: Value) -> Value {
    json!({"model": "tiny-llm", "messages": [{"role": "user", "content": content}], "temperature": 0, "max_tokens": 96})
}

#[test]
fn it_says_what_a_chat_says() {
    run(async {
        let address = default_proxy().await;
        let mut chat = question(DINNER);
        chat["messages"] = json!([{"role": "system", "content": "Be short."}, {"role": "user", "content": DINNER}]);
        let chat = ask(address, &chat, &[("x-costeer-context", CONTEXT)]).await;
        let chat: Value = chat.json().await.unwrap();
        for (system, said) in [
            (json!("Be short."), json!(DINNER)),
            (
                json!([{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}}]),
                json!([{"type": "text", "text": DINNER}]),
            ),
        ] {
            let mut body = asked(said);
            body["system"] = system;
            body["metadata"] = json!({"user_id": "x"});
            let answer = steered(address, PATH, &body).await;
            assert_eq!(answer["content"], json!([{"type": "text", "text": content(&chat)}]));
            assert_eq!(
                (&answer["type"], &answer["role"]),
                (&json!("message"), &json!("assistant"))
            );
            assert_eq!(
                (&answer["stop_reason"], &answer["stop_sequence"]),
                (&json!("end_turn"), &Value::Null)
            );
            assert_eq!(answer["usage"]["input_tokens"], chat["usage"]["prompt_tokens"]);
            assert_eq!(answer["usage"]["output_tokens"], answer["costeer"]["positions"]);
        }
    });
}

#[test]
fn a_stream_has_the_events_that_lead_to_the_whole() {
    run(async {
        let address = default_proxy().await;
        let mut body = asked(json!(DINNER));
        let whole = steered(address, PATH, &body).await;
        body["stream"] = json!(true);
        let response = post(address, PATH, body.to_string(), &[("x-costeer-context", CONTEXT)]).await;
        let stream = response.text().await.unwrap();
        let named: Vec<&str> = stream.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        let data: Vec<Value> = events(&stream)
            .iter()
            .map(|data| serde_json::from_str(data).unwrap())
            .collect();
        assert!(named.iter().zip(&data).all(|(name, data)| data["type"] == *name) && named.len() == data.len());
        assert_eq!(named[..3], ["message_start", "ping", "content_block_start"]);
        assert_eq!(
            named[named.len() - 3..],
            ["content_block_stop", "message_delta", "message_stop"]
        );
        let deltas = data.iter().filter_map(|data| data["delta"]["text"].as_str());
        assert_eq!(whole["content"][0]["text"], deltas.collect::<String>());
        assert_eq!(
            data[0]["message"]["usage"]["input_tokens"],
            whole["usage"]["input_tokens"]
        );
        let last = &data[data.len() - 2];
        assert_eq!(
            (&last["usage"], &last["delta"]["stop_reason"]),
            (&whole["usage"], &json!("end_turn"))
        );
        assert_eq!(last["costeer"]["positions"], whole["costeer"]["positions"]);
    });
}

#[test]
fn why_it_ended_is_said_in_anthropics_words() {
    run(async {
        let address = default_proxy().await;
        let mut body = asked(json!(DINNER));
        body["stop_sequences"] = json!(["nothing like it", "vegan"]);
        let answer = steered(address, PATH, &body).await;
        assert_eq!(
            (&answer["stop_reason"], &answer["stop_sequence"]),
            (&json!("stop_sequence"), &json!("vegan"))
        );
        body["max_tokens"] = json!(2);
        assert_eq!(steered(address, PATH, &body).await["stop_reason"], "max_tokens");
    });
}

#[test]
fn what_is_wrong_is_named_in_anthropics_form() {
    run(async {
        let address = default_proxy().await;
        for (field, value, named) in [
            ("max_tokens", Value::Null, "max_tokens"),
            ("stop_sequences", json!([""]), "stop_sequences"),
            (
                "tools",
                json!([{"type": "web_search_20250305", "name": "web_search"}]),
                "tools[0].type",
            ),
            (
                "tools",
                json!([{"type": "mcp_toolset", "mcp_server_name": "x"}]),
                "tools[0].type",
            ),
            ("mcp_servers", json!([{"url": "x"}]), "mcp_servers"),
            ("n", json!(2), "n"),
            (
                "messages",
                json!([{"role": "user", "content": [{"type": "image", "source": {}}]}]),
                "messages[0].content[0]",
            ),
            (
                "messages",
                json!([{"role": "user", "content": [{"type": "text", "text": 5}]}]),
                "messages[0].content[0].text",
            ),
            (
                "messages",
                json!([{"role": "wizard", "content": "Hi"}]),
                "messages[0].role",
            ),
            ("stop_sequences", json!(["x", 5]), "stop_sequences[1]"),
            ("tools", json!([{"name": 5}]), "tools[0].name"),
        ] {
            let mut body = asked(json!(DINNER));
            body[field] = value;
            let response = post(address, PATH, body.to_string(), &[("x-costeer-context", CONTEXT)]).await;
            let (status, error): (_, Value) = (response.status(), response.json().await.unwrap());
            assert_eq!((status.as_u16(), &error["type"]), (400, &json!("error")), "{error}");
            assert_eq!(error["error"]["type"], "invalid_request_error");
            assert!(
                error["error"]["message"].as_str().unwrap().contains(named),
                "{named}: {error}"
            );
        }
        // What refuses before the route does so in the same form.
        let foreign = post(address, PATH, "{}", &[("origin", "https://example.org")]).await;
        let (status, error): (_, Value) = (foreign.status(), foreign.json().await.unwrap());
        assert_eq!(
            (status.as_u16(), &error["error"]["type"]),
            (403, &json!("permission_error"))
        );
    });
}

#[test]
fn tokens_are_counted_without_what_is_private() {
    run(async {
        let address = default_proxy().await;
        let usage = steered(address, PATH, &asked(json!(DINNER))).await["usage"]["input_tokens"].clone();
        let count = format!("{PATH}/count_tokens");
        for said in [DINNER.to_owned(), format!("{DINNER}<private>{CONTEXT}</private>")] {
            let body = json!({"model": "tiny-llm", "messages": [{"role": "user", "content": said}]}).to_string();
            let response = post(address, &count, body, &[("x-costeer-context", CONTEXT)]).await;
            assert_eq!(response.json::<Value>().await.unwrap(), json!({"input_tokens": usage}));
        }
    });
}

#[test]
fn a_key_in_anthropics_header_is_treated_as_any_other() {
    run(async {
        let (recording_at, recording) = recorder(upstream().await).await;
        let body = asked(json!(DINNER)).to_string();
        let of_anthropic = [
            ("x-api-key", "from-the-client"),
            ("anthropic-version", "2023-06-01"),
            ("anthropic-beta", "a-beta"),
        ];
        let (_proxy, address) = proxy(recording_at, &[]).await;
        let response = post(address, PATH, body.clone(), &of_anthropic).await;
        assert_eq!(response.headers()["x-costeer-steered"], "false");
        let with_context = [&of_anthropic[..], &[("x-costeer-context", CONTEXT)]].concat();
        post(address, PATH, body.clone(), &with_context)
            .await
            .text()
            .await
            .unwrap();
        let seen = recording.requests();
        assert!(
            seen[0].starts_with("POST /v1/messages") && seen[0].contains("a-beta"),
            "{}",
            seen[0]
        );
        // The upstream gets it where servers of models look for a key.
        assert!(seen.iter().all(|one| !one.contains("x-api-key")));
        assert!(
            seen.iter()
                .filter(|one| one.starts_with("POST /v1/completions"))
                .all(|one| one.contains("from-the-client"))
        );

        let url = format!("http://{recording_at}/v1");
        let variables = [
            ("COSTEER__UPSTREAM__URL", url.as_str()),
            ("COSTEER__SERVER__API_KEY", "opens-the-proxy"),
        ];
        let keyed = Running::serve(&variables).await;
        let wrong = post(keyed.address, PATH, body.clone(), &of_anthropic).await;
        let (status, error): (_, Value) = (wrong.status(), wrong.json().await.unwrap());
        assert_eq!(
            (status.as_u16(), &error["error"]["type"]),
            (401, &json!("authentication_error"))
        );
        let right = [("x-api-key", "opens-the-proxy"), ("anthropic-version", "2023-06-01")];
        assert_ne!(post(keyed.address, PATH, body, &right).await.status(), 401);
        assert!(recording.requests().iter().all(|one| !one.contains("opens-the-proxy")));
    });
}
