//! The real binary.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{CONTEXT, DINNER, Folder, Running, ask, content, costeer, question, run, upstream};

fn failure(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let Output { status, stderr, .. } = costeer(arguments, variables).output().unwrap();
    assert!(!status.success(), "costeer {arguments:?} should have failed");
    String::from_utf8(stderr).unwrap()
}

/// The demo with any free ports, ended after the showcase.
fn demo_once<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let ports = ["--listen", "127.0.0.1:0", "--upstream-listen", "127.0.0.1:0"];
    [&["demo", "--once"], &ports[..], more].concat()
}

/// What the demo, run in `folder`, writes. It is as it should be.
fn shown_by_the_demo(more: &[&str], folder: &Path) -> String {
    let output = costeer(&demo_once(more), &[]).current_dir(folder).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains('\u{1b}'), "escape sequences in a pipe: {text}");
    let count = |needle: &str| text.lines().filter(|line| line.starts_with(needle)).count();
    assert_eq!(count("plain: "), 6, "{text}");
    assert_eq!(count("steered: "), 6, "{text}");
    assert!(
        text.contains("steered tokens a second") && text.contains("arithmetic"),
        "{text}"
    );
    text
}

/// Where a file or folder of the shipped models lies.
fn shipped(model: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny").join(model);
    path.to_str().unwrap().to_owned()
}

/// The big model's own answers in it.
fn plain(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("plain: ")).collect()
}

#[test]
fn the_demo_shows_both_answers_and_its_speed_in_plain_text() {
    let here = std::env::temp_dir();
    let text = shown_by_the_demo(&[], &here);
    // The same models, named by flags.
    let (big, small) = (shipped("llm"), shipped("slm"));
    let named = shown_by_the_demo(&["--local", &small, "--upstream-model", &big], &here);
    assert_eq!(plain(&named), plain(&text));
    // A big model of another family: its name as it lies in the working directory, with its own vocabulary beside it.
    let folder = shipped("slm-pieces");
    let other = shown_by_the_demo(&["--upstream-model", "model.gguf"], Path::new(&folder));
    assert_ne!(plain(&other), plain(&text));
}

#[test]
fn the_demo_says_which_of_its_flags_names_no_usable_model() {
    let broken = Folder::new();
    broken.copy_without_weights("slm");
    let weights = std::fs::read(shipped("slm/model.safetensors")).unwrap();
    std::fs::write(broken.path().join("model.safetensors"), &weights[..weights.len() / 2]).unwrap();
    let broken = broken.path().to_str().unwrap();
    for flag in ["--local", "--upstream-model"] {
        for model in ["/nowhere/at/all", broken] {
            let message = failure(&demo_once(&[flag, model]), &[]);
            assert!(message.contains(flag) && message.contains(model), "{message}");
            assert!(!message.contains("local.model"), "{message}");
        }
    }
    std::fs::write(Path::new(broken).join("tokenizer.json"), "{").unwrap();
    for flag in ["--local", "--upstream-model"] {
        let message = failure(&demo_once(&[flag, broken]), &[]);
        assert!(
            message.contains(flag) && message.contains("tokenizer.json"),
            "{message}"
        );
    }
}

#[test]
fn serve_takes_variables_and_a_file_answers_and_stops_on_sigterm() {
    run(async {
        let folder = Folder::new();
        let file = folder.file("costeer.toml");
        let url = format!("http://{}/v1", upstream().await);
        std::fs::write(
            &file,
            format!("[upstream]\nurl = \"{url}\"\n[steering]\nstrength = 0\n"),
        )
        .unwrap();
        let arguments = ["serve", "--config", &file];
        let mut server = Running::start(&arguments, &[("COSTEER__STEERING__STRENGTH", "1.0")]).await;
        let answer = ask(server.address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
        assert!(
            content(&answer.json().await.unwrap()).contains("vegan"),
            "the variable wins over the file"
        );
        let process = server.process().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &process])
                .status()
                .unwrap()
                .success()
        );
        let (status, log) = server.wait();
        assert!(status.success());
        assert!(log.contains("ready") && !log.contains("Ziggy"), "{log}");
    });
}

#[test]
fn upstream_serves_a_model_directory() {
    run(async {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/slm");
        let server = Running::start(&["upstream", "--model", model.to_str().unwrap()], &[]).await;
        let models = reqwest::get(format!("http://{}/v1/models", server.address))
            .await
            .unwrap();
        let models: Value = models.json().await.unwrap();
        assert_eq!(models["data"][0]["id"], "slm");
        assert_eq!(models["data"][0]["max_model_len"], 4096);
    });
}

