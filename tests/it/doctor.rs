//! `costeer doctor`, the real binary.

use std::net::SocketAddr;

use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::completions::streaming;
use crate::support::{Change, Folder, between, costeer, recorder, run, serve, upstream};

/// What it prints with `--json`, and its exit code.
fn examine(addresses: &[SocketAddr], settings: &[(&str, &str)]) -> (Value, i32) {
    let urls: Vec<String> = addresses.iter().map(|address| format!("http://{address}/v1")).collect();
    let urls = urls.join(",");
    let mut variables = vec![("COSTEER__UPSTREAM__URL", urls.as_str())];
    variables.extend(settings);
    let output = costeer(&["doctor", "--json"], &variables).output().unwrap();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)));
    (report, output.status.code().unwrap())
}

/// The check of this name.
fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    let found = checks
        .iter()
        .find(|check| check["name"].as_str().unwrap().trim().starts_with(name));
    found.unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

#[test]
fn a_healthy_setup_passes_every_check() {
    run(async {
        let upstream = upstream().await;
        let (twin, _) = recorder(upstream).await;
        let (report, code) = tokio::task::spawn_blocking(move || examine(&[upstream, twin], &[]))
            .await
            .unwrap();
        assert_eq!((code, &report["ok"]), (0, &json!(true)), "{report:#}");
        for name in [
            "configuration",
            "tokenizers",
            "chat templates",
            "upstream",
            "candidates",
            "raw logprobs",
            "continuation",
            "replicas",
            "local model",
            "local pace",
        ] {
            assert_eq!(check(&report, name)["status"], "ok", "{report:#}");
        }
    });
}

#[test]
fn what_is_wrong_is_named_with_what_to_change() {
    run(async {
        let closed = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let locked = Router::new().fallback(|| async { (StatusCode::UNAUTHORIZED, "{\"error\":\"Unauthorized\"}") });
        let locked = serve(locked).await;
        let processed: Change = |body| {
            if body["temperature"] != json!(0.0) {
                body["prompt"] = json!([70, 71, 72]);
            }
        };
        let forgetful: Change = |body| {
            let prompt = body["prompt"].as_array_mut().unwrap();
            prompt.truncate(20);
        };
        let deaf: Change = |body| body["prompt"] = json!([70, 71, 72]);
        let upstream = upstream().await;
        let cases = [
            (vec![closed], "upstream", "upstream.url"),
            (vec![locked], "upstream", "api_key"),
            (vec![between(upstream, processed).await], "raw logprobs", "raw_logprobs"),
            (
                vec![between(upstream, forgetful).await],
                "continuation",
                "upstream.tokenizer",
            ),
            (vec![upstream, between(upstream, deaf).await], "replicas", "same model"),
        ];
        for (addresses, name, advice) in cases {
            let (report, code) = tokio::task::spawn_blocking(move || examine(&addresses, &[]))
                .await
                .unwrap();
            assert_eq!((code, &report["ok"]), (1, &json!(false)), "{name}: {report:#}");
            let check = check(&report, name);
            assert_eq!(check["status"], "failed", "{report:#}");
            assert!(check["advice"].as_str().unwrap().contains(advice), "{check}");
        }
    });
}

#[test]
fn a_broken_configuration_or_model_is_a_failed_check_too() {
    for (variable, value, name, needle) in [
        ("COSTEER__UPSTREAM__TOP_K", "0", "configuration", "upstream.top_k"),
        ("COSTEER__LOCAL__MODEL", "/nowhere", "tokenizers", "local.model"),
        ("COSTEER__LOCAL__DTYPE", "f64", "configuration", "f64"),
    ] {
        let (report, code) = examine(&["127.0.0.1:1".parse().unwrap()], &[(variable, value)]);
        assert_eq!(code, 1);
        let check = check(&report, name);
        assert_eq!(check["status"], "failed");
        assert!(check["finding"].as_str().unwrap().contains(needle), "{check}");
    }
}

#[test]
fn the_table_is_for_people() {
    let output = costeer(&["doctor"], &[("COSTEER__UPSTREAM__URL", "http://127.0.0.1:1/v1")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("FAIL  upstream http://127.0.0.1:1/v1") && table.contains("→ start the server"),
        "{table}"
    );
    assert!(
        table.contains("ok    tokenizers") && !table.contains('\u{1b}'),
        "{table}"
    );
}

#[test]
fn a_setting_by_its_old_name_works_and_is_a_warning() {
    run(async {
        let upstream = upstream().await;
        let examined = tokio::task::spawn_blocking(move || examine(&[upstream], &[("COSTEER__LOCAL__LANES", "1")]));
        let (report, code) = examined.await.unwrap();
        assert_eq!(code, 0, "{report:#}");
        let found = check(&report, "settings");
        assert_eq!(found["status"], "warning");
        let told = found["finding"].as_str().unwrap();
        assert!(told.contains("lanes") && told.contains("local.slots"), "{told}");
    });
}

#[test]
fn a_model_that_thinks_in_marks_that_nobody_knows_is_a_warning() {
    run(async {
        let upstream = upstream().await;
        let folder = Folder::new();
        folder.copy_without_weights("llm");
        let file = folder.path().join("tokenizer_config.json");
        let mut configuration: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let template = configuration["chat_template"].as_str().unwrap();
        configuration["chat_template"] = format!("{template}{{# reasoning_content #}}").into();
        std::fs::write(&file, configuration.to_string()).unwrap();
        let reports = tokio::task::spawn_blocking(move || {
            let tokenizer = ("COSTEER__UPSTREAM__TOKENIZER", folder.path().to_str().unwrap());
            let named = ("COSTEER__UPSTREAM__THINKING_MARKERS", "<a>,</a>");
            [&[tokenizer][..], &[tokenizer, named][..]].map(|settings| examine(&[upstream], settings))
        });
        let [(unknown, code), (named, _)] = reports.await.unwrap();
        let found = check(&unknown, "thinking");
        assert_eq!((found["status"].as_str(), code), (Some("warning"), 0), "{unknown:#}");
        assert!(found["advice"].as_str().unwrap().contains("upstream.thinking_markers"));
        let found = check(&named, "thinking");
        assert_eq!(found["status"], "ok");
        assert!(
            found["finding"].as_str().unwrap().contains("\"<a>\" to \"</a>\""),
            "{found}"
        );
    });
}

#[test]
fn it_says_by_what_signs_a_text_server_was_recognised_and_which_row_applies() {
    run(async {
        let address = streaming().await;
        let (report, code) = tokio::task::spawn_blocking(move || examine(&[address], &[]))
            .await
            .unwrap();
        assert_eq!((code, &report["ok"]), (0, &json!(true)), "{report:#}");
        for (name, words) in [
            ("upstream", "TabbyAPI, model tiny-llm, at most 20 candidates a position"),
            (
                "recognised by",
                "the owner \"tabbyAPI\" of its models and the answer of /.well-known/serviceinfo",
            ),
            ("driver", "works by text on /v1/completions"),
        ] {
            let finding = check(&report, name)["finding"].as_str().unwrap();
            assert!(finding.contains(words), "{finding}");
        }
    });
}
