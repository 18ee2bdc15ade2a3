//! `costeer setup`, the real binary, before the demo's server and doubles.

use std::net::SocketAddr;
use std::path::Path;

use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use costeer::upstream::{Driver, UNSTEERABLE};
use serde_json::{Value, json};

use crate::support::{CONTEXT, DINNER, Folder, Running, ask, content, costeer, question, run, serve, upstream};

/// What a setup that looks at `upstreams` and nowhere else did.
struct Done {
    code: i32,
    said: String,
    complained: String,
}

/// Runs it beside the runtime, which the servers need.
async fn setup(upstreams: &[SocketAddr], more: &[&str], variables: &[(&'static str, String)]) -> Done {
    let urls: Vec<String> = upstreams.iter().map(|address| format!("http://{address}")).collect();
    let mut arguments = vec!["setup".to_owned(), "--no-search".to_owned()];
    arguments.extend(urls.into_iter().flat_map(|url| ["--upstream".to_owned(), url]));
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    let variables = variables.to_vec();
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let output = costeer(&arguments, &variables).output().unwrap();
        Done {
            code: output.status.code().unwrap(),
            said: String::from_utf8(output.stdout).unwrap(),
            complained: String::from_utf8(output.stderr).unwrap(),
        }
    })
    .await
    .unwrap()
}

/// The variables that make `folder` the person's own.
fn home(folder: &Folder) -> Vec<(&'static str, String)> {
    vec![
        ("XDG_CONFIG_HOME", folder.file("config")),
        ("XDG_DATA_HOME", folder.file("data")),
        ("XDG_CACHE_HOME", folder.file("cache")),
        ("HF_HOME", folder.file("hub")),
    ]
}

fn written(folder: &Folder) -> toml::Table {
    toml::from_str(&std::fs::read_to_string(folder.file("config/costeer/costeer.toml")).unwrap()).unwrap()
}

#[test]
fn nothing_is_written_where_nobody_says_so() {
    run(async {
        let (folder, upstream) = (Folder::new(), upstream().await);
        let done = setup(&[upstream], &[], &home(&folder)).await;
        assert_eq!(done.code, 0, "{}", done.complained);
        for shown in ["tiny-llm", "nothing is lost", "the shipped pair", "--write"] {
            assert!(done.said.contains(shown), "{shown}: {}", done.said);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    });
}

#[test]
fn what_is_written_is_found_by_serve_and_steers() {
    run(async {
        let (folder, upstream) = (Folder::new(), upstream().await);
        let done = setup(&[upstream], &["--write"], &home(&folder)).await;
        assert_eq!(done.code, 0, "{}{}", done.said, done.complained);
        assert!(done.said.contains("Steering works."), "{}", done.said);
        assert!(
            done.said.contains("export OPENAI_BASE_URL=http://127.0.0.1:8089/v1"),
            "{}",
            done.said
        );
        let file = folder.file("config/costeer/costeer.toml");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(Path::new(&file).metadata().unwrap().permissions().mode() & 0o077, 0);
        }

        let variables = home(&folder);
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let proxy = Running::serve(&variables).await;
        let answer = ask(proxy.address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
        assert_eq!(answer.headers()["x-costeer-steered"], "true");
        let answer = content(&answer.json().await.unwrap());
        assert!(answer.contains("Ziggy"), "{answer}");

        // Not twice, but by force.
        let before = std::fs::read(&file).unwrap();
        let again = setup(&[upstream], &["--write"], &home(&folder)).await;
        assert_eq!(again.code, 1);
        assert!(again.complained.contains("is there already") && again.complained.contains("--force"));
        std::fs::write(&file, "# mine").unwrap();
        let forced = setup(&[upstream], &["--write", "--force"], &home(&folder)).await;
        assert_eq!(forced.code, 0, "{}", forced.complained);
        assert_eq!(std::fs::read(&file).unwrap(), before);
        let beside = std::fs::read_dir(Path::new(&file).parent().unwrap()).unwrap().count();
        assert_eq!(beside, 1, "something was left beside it");
    });
}

#[test]
fn the_usual_file_counts_where_none_is_named_and_variables_count_more() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.file("config/costeer")).unwrap();
    std::fs::write(folder.file("config/costeer/costeer.toml"), "[upstream]\ntop_k = 7").unwrap();
    std::fs::write(folder.file("other.toml"), "[upstream]\ntop_k = 8").unwrap();
    let config = folder.file("config");
    let shown = |arguments: &[&str], variables: &[(&str, &str)]| {
        let variables = [&[("XDG_CONFIG_HOME", config.as_str())], variables].concat();
        let output = costeer(&[&["config"], arguments].concat(), &variables)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("top_k = "));
        line.unwrap_or_default().to_owned()
    };
    assert_eq!(shown(&[], &[]), "7");
    assert_eq!(shown(&["--config", &folder.file("other.toml")], &[]), "8");
    assert_eq!(shown(&[], &[("COSTEER__UPSTREAM__TOP_K", "9")]), "\"9\"");
}

