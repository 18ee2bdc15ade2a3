//! No byte of the private context, and no header or field of ours, reaches the upstream.

use serde_json::{Value, json};

use crate::support::{DINNER, Running, ask, post, proxy, question, recorder, run, upstream};

/// Nothing in it is likely to be part of an answer.
const SECRET: &str = "Account 4711-0815 of Wilhelmina Vandersmith, blood group zero, owes 12345 crowns. I am vegan.";

#[test]
fn a_recording_upstream_sees_nothing_private() {
    run(async {
        let (recording_at, recording) = recorder(upstream().await).await;
        let (_proxy, address) = proxy(recording_at, &[("steering.on_unsteerable", "pass")]).await;
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, SECRET);
        let by_header = [("x-costeer-context", SECRET), ("x-costeer-strength", "1.5")];
        let by_base64 = [("x-costeer-context-base64", encoded.as_str())];
        let mut in_body = question(DINNER);
        in_body["costeer"] = json!({"context": SECRET, "strength": 1.5});
        let mut streamed = in_body.clone();
        streamed["stream"] = json!(true);
        let mut unsteerable = in_body.clone();
        unsteerable["logprobs"] = json!(true);
        let mut strength_only = question(DINNER);
        strength_only["costeer"] = json!({"strength": 1.5});

        for (body, headers) in [
            (question(DINNER), &by_header[..]),
            (question(DINNER), &by_base64[..]),
            (in_body, &[][..]),
            (streamed, &[][..]),
            (unsteerable, &by_header[..]),
            (strength_only, &by_header[1..]),
            (json!({"messages": [], "costeer": {"context": SECRET}}), &by_header[..]),
        ] {
            let response = ask(address, &body, headers).await;
            response.text().await.unwrap();
        }
        // Other routes, and this one under other spellings.
        let mut completion = json!({"prompt": [1, 2, 3], "max_tokens": 1});
        post(address, "/v1/completions", completion.to_string(), &by_header).await;
        completion["costeer"] = json!({"context": SECRET});
        for path in ["/v1/completions", "/v1/chat/completions/", "/v1/chat%2Fcompletions"] {
            post(address, path, completion.to_string(), &[]).await;
        }
        let form = [
            ("x-costeer-context", SECRET),
            ("content-type", "multipart/form-data; boundary=x"),
        ];
        post(address, "/v1/files", "--x--", &form).await;
        let client = reqwest::Client::new();
        let models = client.get(format!("http://{address}/v1/models"));
        models.header("x-costeer-context", SECRET).send().await.unwrap();
        // Slips in names, and bodies too broken to look into.
        post(
            address,
            "/v1/completions",
            completion.to_string().replace("costeer", "CoSteer"),
            &[],
        )
        .await;
        post(address, "/v1/completions", completion.to_string()[..40].to_owned(), &[]).await;
        ask(address, &question(DINNER), &[("x-costeer-contxt", SECRET)]).await;

        let requests = recording.requests();
        assert!(requests.len() > 10, "the recorder saw {} requests", requests.len());
        assert!(requests.iter().any(|request| request.starts_with("GET /v1/models")));
        let words = SECRET.split([' ', '.', ',']).filter(|word| word.len() > 4);
        let forbidden: Vec<&str> = words.chain(["costeer", encoded.as_str(), &encoded[..24]]).collect();
        for request in &requests {
            for needle in &forbidden {
                let found = request.to_lowercase().contains(&needle.to_lowercase());
                assert!(!found, "{needle:?} reached the upstream in {request}");
            }
        }
    });
}

#[test]
fn what_is_private_is_refused_where_nothing_can_be_steered() {
    run(async {
        let (recording_at, recording) = recorder(upstream().await).await;
        let (_proxy, address) = proxy(recording_at, &[]).await;
        let completion = json!({"prompt": [1, 2, 3], "max_tokens": 1});
        let mut with_field = completion.clone();
        with_field["costeer"] = json!({"context": SECRET});
        let mut misspelt = question(DINNER);
        misspelt["Costeer"] = json!({"context": SECRET});
        let header = [("x-costeer-context", SECRET)];
        for (path, body, headers) in [
            ("/v1/embeddings", completion.to_string(), &header[..]),
            ("/v1/embeddings", with_field.to_string(), &[][..]),
            ("/v1/chat/completions/", with_field.to_string(), &[][..]),
            ("/v1/chat/completions", misspelt.to_string(), &[][..]),
            (
                "/v1/chat/completions",
                question(DINNER).to_string(),
                &[("x-costeer-contxt", SECRET)][..],
            ),
        ] {
            let response = post(address, path, body, headers).await;
            assert_eq!(response.status(), 400, "{path}");
            let error: Value = response.json().await.unwrap();
            assert!(!error.to_string().contains("Wilhelmina"), "{error}");
        }
        assert!(recording.requests().is_empty());
    });
}

#[test]
fn a_blank_context_declines_the_configured_one() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[("context.text", "I am vegan.")]).await;
        let response = ask(address, &question(DINNER), &[("x-costeer-context", " ")]).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-costeer-steered"], "false");
    });
}

#[test]
fn the_configured_key_takes_the_place_of_the_clients() {
    run(async {
        let (recording_at, recording) = recorder(upstream().await).await;
        let own = [
            ("authorization", "Bearer from-the-client"),
            ("x-costeer-context", SECRET),
        ];
        let (_proxy, without) = proxy(recording_at, &[]).await;
        let url = format!("http://{recording_at}/v1");
        let variables = [
            ("COSTEER__UPSTREAM__URL", url.as_str()),
            ("COSTEER__UPSTREAM__API_KEY", "00123"),
        ];
        let seen_before = recording.requests().len();
        for headers in [&own[..1], &own[..]] {
            ask(without, &question(DINNER), headers).await.text().await.unwrap();
        }
        let seen = recording.requests();
        let client_keys = seen[seen_before..]
            .iter()
            .filter(|request| request.contains("from-the-client"));
        assert_eq!(client_keys.count(), seen.len() - seen_before);
        let with = Running::serve(&variables).await;
        for headers in [&own[..1], &own[..]] {
            ask(with.address, &question(DINNER), headers)
                .await
                .text()
                .await
                .unwrap();
        }
        for request in &recording.requests()[seen.len()..] {
            assert!(!request.contains("from-the-client"), "{request}");
            assert_eq!(request.matches("Bearer 00123").count(), 1, "{request}");
        }
    });
}

#[test]
fn what_cannot_be_steered_is_refused_or_passed_with_a_reason() {
    run(async {
        let mut body = question(DINNER);
        body["tools"] = json!([{"type": "function", "function": {"name": "f"}}]);
        let headers = [("x-costeer-context", SECRET)];
        let (_proxy, strict) = proxy(upstream().await, &[]).await;
        let response = ask(strict, &body, &headers).await;
        assert_eq!(response.status(), 400);
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"]["param"], "tools");
        assert_eq!(error["error"]["code"], "unsupported_parameter");
        assert!(!error.to_string().contains("Wilhelmina"));

        let (_proxy, lenient) = proxy(upstream().await, &[("steering.on_unsteerable", "pass")]).await;
        let response = ask(lenient, &body, &headers).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-costeer-steered"], "false");
        assert!(
            response.headers()["x-costeer-reason"]
                .to_str()
                .unwrap()
                .starts_with("tools")
        );
    });
}
