//! What an answer cost: in its headers, in its body, and in the process' metrics.

use serde_json::{Value, json};

use crate::support::{CONTEXT, DINNER, Running, ask, question, run, streamed_content, upstream};

/// The value of a metric without labels.
fn metric(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

#[test]
fn headers_body_and_metrics_agree() {
    run(async {
        let url = format!("http://{}/v1", upstream().await);
        let server = Running::serve(&[("COSTEER__UPSTREAM__URL", &url)]).await;
        let context = [("x-costeer-context", CONTEXT)];
        let answer = ask(server.address, &question(DINNER), &context).await;
        let counts = answer.headers()["x-costeer-report"].to_str().unwrap().to_owned();
        let timing = answer.headers()["server-timing"].to_str().unwrap().to_owned();
        for part in ["upstream_wait", "local_wait", "arithmetic", "rest"] {
            assert!(timing.contains(&format!("{part};dur=")), "{timing}");
        }
        let whole: Value = answer.json().await.unwrap();
        for count in counts.split(' ') {
            let (name, value) = count.split_once('=').unwrap();
            assert_eq!(whole["costeer"][name], json!(value.parse::<u64>().unwrap()), "{name}");
        }

        let mut body = question(DINNER);
        body["stream"] = json!(true);
        let stream = ask(server.address, &body, &context).await.text().await.unwrap();
        let (_, last) = streamed_content(&stream);
        // The same answer; what was wasted depends on timing.
        assert_eq!(last["costeer"]["changed"], whole["costeer"]["changed"]);

        let response = reqwest::get(format!("http://{}/metrics", server.address))
            .await
            .unwrap();
        assert!(
            response.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/plain")
        );
        let text = response.text().await.unwrap();
        assert_eq!(metric(&text, "costeer_sessions_total"), Some(2.0), "{text}");
        for (name, field) in [
            ("positions", "positions"),
            ("changed_positions", "changed"),
            ("certified_positions", "certified"),
            ("uncertified_positions", "uncertified"),
            ("upstream_requests", "upstream_requests"),
            ("wasted_tokens", "wasted_tokens"),
        ] {
            let wanted = whole["costeer"][field].as_f64().unwrap() + last["costeer"][field].as_f64().unwrap();
            let name = format!("costeer_{name}_total");
            assert_eq!(metric(&text, &name), Some(wanted), "{name} in {text}");
            assert!(text.contains(&format!("# HELP {name} ")), "{name}");
        }
        assert_eq!(metric(&text, "costeer_session_seconds_count"), Some(2.0));
        assert!(
            text.contains("costeer_session_part_seconds_bucket{part=\"local_wait\""),
            "{text}"
        );
        assert!(!text.contains("Ziggy"));
    });
}