#[test]
fn an_unknown_key_stops_the_start_and_shows_the_nearest() {
    let message = failure(&["serve"], &[("COSTEER__LOCAL__MODL", "x")]);
    assert!(
        message.contains("local.modl") && message.contains("did you mean local.model?"),
        "{message}"
    );
}

#[test]
fn a_broken_file_and_a_wrong_value_are_named() {
    let folder = Folder::new();
    let file = folder.file("costeer.toml");
    std::fs::write(&file, "[server\n").unwrap();
    let message = failure(&["serve", "--config", &file], &[]);
    assert!(message.contains(&file), "{message}");
    let message = failure(&["serve", "--config", "/nowhere.toml"], &[]);
    assert!(message.contains("/nowhere.toml"), "{message}");
    let message = failure(
        &["serve", "--listen", "127.0.0.1:0"],
        &[("COSTEER__LOCAL__QUANTISATION", "q99")],
    );
    assert!(
        message.contains("local.quantisation") && message.contains("q99"),
        "{message}"
    );
}

#[test]
fn a_port_in_use_is_named_with_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let message = failure(&["serve", "--listen", &address], &[]);
    assert!(
        message.contains(&address) && message.contains("server.listen"),
        "{message}"
    );
    let message = failure(&["demo", "--once", "--listen", &address], &[]);
    assert!(message.contains(&address) && message.contains("--listen"), "{message}");
}

#[test]
fn a_missing_or_broken_model_names_file_and_setting() {
    let anywhere = [("COSTEER__SERVER__LISTEN", "127.0.0.1:0")];
    let with_model = |path: &str| failure(&["serve"], &[anywhere[0], ("COSTEER__LOCAL__MODEL", path)]);
    let message = with_model("/nowhere/at/all");
    assert!(
        message.contains("local.model") && message.contains("/nowhere/at/all"),
        "{message}"
    );

    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/slm");
    let folder = Folder::new();
    let path = folder.path().to_str().unwrap();
    let message = with_model(path);
    assert!(
        message.contains("local.model") && message.contains("config.json"),
        "{message}"
    );
    folder.copy_without_weights("slm");
    let message = with_model(path);
    assert!(
        message.contains("local.model") && message.contains("safetensors"),
        "{message}"
    );

    let weights = std::fs::read(shipped.join("model.safetensors")).unwrap();
    std::fs::write(folder.path().join("model.safetensors"), &weights[..weights.len() / 2]).unwrap();
    let message = with_model(path);
    assert!(message.contains("local.model") && message.contains(path), "{message}");

    std::fs::write(folder.path().join("tokenizer.json"), "{").unwrap();
    let message = with_model(path);
    assert!(
        message.contains("local.model") && message.contains("tokenizer.json"),
        "{message}"
    );
}

#[test]
fn a_hub_model_is_taken_from_its_cache_where_the_hub_cannot_be_reached() {
    run(async {
        let home = Folder::new();
        let repository = home.path().join("hub/models--someone--slm");
        std::fs::create_dir_all(repository.join("refs")).unwrap();
        std::fs::write(repository.join("refs/main"), "abc").unwrap();
        std::fs::create_dir_all(repository.join("snapshots/abc")).unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/slm");
        for entry in std::fs::read_dir(shipped).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), repository.join("snapshots/abc").join(entry.file_name())).unwrap();
        }
        let url = format!("http://{}/v1", upstream().await);
        let server = Running::serve(&[
            ("HF_HOME", home.path().to_str().unwrap()),
            ("HF_ENDPOINT", "http://127.0.0.1:9"),
            ("COSTEER__LOCAL__MODEL", "someone/slm"),
            ("COSTEER__UPSTREAM__TOKENIZER", "someone/slm"),
            ("COSTEER__UPSTREAM__URL", &url),
        ])
        .await;
        let answer = ask(server.address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
        assert!(content(&answer.json().await.unwrap()).contains("vegan"));

        let absent = [("HF_HOME", "/nowhere"), ("HF_ENDPOINT", "http://127.0.0.1:9")];
        let message = failure(
            &["serve"],
            &[absent[0], absent[1], ("COSTEER__LOCAL__MODEL", "someone/slm")],
        );
        assert!(message.contains("local.model") && message.contains("hub"), "{message}");
    });
}

#[test]
fn help_explains_itself() {
    let output = costeer(&["--help"], &[]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for command in ["demo", "serve", "upstream"] {
        assert!(text.contains(command), "{text}");
    }
}
