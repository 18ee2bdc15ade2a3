//! What is configured about reaching the upstream: addresses, and what is added to every request.

use serde_json::{Value, json};

use crate::support::{CONTEXT, DINNER, ask, content, proxy, question, recorder, run, upstream};

#[test]
fn an_address_works_with_and_without_its_version() {
    run(async {
        let upstream = upstream().await;
        let mut answers = Vec::new();
        for base in [
            format!("http://{upstream}/v1"),
            format!("http://{upstream}"),
            format!("http://{upstream}/"),
        ] {
            let (_proxy, address) = proxy(upstream, &[("upstream.url", &base)]).await;
            for headers in [&[("x-costeer-context", CONTEXT)][..], &[]] {
                let response = ask(address, &question(DINNER), headers).await;
                assert_eq!(response.status(), 200, "{base}");
                answers.push(content(&response.json().await.unwrap()));
            }
            let models = reqwest::get(format!("http://{address}/v1/models")).await.unwrap();
            assert_eq!(models.status(), 200, "{base}");
        }
        assert_eq!(answers[0], answers[2]);
        assert_eq!(answers[1], answers[3]);
    });
}

#[test]
fn headers_and_fields_are_added_to_every_request_and_replace_none_of_ours() {
    run(async {
        let (recorder, recording) = recorder(upstream().await).await;
        let settings = [
            (
                "upstream.headers",
                "X-Title: CoSteer, a proxy\nHTTP-Referer: https://example.org/",
            ),
            (
                "upstream.extra_body",
                r#"{"provider": {"order": ["one"]}, "max_tokens": 99999, "top_p": 0.1}"#,
            ),
        ];
        let (_proxy, address) = proxy(recorder, &settings).await;
        for headers in [&[("x-costeer-context", CONTEXT)][..], &[]] {
            let before = recording.requests().len();
            let mut body = question(DINNER);
            body["max_tokens"] = json!(8);
            assert_eq!(ask(address, &body, headers).await.status(), 200);
            let sent = recording.requests().split_off(before);
            assert!(!sent.is_empty());
            for request in sent {
                assert!(
                    request.contains("CoSteer, a proxy") && request.contains("https://example.org/"),
                    "{request}"
                );
                let Some(body) = request.lines().last().filter(|_| request.starts_with("POST")) else {
                    continue;
                };
                let body: Value = serde_json::from_str(body).unwrap();
                assert_eq!(body["provider"]["order"][0], "one", "{body}");
                // Questions about tokens have no such field, so they get it.
                let tokenises = request.starts_with("POST /tokenize");
                assert!(tokenises || body["max_tokens"].as_u64().unwrap() < 9999, "{body}");
                assert!(headers.is_empty() || tokenises || body["top_p"] == json!(1.0), "{body}");
            }
        }
    });
}

#[test]
fn what_would_change_an_answer_is_no_extra() {
    for (key, value, needle) in [
        ("COSTEER__UPSTREAM__EXTRA_BODY", r#"{"n": 2}"#, "upstream.extra_body"),
        ("COSTEER__UPSTREAM__EXTRA_BODY", "[1]", "upstream.extra_body"),
        (
            "COSTEER__UPSTREAM__HEADERS",
            "Authorization: Bearer sk-secret",
            "upstream.headers",
        ),
        (
            "COSTEER__UPSTREAM__HEADERS",
            "X-CoSteer-Context: sk-secret",
            "upstream.headers",
        ),
        ("COSTEER__UPSTREAM__HEADERS", "sk-secret", "upstream.headers"),
        (
            "COSTEER__UPSTREAM__URL",
            "http://localhost:1/v1/chat/completions",
            "upstream.url",
        ),
        (
            "COSTEER__UPSTREAM__URL",
            "http://localhost:1/v1?key=sk-secret",
            "upstream.url",
        ),
    ] {
        let output = crate::support::costeer(&["config"], &[(key, value)]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(needle),
            "{key}={value}: {said}"
        );
        assert!(!said.contains("sk-secret"), "{said}");
    }
    let shown = crate::support::costeer(&["config"], &[("COSTEER__UPSTREAM__HEADERS", "X-Key: sk-secret")])
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout);
    assert!(
        shown.contains("headers = \"********\"") && !shown.contains("sk-secret"),
        "{shown}"
    );
}
