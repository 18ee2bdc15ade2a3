//! `costeer top`: what a running proxy does, in a terminal and as plain text.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Output, Stdio};
use std::time::Duration;

use axum::Router;
use serde_json::json;

use crate::support::{CONTEXT, DINNER, Folder, Running, ask, costeer, question, run, serve, upstream};

/// One look, as plain text.
async fn once(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let arguments = [&["top", "--once", "--interval", "0.2"], arguments].concat();
    let mut command = costeer(&arguments, variables);
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

/// What is printed, its columns parted by one blank.
fn shown(output: Output) -> Vec<String> {
    let [text, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{errors}");
    assert!(!text.contains('\u{1b}'), "escape sequences in a pipe: {text}");
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(squeezed).collect()
}

fn refusal(output: Output) -> String {
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn one_look_shows_what_was_answered_steered_and_how_fast() {
    run(async {
        let url = format!("http://{}/v1", upstream().await);
        let server = Running::serve(&[("COSTEER__UPSTREAM__URL", &url)]).await;
        let answer = ask(server.address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
        let answer: serde_json::Value = answer.json().await.unwrap();
        let unfit = json!({"messages": 3});
        assert_eq!(
            ask(server.address, &unfit, &[("x-costeer-context", CONTEXT)])
                .await
                .status(),
            400
        );

        let proxy = format!("http://{}", server.address);
        let lines = shown(once(&["--url", &proxy], &[]).await);
        let cost = &answer["costeer"];
        let positions = cost["positions"].as_f64().unwrap();
        let changed = 100.0 * cost["changed"].as_f64().unwrap() / positions;
        for wanted in [
            format!("{proxy} last 1 s since start"),
            "refused (4xx) 0.0/s 1".to_owned(),
            "failed (5xx) 0.0/s 0".to_owned(),
            "running now 0 of 1".to_owned(),
            "ended 0.0/s 1".to_owned(),
            format!("picked 0.0/s {positions}"),
            format!("changed by steering – {changed:.1} %"),
        ] {
            assert!(lines.contains(&wanted), "{wanted} is not in {lines:#?}");
        }
        // Their values are this machine's, so that only their form is known.
        for label in [
            "between two tokens – – ",
            "waiting for the small model – – ",
            "a token: upstream – ",
        ] {
            let line = lines.iter().find(|line| line.starts_with(label)).unwrap();
            assert!(line.ends_with('s') && !line.ends_with('–'), "{line}");
        }
    });
}

#[test]
fn the_address_and_the_key_come_from_the_settings() {
    run(async {
        let folder = Folder::new();
        let file = folder.file("costeer.toml");
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let url = format!("http://{}/v1", upstream().await);
        let settings = format!("[server]\nlisten = \"{address}\"\napi_key = \"sesame\"\n[upstream]\nurl = \"{url}\"\n");
        std::fs::write(&file, settings).unwrap();
        let _server = Running::start_at(address, &["serve", "--config", &file], &[]).await;
        let lines = shown(once(&["--config", &file], &[]).await);
        assert!(lines[0].starts_with(&format!("http://{address} ")), "{lines:#?}");

        // At an address that somebody types, the settings' key is not sent.
        let proxy = format!("http://{address}");
        for (arguments, variables) in [
            (&["--config", &file, "--url", &proxy][..], &[][..]),
            (&["--url", &proxy, "--key", "simsalabim"], &[]),
        ] {
            let message = refusal(once(arguments, variables).await);
            assert!(
                message.contains("wants another key (401)") && message.contains("--key"),
                "{message}"
            );
            assert!(!message.contains("simsalabim"), "{message}");
        }
        shown(once(&["--url", &proxy, "--key", "sesame"], &[]).await);
        shown(once(&["--url", &proxy], &[("COSTEER_API_KEY", "sesame")]).await);
    });
}

#[test]
fn what_is_no_proxy_is_said_in_a_line() {
    run(async {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = format!("http://{}", free.local_addr().unwrap());
        drop(free);
        let message = refusal(once(&["--url", &nobody], &[]).await);
        assert!(message.contains(&format!("{nobody} cannot be reached: ")), "{message}");

        let said =
            |text: &'static str| Router::new().route("/metrics", axum::routing::get(move || async move { text }));
        for (server, wanted) in [
            (said("<html>"), "is not in Prometheus' text format (line 1)"),
            (said("up 1"), "counts nothing of CoSteer proxy's"),
            (Router::new(), "has no /metrics (404)"),
        ] {
            let url = format!("http://{}", serve(server).await);
            let message = refusal(once(&["--url", &url], &[]).await);
            assert!(message.contains(wanted) && message.lines().count() == 1, "{message}");
        }
        let message = refusal(costeer(&["top", "--url", &nobody], &[]).output().unwrap());
        assert!(message.contains("--once"), "{message}");
    });
}

/// Runs it at a terminal of 100 columns that `script` (util-linux) makes, with a key pressed after a while; then says what state the
/// terminal is in.
#[cfg(target_os = "linux")]
fn at_a_terminal(proxy: &str, key: &[u8]) -> Option<String> {
    let program = env!("CARGO_BIN_EXE_costeer");
    let command = format!("stty cols 100 rows 40; {program} top --interval 0.2 --url {proxy}; echo ended: $?; stty -a");
    let started = std::process::Command::new("script")
        .args(["--quiet", "--command", &command, "/dev/null"])
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut script) = started else {
        eprintln!("skipped: there is no program called script");
        return None;
    };
    let mut typed = script.stdin.take().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    typed.write_all(key).unwrap();
    let output = script.wait_with_output().unwrap();
    drop(typed);
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(target_os = "linux")]
#[test]
fn at_a_terminal_it_shows_what_is_there_or_not_and_leaves_the_terminal_as_it_was() {
    run(async {
        let url = format!("http://{}/v1", upstream().await);
        let server = Running::serve(&[("COSTEER__UPSTREAM__URL", &url)]).await;
        let there = format!("http://{}", server.address);
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = format!("http://{}", free.local_addr().unwrap());
        drop(free);
        for (proxy, key, wanted) in [
            (&there, &b"q"[..], "waiting for a slot now"),
            (&there, b"\x03", "Steered answers"),
            (&nobody, b"\x1b", "It is tried again every 0.2 s."),
        ] {
            let proxy = proxy.clone();
            let shown = tokio::task::spawn_blocking(move || at_a_terminal(&proxy, key))
                .await
                .unwrap();
            let Some(shown) = shown else { return };
            let (during, after) = shown.split_once("\u{1b}[?1049l").expect(&shown);
            assert!(during.contains("\u{1b}[?1049h") && during.contains(wanted), "{shown}");
            assert!(after.contains("\u{1b}[?25h") && after.contains("ended: 0"), "{shown}");
            for state in ["icanon", "echo", "isig"] {
                assert!(after.split_whitespace().any(|word| word == state), "{state} in {after}");
            }
        }
    });
}