#[test]
fn where_no_server_can_be_taken_it_says_why() {
    run(async {
        let folder = Folder::new();
        let variables = home(&folder);
        let closed = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap()
        };
        let done = setup(&[closed], &["--write"], &variables).await;
        assert_eq!(done.code, 1);
        assert!(done.said.contains("nothing listens there"), "{}", done.said);
        assert!(done.complained.contains("is it running"), "{}", done.complained);

        let done = setup(&[], &["--write"], &variables).await;
        assert!(done.complained.contains("11434 (Ollama)"), "{}", done.complained);
        assert!(done.complained.contains("--upstream URL"), "{}", done.complained);

        let (one, two) = (upstream().await, lm_studio().await);
        let done = setup(&[one, one], &["--write"], &variables).await;
        assert_eq!(done.code, 1);
        assert!(
            done.complained.contains(&format!("--upstream http://{one}")),
            "{}",
            done.complained
        );

        let done = setup(&[two], &["--write"], &variables).await;
        assert_eq!(done.code, 1);
        for part in ["LM Studio", "cannot be steered", "llama-server"] {
            assert!(done.complained.contains(part), "{}", done.complained);
        }
        // What cannot be steered is in nobody's way.
        let done = setup(&[one, two], &["--write"], &variables).await;
        assert_eq!(done.code, 0, "{}", done.complained);
    });
}

async fn lm_studio() -> SocketAddr {
    let models = || async {
        Json(json!({"object": "list", "data": [{"id": "qwen2.5-7b-instruct", "owned_by": "organization_owner"}]}))
    };
    let own = || async { Json(json!({"object": "list", "data": []})) };
    serve(
        Router::new()
            .route("/v1/models", get(models))
            .route("/api/v0/models", get(own)),
    )
    .await
}

#[test]
fn a_key_goes_to_the_named_server_and_into_the_file_and_nowhere_else() {
    run(async {
        let folder = Folder::new();
        let inner = upstream().await;
        let locked = serve(Router::new().fallback(with_key).with_state(inner)).await;
        let done = setup(&[locked], &["--write"], &home(&folder)).await;
        assert_eq!(done.code, 1);
        let advice = format!("--upstream http://{locked} --key KEY");
        assert!(done.complained.contains(&advice), "{}", done.complained);

        let key = [("COSTEER__UPSTREAM__API_KEY", "sesame".to_owned())];
        let done = setup(&[locked], &["--write"], &[home(&folder), key.to_vec()].concat()).await;
        assert_eq!(done.code, 0, "{}{}", done.said, done.complained);
        assert!(!done.said.contains("sesame") && !done.complained.contains("sesame"));
        assert_eq!(written(&folder)["upstream"]["api_key"].as_str(), Some("sesame"));
    });
}

/// Hands on to the server behind it what brings the key.
async fn with_key(State(inner): State<SocketAddr>, request: axum::extract::Request) -> Response {
    let (head, body) = request.into_parts();
    if head
        .headers
        .get("authorization")
        .is_none_or(|value| value != "Bearer sesame")
    {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": {"message": "no key"}}))).into_response();
    }
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let sent = reqwest::Client::new()
        .request(head.method, format!("http://{inner}{}", head.uri))
        .header("content-type", "application/json")
        .body(body);
    let answer = sent.send().await.unwrap();
    let (status, kind) = (answer.status(), answer.headers()["content-type"].clone());
    let bytes = answer.bytes().await.unwrap();
    (status, [("content-type", kind)], bytes).into_response()
}

/// The hub, as far as its clients ask, with one model: the small one of the pair. `size` is what it says of each file.
async fn hub(size: Option<u64>) -> SocketAddr {
    const FILES: [&str; 4] = [
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors",
    ];
    let listed = move || async move {
        let siblings: Vec<Value> = FILES
            .iter()
            .map(|name| json!({"rfilename": name, "size": size}))
            .collect();
        Json(json!({"sha": "0123", "siblings": siblings}))
    };
    let routes = Router::new()
        .route("/api/models/somebody/tiny/revision/main", get(listed))
        .route("/somebody/tiny/resolve/main/{file}", get(file_of_the_hub));
    serve(routes).await
}

