//! No byte of the private context, and no header or field of ours, reaches the upstream.

use serde_json::{Value, json};

use crate::support::{DINNER, ask, post, proxy, question, recorder, run, upstream};

/// Nothing in it is likely to be part of an answer.
const SECRET: &str =
    "Account 4711-0815 of Wilhelmina Vandersmith, blood group zero, owes 12345 crowns. I am vegan.";

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
            (
                json!({"messages": [], "costeer": {"context": SECRET}}),
                &by_header[..],
            ),
        ] {
            let response = ask(address, &body, headers).await;
            response.text().await.unwrap();
        }
        // Other routes carry private headers too, if a client sets them for all its requests.
        let completion = json!({"prompt": [1, 2, 3], "max_tokens": 1}).to_string();
        post(address, "/v1/completions", completion, &by_header).await;

        let requests = recording.requests();
        assert!(
            requests.len() > 10,
            "the recorder saw {} requests",
            requests.len()
        );
        let words = SECRET.split([' ', '.', ',']).filter(|word| word.len() > 4);
        let forbidden: Vec<&str> = words
            .chain(["costeer", encoded.as_str(), &encoded[..24]])
            .collect();
        for request in &requests {
            for needle in &forbidden {
                let found = request.to_lowercase().contains(&needle.to_lowercase());
                assert!(!found, "{needle:?} reached the upstream in {request}");
            }
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

        let (_proxy, lenient) =
            proxy(upstream().await, &[("steering.on_unsteerable", "pass")]).await;
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