async fn file_of_the_hub(UrlPath(file): UrlPath<String>, headers: HeaderMap) -> Response {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("models/tiny/slm")
        .join(&file);
    let Ok(bytes) = std::fs::read(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let range = headers["range"]
        .to_str()
        .unwrap()
        .strip_prefix("bytes=")
        .unwrap()
        .to_owned();
    let (start, stop) = range.split_once('-').unwrap();
    let start: usize = start.parse().unwrap();
    let stop = stop.parse::<usize>().unwrap().min(bytes.len() - 1);
    let answer = [
        ("content-range", format!("bytes {start}-{stop}/{}", bytes.len())),
        ("etag", format!("\"{file}\"")),
        ("x-repo-commit", "0123".to_owned()),
    ];
    (StatusCode::PARTIAL_CONTENT, answer, bytes[start..=stop].to_vec()).into_response()
}

#[test]
fn a_model_of_the_hub_is_fetched_when_told_to() {
    run(async {
        let (folder, upstream) = (Folder::new(), upstream().await);
        let hub = hub(Some(1000)).await;
        let variables = [home(&folder), vec![("HF_ENDPOINT", format!("http://{hub}"))]].concat();
        let local = ["--local", "somebody/tiny", "--write"];
        let done = setup(&[upstream], &local, &variables).await;
        assert_eq!(done.code, 1, "{}", done.said);
        assert!(done.said.contains("--fetch"), "{}", done.said);
        assert!(!Path::new(&folder.file("hub")).exists(), "something was fetched");

        let done = setup(&[upstream], &[&local[..], &["--fetch"]].concat(), &variables).await;
        assert_eq!(done.code, 0, "{}{}", done.said, done.complained);
        assert_eq!(written(&folder)["local"]["model"].as_str(), Some("somebody/tiny"));
        assert!(done.said.contains("Steering works."), "{}", done.said);
    });
}

#[test]
fn what_cannot_be_fetched_or_written_leaves_nothing_behind() {
    run(async {
        let (folder, upstream) = (Folder::new(), upstream().await);
        let huge = hub(Some(1 << 50)).await;
        let variables = [home(&folder), vec![("HF_ENDPOINT", format!("http://{huge}"))]].concat();
        let local = ["--local", "somebody/tiny", "--yes"];
        let done = setup(&[upstream], &local, &variables).await;
        assert_eq!(done.code, 1);
        assert!(
            done.complained.contains("MB are free") && done.complained.contains("HF_HOME"),
            "{}",
            done.complained
        );

        let nobody = [home(&folder), vec![("HF_ENDPOINT", "http://127.0.0.1:9".to_owned())]].concat();
        let done = setup(&[upstream], &local, &nobody).await;
        assert_eq!(done.code, 1);
        assert!(
            done.complained.contains("HF_ENDPOINT") && done.complained.contains("--local PATH"),
            "{}",
            done.complained
        );

        // Before anything is looked for: the hub would be asked otherwise. The folder is a file.
        std::fs::write(folder.file("file"), "").unwrap();
        let config = folder.file("file/costeer.toml");
        let done = setup(&[upstream], &["--yes", "--config", &config], &variables).await;
        assert_eq!(done.code, 1);
        let refusal = format!("cannot write {config}");
        assert!(done.complained.contains(&refusal), "{}", done.complained);
        assert!(done.said.is_empty(), "{}", done.said);

        // The folder for the configuration may be there, and is empty.
        assert!(!Path::new(&folder.file("config/costeer/costeer.toml")).exists());
        assert!(!Path::new(&folder.file("hub")).exists());
    });
}

#[test]
fn wrong_options_are_named() {
    run(async {
        let (folder, upstream) = (Folder::new(), upstream().await);
        for (options, part) in [
            (&["--local", "no/such/model"][..], "no such file or directory"),
            (&["--local", env!("CARGO_MANIFEST_DIR")], "neither a GGUF file"),
            (&["--models", "/no/such/folder"], "is no folder"),
            (&["--model", "gpt-4"], "it has tiny-llm"),
            (&["--upstream", "localhost:8080"], "is no address"),
        ] {
            let done = setup(&[upstream], options, &home(&folder)).await;
            assert_eq!(done.code, 1, "{options:?}: {}", done.said);
            assert!(done.complained.contains(part), "{options:?}: {}", done.complained);
        }
    });
}

#[test]
fn the_book_has_the_same_servers() {
    let book =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/guide/servers.md")).unwrap();
    for known in &UNSTEERABLE {
        let row = format!("| {} | {} | {} |", known.server, known.why, known.instead);
        assert!(book.contains(&row), "servers.md has no row {row}");
    }
    assert!(!Driver::Vllm.must_be_tried());
}
