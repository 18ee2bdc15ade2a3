//! The gate before every route: who gets past it, what may pass in either direction, and what is stored for whom.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    CONTEXT, DINNER, Folder, Raw, RawAnswer, Running, ask, content, costeer, post, proxy, question, raw, recorder, run,
    serve, upstream,
};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> RawAnswer {
    raw(
        address,
        Raw {
            method: "GET",
            path,
            headers,
            ..Raw::default()
        },
    )
    .await
}

async fn sent(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &str) -> RawAnswer {
    let headers: Vec<(&str, &str)> = [JSON].into_iter().chain(headers.iter().copied()).collect();
    raw(
        address,
        Raw {
            path,
            headers: &headers,
            body: body.as_bytes(),
            ..Raw::default()
        },
    )
    .await
}

/// Bytes exactly as they are.
async fn verbatim(address: SocketAddr, bytes: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _reset = stream.read_to_string(&mut answer).await;
    answer
}

/// One of each kind of route.
const ROUTES: [&str; 9] = [
    "/v1/models",
    "/v1/chat/completions",
    "/v1/x/y",
    "/metrics",
    "/healthz",
    "/readyz",
    "/costeer/",
    "/costeer/v1/profiles",
    "/nowhere",
];

#[test]
fn requests_under_a_foreign_name_end_at_the_gate() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[("server.hosts", "costeer.lan, Other.Lan")]).await;
        for path in ROUTES {
            for host in [
                "evil.example:8089",
                "127.0.0.1.evil.example",
                "0.0.0.0:8089",
                "192.168.0.7",
                "localhost.evil",
            ] {
                let answer = get(address, path, &[("host", host)]).await;
                assert_eq!(answer.status, 403, "{path} for {host}: {answer:?}");
                assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            }
            for host in [
                "localhost:8089",
                "127.0.0.1",
                "[::1]:8089",
                "a.localhost",
                "costeer.lan:80",
                "other.lan",
            ] {
                assert_ne!(
                    get(address, path, &[("host", host)]).await.status,
                    403,
                    "{path} for {host}"
                );
            }
            assert_eq!(
                get(address, path, &[("host", "localhost"), ("host", "evil.example")])
                    .await
                    .status,
                400,
                "{path}"
            );
            assert_eq!(
                get(address, path, &[("host", "evil.example@localhost")]).await.status,
                400,
                "{path}"
            );
        }
        let absolute = verbatim(
            address,
            "GET http://evil.example/healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        )
        .await;
        assert!(absolute.starts_with("HTTP/1.1 403"), "{absolute}");
        let nameless = verbatim(address, "GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n").await;
        assert!(nameless.starts_with("HTTP/1.1 400"), "{nameless}");
        let old = verbatim(address, "GET /healthz HTTP/1.0\r\n\r\n").await;
        assert!(old.starts_with("HTTP/1.0 200"), "{old}");
        let trace = raw(
            address,
            Raw {
                method: "TRACE",
                path: "/v1/models",
                ..Raw::default()
            },
        )
        .await;
        assert!(trace.status == 405 && trace.header("allow").is_some(), "{trace:?}");
    });
}

#[test]
fn pages_of_other_origins_end_at_the_gate() {
    run(async {
        let (recorder, recording) = recorder(upstream().await).await;
        let (_proxy, address) = proxy(recorder, &[("server.cors_origins", "http://page:3000")]).await;
        let own = format!("http://{address}");
        for path in ROUTES {
            for headers in [
                &[("origin", "http://evil.example")][..],
                &[("origin", "null")],
                &[("origin", "http://localhost:1")],
                &[("origin", own.as_str()), ("origin", "http://evil.example")],
                &[("origin", "http://page:3000"), ("origin", "http://evil.example")],
                &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
                &[
                    ("sec-fetch-site", "same-site"),
                    ("sec-fetch-mode", "no-cors"),
                    ("sec-fetch-dest", "script"),
                ],
            ] {
                assert_eq!(get(address, path, headers).await.status, 403, "{path} {headers:?}");
            }
            let same = [
                ("origin", own.as_str()),
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "cors"),
                ("sec-fetch-dest", "empty"),
            ];
            assert_ne!(get(address, path, &same).await.status, 403, "{path}");
            let foreign = [
                ("origin", "http://page:3000"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "cors"),
            ];
            let may = path.starts_with("/v1/");
            assert_eq!(get(address, path, &foreign).await.status != 403, may, "{path}");
        }
        recording.requests();
        let before = recording.requests().len();
        for headers in [
            &[
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-site", "none"),
                ("sec-fetch-dest", "document"),
            ][..],
            &[("sec-fetch-dest", "script"), ("sec-fetch-site", "same-origin")],
            &[("service-worker", "script")],
            &[("referer", "http://127.0.0.1:8089/v1/hello")],
        ] {
            for path in ["/v1/hello", "/v1/models/x", "/costeer/v1/profiles"] {
                assert_eq!(get(address, path, headers).await.status, 403, "{path} {headers:?}");
            }
        }
        // The page may be typed, and linked to.
        for site in ["none", "cross-site"] {
            let headers = [
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-site", site),
                ("sec-fetch-dest", "document"),
            ];
            assert_eq!(get(address, "/costeer/", &headers).await.status, 200);
        }
        // OPTIONS is answered here, allowed or not.
        for path in ["/v1/embeddings", "/v1/chat/completions", "/v1/x"] {
            let headers = [
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "authorization, x-costeer-context"),
            ];
            let ask = |origin| [("origin", origin), headers[0], headers[1]];
            let options = async |headers: &[(&str, &str)]| {
                raw(
                    address,
                    Raw {
                        method: "OPTIONS",
                        path,
                        headers,
                        ..Raw::default()
                    },
                )
                .await
            };
            assert_eq!(options(&ask("http://evil.example")).await.status, 403);
            let allowed = options(&ask("http://page:3000")).await;
            assert_eq!(
                (allowed.status, allowed.header("access-control-allow-origin")),
                (200, Some("http://page:3000"))
            );
            assert_eq!(options(&[]).await.header("access-control-allow-origin"), None);
        }
        assert_eq!(recording.requests().len(), before);
    });
}

#[test]
fn bodies_must_be_called_json_and_may_be_packed_once() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[]).await;
        let body = question(DINNER).to_string();
        let context = ("x-costeer-context", CONTEXT);
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=utf-16",
            "multipart/form-data; boundary=x",
            "json",
        ] {
            for path in ["/v1/chat/completions", "/v1/embeddings", "/costeer/v1/profiles"] {
                let headers = [("content-type", kind), context];
                let answer = raw(
                    address,
                    Raw {
                        path,
                        headers: &headers,
                        body: body.as_bytes(),
                        ..Raw::default()
                    },
                )
                .await;
                assert_eq!(answer.status, 415, "{path} {kind}: {answer:?}");
                assert!(answer.text.contains("application/json"), "{answer:?}");
            }
        }
        assert_eq!(
            raw(
                address,
                Raw {
                    headers: &[context],
                    body: body.as_bytes(),
                    ..Raw::default()
                }
            )
            .await
            .status,
            415
        );
        assert_eq!(
            sent(address, "/v1/chat/completions", &[JSON], &body).await.status,
            415,
            "called so twice"
        );
        let expected = content(&ask(address, &question(DINNER), &[context]).await.json().await.unwrap());
        for kind in ["application/json; charset=UTF-8", "application/vnd.api+json"] {
            let headers = [("content-type", kind), context];
            assert_eq!(
                raw(
                    address,
                    Raw {
                        headers: &headers,
                        body: body.as_bytes(),
                        ..Raw::default()
                    }
                )
                .await
                .status,
                200,
                "{kind}"
            );
        }
        for (coding, packed) in packed(body.as_bytes()) {
            let response = reqwest::Client::new()
                .post(format!("http://{address}/v1/chat/completions"))
                .header("content-type", "application/json")
                .header("content-encoding", coding)
                .header("x-costeer-context", CONTEXT)
                .body(packed);
            let response = response.send().await.unwrap();
            assert_eq!(response.status(), 200, "{coding}");
            assert_eq!(content(&response.json().await.unwrap()), expected, "{coding}");
        }
        for coding in ["gzip, gzip", "compress", "aes128gcm"] {
            assert_eq!(
                sent(address, "/v1/chat/completions", &[("content-encoding", coding)], &body)
                    .await
                    .status,
                415,
                "{coding}"
            );
        }
        assert_eq!(
            sent(address, "/v1/chat/completions", &[("content-encoding", "gzip")], &body)
                .await
                .status,
            400,
            "not packed at all"
        );
        // A small body that unpacks to a large one.
        let (_proxy, small) = proxy(upstream().await, &[("server.max_body_bytes", "100000")]).await;
        let (_, bomb) = packed(&vec![b' '; 20_000_000]).remove(0);
        let response = reqwest::Client::new()
            .post(format!("http://{small}/v1/embeddings"))
            .header("content-type", "application/json");
        let response = response
            .header("content-encoding", "gzip")
            .body(bomb)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 413);
    });
}

fn packed(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(body).unwrap();
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    deflate.write_all(body).unwrap();
    vec![("gzip", gzip.finish().unwrap()), ("deflate", deflate.finish().unwrap())]
}

/// A proxy whose profile `ada` and configured context only its owner may use, and the token.
async fn guarded(settings: &[(&'static str, &str)]) -> (Folder, SocketAddr, String, crate::support::Recording) {
    let folder = Folder::new();
    let file = folder.file("profiles.db");
    let (recorder, recording) = recorder(upstream().await).await;
    let mut all = vec![("store.path", file.as_str()), ("context.profile", "ada")];
    all.extend_from_slice(settings);
    let (proxy, address) = proxy(recorder, &all).await;
    std::mem::forget(proxy);
    let profile = json!({"name": "ada", "facts": [CONTEXT]}).to_string();
    assert_eq!(post(address, "/costeer/v1/profiles", profile, &[]).await.status(), 201);
    let token = std::fs::read_to_string(format!("{file}.token")).unwrap();
    (folder, address, token, recording)
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_stored_needs_a_credential_where_somebody_else_may_be_asking() {
    run(async {
        let (_folder, address, token, recording) = guarded(&[]).await;
        let body = question(DINNER);
        // This process is the proxy's own user, and needs nothing.
        let own = ask(address, &body, &[]).await;
        assert_eq!(own.headers()["x-costeer-steered"], "true");
        let steered = content(&own.json().await.unwrap());
        let bearer = format!("Bearer {token}");
        for relay in [
            ("x-forwarded-for", "10.0.0.1"),
            ("forwarded", "for=10.0.0.1"),
            ("via", "1.1 somewhere"),
            ("x-real-ip", "10.0.0.1"),
        ] {
            // The configured profile would answer, and so would a named one, whether it is there or not.
            for more in [
                &[][..],
                &[("x-costeer-profile", "ada")],
                &[("x-costeer-profile", "nobody")],
            ] {
                let headers: Vec<_> = [relay].into_iter().chain(more.iter().copied()).collect();
                let refused = ask(address, &body, &headers).await;
                assert_eq!(refused.status(), 401, "{headers:?}");
                assert_eq!(refused.headers()["www-authenticate"], "Bearer");
                let said: Value = refused.json().await.unwrap();
                assert!(
                    said["error"]["message"].as_str().unwrap().contains("costeer token"),
                    "{said}"
                );
            }
            for path in ["/costeer/v1/profiles", "/costeer/v1/profiles/ada/export"] {
                assert_eq!(get(address, path, &[relay]).await.status, 401, "{path} {relay:?}");
                assert_eq!(
                    get(address, path, &[relay, ("authorization", &bearer)]).await.status,
                    200,
                    "{path} {relay:?}"
                );
                assert_eq!(
                    get(address, path, &[relay, ("authorization", "Bearer 1234")])
                        .await
                        .status,
                    401,
                    "{path}"
                );
            }
            // What a request brings itself needs nothing, nor does an answer without any.
            assert_eq!(
                ask(address, &body, &[relay, ("x-costeer-context", CONTEXT)])
                    .await
                    .status(),
                200
            );
            assert_eq!(
                ask(address, &body, &[relay, ("x-costeer-context", " ")]).await.status(),
                200
            );
            let by_bearer = ask(address, &body, &[relay, ("authorization", &bearer)]).await;
            assert_eq!(content(&by_bearer.json().await.unwrap()), steered);
            let by_header = [
                relay,
                ("x-costeer-token", token.as_str()),
                ("authorization", "Bearer of-the-upstream"),
            ];
            assert_eq!(
                content(&ask(address, &body, &by_header).await.json().await.unwrap()),
                steered
            );
        }
        // Unsteered as well, the token goes nowhere, and the upstream's own key goes on.
        for (name, value) in [
            ("authorization", bearer.as_str()),
            ("authorization", token.as_str()),
            ("x-costeer-token", token.as_str()),
        ] {
            ask(address, &body, &[(name, value), ("x-costeer-context", "")])
                .await
                .text()
                .await
                .unwrap();
            get(address, "/v1/models", &[(name, value)]).await;
        }
        let seen = recording.requests();
        assert!(seen.iter().any(|request| request.contains("Bearer of-the-upstream")));
        assert!(
            !seen.iter().any(|request| request.contains(&token)),
            "the token reached the upstream"
        );
    });
}

#[test]
fn pages_of_other_origins_are_steered_by_what_they_bring_alone() {
    run(async {
        let (_folder, address, token, _) = guarded(&[("server.cors_origins", "*")]).await;
        let bearer = format!("Bearer {token}");
        let page = [("origin", "https://page.example"), ("authorization", bearer.as_str())];
        let mut traced = question(DINNER);
        traced["costeer"] = json!({"profile": "ada", "trace": true});
        for body in [question(DINNER), traced] {
            let refused = ask(address, &body, &page).await;
            assert_eq!(refused.status(), 403);
            assert!(refused.text().await.unwrap().contains("server.cors_origins"));
        }
        assert_eq!(get(address, "/costeer/v1/profiles", &page).await.status, 403);
        let own = ask(address, &question(DINNER), &[page[0], ("x-costeer-context", CONTEXT)]).await;
        assert_eq!(own.headers()["access-control-allow-origin"], "https://page.example");
        assert_eq!(own.headers()["x-costeer-steered"], "true");
    });
}

#[test]
fn the_field_user_names_profiles_for_their_owner_alone() {
    run(async {
        let (_folder, address, token, _) = guarded(&[("context.user_field", "true"), ("context.profile", "")]).await;
        let mut body = question(DINNER);
        for user in ["ada", "nobody"] {
            body["user"] = json!(user);
            assert_eq!(ask(address, &body, &[("via", "1.1 x")]).await.status(), 401, "{user}");
            let response = ask(address, &body, &[("via", "1.1 x"), ("x-costeer-token", &token)]).await;
            assert_eq!(
                response.headers()["x-costeer-steered"],
                if user == "ada" { "true" } else { "false" }
            );
        }
    });
}

/// Runs curl as another user of this machine, which only root can.
#[cfg(target_os = "linux")]
fn as_user(id: u32, url: &str, headers: &[&str], body: Option<&str>) -> String {
    let mut command = std::process::Command::new("setpriv");
    command.args([&format!("--reuid={id}"), &format!("--regid={id}"), "--clear-groups"]);
    command.args([
        "curl",
        "--silent",
        "--max-time",
        "60",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
        url,
    ]);
    for header in headers {
        command.args(["--header", header]);
    }
    if let Some(body) = body {
        command.args(["--data", body]);
    }
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn another_user_of_the_machine_gets_nothing_that_is_stored() {
    const OWNER: u32 = 64_001;
    const OTHER: u32 = 64_002;
    let tools = ["setpriv", "curl"]
        .iter()
        .all(|tool| std::process::Command::new(tool).arg("--version").output().is_ok());
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|this| std::os::unix::fs::MetadataExt::uid(&this) == 0);
    if !tools || !is_root {
        eprintln!("skipped: it takes root, setpriv and curl to be two users");
        return;
    }
    run(async {
        // All the owner needs, where the owner can read it.
        let folder = Folder::new();
        let home = folder.path().to_owned();
        let program = home.join("costeer");
        std::fs::copy(env!("CARGO_BIN_EXE_costeer"), &program).unwrap();
        let model = home.join("slm");
        std::fs::create_dir(&model).unwrap();
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/models/tiny/slm")).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), model.join(file.file_name())).unwrap();
        }
        let owned = std::process::Command::new("chown")
            .args(["-R", &format!("{OWNER}:{OWNER}")])
            .arg(&home)
            .status();
        assert!(owned.unwrap().success());
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let mut child = std::process::Command::new("setpriv")
            .args([
                &format!("--reuid={OWNER}"),
                &format!("--regid={OWNER}"),
                "--clear-groups",
            ])
            .arg(&program)
            .args(["serve", "--listen", &free.to_string()])
            .current_dir(&home)
            .env("COSTEER__UPSTREAM__URL", format!("http://{}/v1", upstream().await))
            .env("COSTEER__STORE__PATH", home.join("store/profiles.db"))
            .env("COSTEER__LOCAL__MODEL", &model)
            .env("COSTEER__CONTEXT__TEXT", CONTEXT)
            .env("COSTEER__LOG__FILTER", "off")
            .env("HOME", &home)
            .spawn()
            .unwrap();
        let start = Instant::now();
        while reqwest::get(format!("http://{free}/healthz")).await.is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "nothing came up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // The kernel gives the files of a process that cannot be dumped to root (proc(5)).
        let memory = std::fs::metadata(format!("/proc/{}/mem", child.id())).unwrap();
        let memory_is_of = std::os::unix::fs::MetadataExt::uid(&memory);
        let tried = tokio::task::spawn_blocking(move || {
            let profiles = format!("http://{free}/costeer/v1/profiles");
            let chat = format!("http://{free}/v1/chat/completions");
            let (kind, body) = ("content-type: application/json", question(DINNER).to_string());
            let created = as_user(OWNER, &profiles, &[kind], Some("{\"name\": \"ada\"}"));
            let of = |user| {
                [
                    as_user(user, &profiles, &[], None),
                    as_user(user, &format!("{profiles}/ada/export"), &[], None),
                    as_user(user, &chat, &[kind], Some(&body)),
                    as_user(user, &chat, &[kind, "x-costeer-profile: ada"], Some(&body)),
                    as_user(user, &chat, &[kind, "x-costeer-context: I am vegan."], Some(&body)),
                ]
            };
            let readable = std::process::Command::new("setpriv")
                .args([
                    &format!("--reuid={OTHER}"),
                    &format!("--regid={OTHER}"),
                    "--clear-groups",
                    "cat",
                ])
                .arg(home.join("store/profiles.db.token"))
                .output();
            (created, of(OWNER), of(OTHER), readable.unwrap().stdout)
        });
        let tried = tried.await;
        child.kill().unwrap();
        child.wait().unwrap();
        let (created, owner, other, token) = tried.unwrap();
        assert_eq!(
            memory_is_of, 0,
            "the owner's other programs can read the process' memory"
        );
        assert_eq!(created, "201");
        assert_eq!(owner, ["200"; 5], "the owner needs no extra step");
        assert_eq!(other, ["401", "401", "401", "401", "200"]);
        assert!(token.is_empty(), "the token's file can be read by others");
    });
}

#[test]
fn the_token_is_printed_and_opens_the_page() {
    let folder = Folder::new();
    let file = folder.file("profiles.db");
    let printed = |arguments: &[&str], variables: &[(&str, &str)]| {
        let all: Vec<(&str, &str)> = [("COSTEER__STORE__PATH", file.as_str())]
            .into_iter()
            .chain(variables.iter().copied())
            .collect();
        let output = costeer(arguments, &all).output().unwrap();
        (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (token, _) = printed(&["token"], &[]);
    let token = token.trim();
    assert!(
        token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{token}"
    );
    assert_eq!(printed(&["token"], &[]).0.trim(), token);
    let (page, _) = printed(&["token", "--page"], &[("COSTEER__SERVER__LISTEN", "127.0.0.1:9999")]);
    assert_eq!(page.trim(), format!("http://127.0.0.1:9999/costeer/#token={token}"));
    let (nothing, said) = printed(&["token"], &[("COSTEER__SERVER__API_KEY", "k")]);
    assert!(nothing.is_empty() && said.contains("server.api_key"), "{said}");
}

#[test]
fn a_listener_for_others_needs_a_key_or_to_be_meant() {
    run(async {
        let folder = Folder::new();
        let file = folder.file("profiles.db");
        let url = format!("http://{}/v1", upstream().await);
        let start = |listen: &str, more: &[(&str, &str)]| {
            let mut variables = vec![
                ("COSTEER__UPSTREAM__URL", url.as_str()),
                ("COSTEER__STORE__PATH", file.as_str()),
            ];
            variables.extend_from_slice(more);
            costeer(&["serve", "--listen", listen], &variables)
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        };
        let refused = start("0.0.0.0:0", &[]).wait_with_output().unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(
            !refused.status.success() && said.contains("server.api_key") && said.contains("server.open"),
            "{said}"
        );
        let open = [
            ("COSTEER__UPSTREAM__URL", url.as_str()),
            ("COSTEER__STORE__PATH", file.as_str()),
            ("COSTEER__SERVER__OPEN", "true"),
            ("COSTEER__CONTEXT__TEXT", CONTEXT),
        ];
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let listen: SocketAddr = format!("0.0.0.0:{}", free.port()).parse().unwrap();
        let mut running = Running::start_at(listen, &["serve"], &open).await;
        let body = question(DINNER).to_string();
        // Open to everybody, but for what is stored, and for names that a page may have taken.
        for (headers, status) in [
            (&[("via", "1.1 x")][..], 401),
            (&[("host", "evil.example")], 403),
            (&[("host", "costeer:8089"), ("x-costeer-context", CONTEXT)], 200),
            (&[("host", "192.168.7.7:8089"), ("x-costeer-context", CONTEXT)], 200),
        ] {
            let answer = sent(free, "/v1/chat/completions", headers, &body).await;
            assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
        }
        assert_eq!(get(free, "/costeer/v1/profiles", &[]).await.status, 404);
        std::process::Command::new("kill")
            .arg(running.process().to_string())
            .status()
            .unwrap();
        let (_, log) = tokio::task::spawn_blocking(move || running.wait()).await.unwrap();
        assert!(
            log.contains("WARN") && log.contains("server.listen") && log.contains("server.open"),
            "{log}"
        );
    });
}

/// An upstream of the worst kind: what it is asked, and what it answers.
async fn villain(answer: fn(&str) -> Response) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&kept);
    let keep = move |request: Request| async move {
        let path = request.uri().to_string();
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let said = format!(
            "{} {}\n{:?}\n{}",
            parts.method,
            parts.uri,
            parts.headers,
            String::from_utf8_lossy(&body)
        );
        seen.lock().unwrap().push(said);
        answer(&path)
    };
    (serve(Router::new().fallback(keep)).await, kept)
}

const NASTY: [(&str, &str); 12] = [
    ("set-cookie", "session=stolen"),
    ("clear-site-data", "\"*\""),
    ("access-control-allow-origin", "*"),
    ("access-control-allow-credentials", "true"),
    ("refresh", "0;url=http://evil.example"),
    ("service-worker-allowed", "/"),
    ("strict-transport-security", "max-age=9"),
    ("location", "/elsewhere"),
    ("link", "<http://evil.example>; rel=preload"),
    ("x-costeer-report", "positions=1"),
    ("server-timing", "x"),
    ("content-location", "/x"),
];
const FINE: [(&str, &str); 7] = [
    ("content-type", "application/json"),
    ("retry-after", "7"),
    ("x-ratelimit-remaining-tokens", "5"),
    ("openai-processing-ms", "12"),
    ("ratelimit-policy", "q"),
    ("retry-after-ms", "7000"),
    ("openai-version", "1"),
];

#[test]
fn headers_pass_by_lists_in_both_directions() {
    run(async {
        let (upstream, seen) = villain(|_| {
            let headers = NASTY.iter().chain(&FINE);
            let response = headers.fold(Response::builder(), |response, (name, value)| {
                response.header(*name, *value)
            });
            response.body(Body::from("{}")).unwrap()
        })
        .await;
        let (_proxy, address) = proxy(
            upstream,
            &[
                ("upstream.pass_headers", "X-Team, x-stainless-lang"),
                ("upstream.driver", "vllm"),
            ],
        )
        .await;
        let pass = [
            ("accept", "application/json"),
            ("authorization", "Bearer own"),
            ("x-request-id", "id-1"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("idempotency-key", "i-1"),
            ("openai-organization", "org"),
            ("openai-beta", "b"),
            ("x-team", "blue"),
            ("x-stainless-lang", "js"),
        ];
        let stay = [
            ("cookie", "jupyter=1"),
            ("referer", "http://127.0.0.1/costeer/"),
            ("x-api-key", "k"),
            ("x-forwarded-for", "10.0.0.1"),
            ("user-agent", "secret/1"),
            ("accept-language", "de"),
            ("proxy-authorization", "Basic x"),
            ("te", "trailers"),
            ("x-other", "1"),
            ("sec-ch-ua", "x"),
            ("priority", "u=1"),
            ("baggage", "a=b"),
        ];
        let headers: Vec<_> = pass.iter().chain(&stay).copied().collect();
        for (path, body) in [
            ("/v1/embeddings", "{\"input\":\"x\"}"),
            ("/v1/chat/completions", "{\"messages\":[]}"),
            ("/v1/models", ""),
        ] {
            seen.lock().unwrap().clear();
            let answer = if body.is_empty() {
                get(address, path, &headers).await
            } else {
                sent(address, path, &headers, body).await
            };
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            let sent = std::mem::take(&mut *seen.lock().unwrap()).join("\n");
            for (name, value) in pass {
                assert!(
                    sent.contains(&format!("\"{name}\": \"{value}\"")),
                    "{path}: {name} is not in {sent}"
                );
            }
            for (name, _) in stay {
                assert!(!sent.contains(&format!("\"{name}\"")), "{path}: {name} is in {sent}");
            }
            for (name, value) in FINE {
                assert_eq!(answer.header(name), Some(value), "{path}: {name}");
            }
            for (name, _) in NASTY {
                assert_eq!(answer.header(name), None, "{path}: {name}");
            }
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            assert!(answer.header("content-security-policy").unwrap().starts_with("sandbox"));
        }
    });
}

#[test]
fn an_upstream_that_leads_elsewhere_is_a_502() {
    run(async {
        let (upstream, _) = villain(|path| {
            let status: u16 = path.rsplit('/').next().unwrap().parse().unwrap_or(307);
            Response::builder()
                .status(status)
                .header("location", "http://evil.example/collect")
                .body(Body::empty())
                .unwrap()
        })
        .await;
        let (_proxy, address) = proxy(upstream, &[("upstream.retries", "0"), ("upstream.driver", "vllm")]).await;
        for status in [300, 301, 302, 303, 304, 307, 308] {
            let answer = get(
                address,
                &format!("/v1/{status}"),
                &[("x-costeer-context", "I am vegan.")],
            )
            .await;
            assert_eq!((answer.status, answer.header("location")), (502, None), "{status}");
            assert!(answer.text.contains("upstream.url"), "{answer:?}");
        }
        for headers in [&[][..], &[("x-costeer-context", "I am vegan.")]] {
            let answer = sent(address, "/v1/chat/completions", headers, &question(DINNER).to_string()).await;
            assert_eq!((answer.status, answer.header("location")), (502, None));
        }
    });
}

#[test]
fn addresses_stay_below_v1_and_slashes_too_many_do_no_harm() {
    run(async {
        let (upstream, seen) = villain(|_| Response::new(Body::from("{}"))).await;
        let (_proxy, address) = proxy(upstream, &[("context.text", CONTEXT), ("upstream.driver", "vllm")]).await;
        for path in [
            "/v1/../metrics",
            "/v1/%2e%2e/version",
            "/v1/x/..%2f..%2fversion",
            "/v1/..\\version",
            "/v1/.%2e/.%2e/health",
            "/v1/x%00",
            "/v1/..;/x",
        ] {
            assert_eq!(get(address, path, &[]).await.status, 400, "{path}");
        }
        assert!(seen.lock().unwrap().is_empty());
        for (path, reached) in [
            ("/v1//models/", "/v1/models"),
            ("//v1/models/a%2Fb%20c?x=%26", "/v1/models/a%2Fb%20c?x=%26"),
            ("/v1/@127.0.0.1:1/x", "/v1/@127.0.0.1:1/x"),
        ] {
            assert_eq!(get(address, path, &[]).await.status, 200, "{path}");
            let asked = std::mem::take(&mut *seen.lock().unwrap());
            assert!(asked[0].starts_with(&format!("GET {reached}\n")), "{path}: {asked:?}");
        }
        // The configured context is not lost by a slip in the address: it is a chat, and steered.
        for path in ["/v1/chat/completions/", "/v1//chat/completions", "//v1/completions"] {
            let body =
                json!({"messages": [{"role": "user", "content": "Hi"}], "prompt": "Hi", "stream": true}).to_string();
            let answer = sent(address, path, &[], &body).await;
            let asked = std::mem::take(&mut *seen.lock().unwrap()).join("\n");
            assert!(
                answer.status >= 400 && !asked.contains("\"messages\""),
                "{path}: {answer:?} {asked}"
            );
        }
        for path in ["/v1/v1/models", "/chat/completions", "/V1/models"] {
            let answer = sent(address, path, &[], "{}").await;
            assert!(
                answer.status == 404 && answer.text.contains("/v1"),
                "{path}: {answer:?}"
            );
        }
    });
}

#[test]
fn what_passes_is_written_anew_and_says_the_same() {
    run(async {
        let (upstream, seen) = villain(|_| Response::new(Body::from("{}"))).await;
        let (_proxy, address) = proxy(upstream, &[("upstream.driver", "vllm")]).await;
        let body = "\u{feff}{ \"z\" : 1.0, \"a\":[1e3, 12345678901234567890123, -0, 0.10],\"unknown\":{\"k\":\"\\u00e4\\/\"},\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}] }";
        let wanted = "{\"z\":1.0,\"a\":[1e3,12345678901234567890123,-0,0.10],\"unknown\":{\"k\":\"ä/\"},\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
        for path in ["/v1/embeddings", "/v1/chat/completions"] {
            assert_eq!(sent(address, path, &[], body).await.status, 200);
            let asked = std::mem::take(&mut *seen.lock().unwrap());
            assert!(
                asked.last().unwrap().ends_with(&format!("\n{wanted}")),
                "{path}: {asked:?}"
            );
        }
    });
}

#[test]
fn forms_stream_through_with_their_texts_looked_at() {
    run(async {
        let (upstream, seen) = villain(|_| Response::new(Body::from("{}"))).await;
        let (_proxy, address) = proxy(upstream, &[("upstream.driver", "vllm")]).await;
        let form = |text: &str| {
            format!(
                "--x\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n\
                 --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"ä \\\"1\\\".wav\"\r\ncontent-type: audio/wav\r\nx-odd: 1\r\n\r\nRIFF\0<private>\r\n--y\r\n\
                 --x\r\ncontent-disposition: form-data; name=\"prompt\"\r\n\r\n{text}\r\n--x--\r\n"
            )
        };
        let post = async |path: &str, body: String| {
            let headers = [("content-type", "multipart/form-data; boundary=x")];
            raw(
                address,
                Raw {
                    path,
                    headers: &headers,
                    body: body.as_bytes(),
                    ..Raw::default()
                },
            )
            .await
        };
        assert_eq!(
            post("/v1/audio/transcriptions", form("Ziggy, Trondheim")).await.status,
            200
        );
        let asked = std::mem::take(&mut *seen.lock().unwrap()).join("\n");
        for part in [
            "name=\"model\"\r\n\r\nwhisper\r\n",
            "filename=\"",
            "RIFF\0<private>\r\n--y\r\n",
            "Content-Type: audio/wav",
            "name=\"prompt\"\r\n\r\nZiggy, Trondheim\r\n",
        ] {
            assert!(asked.contains(part), "{part:?} is not in {asked}");
        }
        assert!(!asked.contains("x-odd"));
        for (text, says) in [("<private>x</private>", "private"), ("{\"costeer\": 1}", "costeer")] {
            let refused = post("/v1/audio/transcriptions", form(text)).await;
            assert!(refused.status == 400 && refused.text.contains(says), "{refused:?}");
        }
        assert_eq!(post("/v1/files", "--x\r\nno form".to_owned()).await.status, 400);
        assert_eq!(post("/v1/embeddings", form("x")).await.status, 415);
    });
}

/// Answers /v1/models/… in its own ways: with an error without end, with nothing, or with a beginning and then nothing.
async fn sluggish() -> SocketAddr {
    let answer = |request: Request| async move {
        let endless = |status: u16| {
            let parts =
                futures::stream::repeat_with(|| Ok::<_, std::io::Error>(bytes::Bytes::from_static(&[b'x'; 1 << 16])));
            Response::builder()
                .status(status)
                .body(Body::from_stream(parts))
                .unwrap()
        };
        match request.uri().path() {
            "/v1/models/error" | "/v1/completions" => endless(400),
            "/v1/models/silent" => std::future::pending().await,
            "/v1/models/stalls" => {
                let first = futures::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from_static(b"{\"a\":"))]);
                Response::new(Body::from_stream(futures::StreamExt::chain(
                    first,
                    futures::stream::pending(),
                )))
            }
            _ => Response::new(Body::from("{\"data\": [{\"id\": \"m\", \"owned_by\": \"vllm\"}]}")),
        }
    };
    serve(Router::new().fallback(answer)).await
}

#[test]
fn an_upstream_cannot_keep_answers_waiting_or_growing() {
    run(async {
        let settings = [
            ("upstream.first_token_timeout_ms", "500"),
            ("upstream.idle_timeout_ms", "500"),
            ("upstream.retries", "0"),
        ];
        let (_proxy, address) = proxy(sluggish().await, &settings).await;
        let begun = Instant::now();
        let cut = get(address, "/v1/models/error", &[]).await;
        assert_eq!(cut.status, 400);
        assert!((60_000..70_000).contains(&cut.text.len()), "{} bytes", cut.text.len());
        let steered = ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
        assert_eq!(steered.status(), 400);
        assert!(steered.text().await.unwrap().len() < 2000);
        let silent = get(address, "/v1/models/silent", &[]).await;
        assert!(
            silent.status == 504 && silent.text.contains("first_token_timeout_ms"),
            "{silent:?}"
        );
        let stalls = get(address, "/v1/models/stalls", &[]).await;
        assert!(
            stalls.status == 200 && !stalls.text.ends_with("0\r\n\r\n"),
            "a cut answer looks finished: {stalls:?}"
        );
        assert!(begun.elapsed() < Duration::from_secs(20));
    });
}

#[test]
fn what_an_upstream_may_have_received_is_not_sent_again() {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&received);
        // Reads a request, and hangs up.
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4096];
                let read = stream.read(&mut head).await.unwrap_or(0);
                counted.fetch_add(
                    usize::from(head[..read].windows(4).any(|four| four == b"/v1/")),
                    Ordering::SeqCst,
                );
            }
        });
        let (_proxy, proxy) = proxy(address, &[("upstream.retries", "2")]).await;
        for path in ["/v1/batches", "/v1/responses", "/v1/chat/completions"] {
            received.store(0, Ordering::SeqCst);
            let answer = sent(proxy, path, &[], &question(DINNER).to_string()).await;
            assert_eq!(
                (answer.status, received.load(Ordering::SeqCst)),
                (502, 1),
                "{path}: {answer:?}"
            );
            assert!(answer.text.contains("not sent again"), "{answer:?}");
        }
        received.store(0, Ordering::SeqCst);
        assert_eq!(get(proxy, "/v1/models", &[]).await.status, 502);
        assert!(received.load(Ordering::SeqCst) > 1, "asking again does no harm");
    });
}

#[test]
fn what_takes_too_long_is_not_asked_of_another_server() {
    run(async {
        let received = Arc::new(AtomicUsize::new(0));
        let silent = || {
            let counted = Arc::clone(&received);
            let answer = move |request: Request| async move {
                if request.method() == axum::http::Method::POST {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                std::future::pending::<Response>().await
            };
            serve(Router::new().fallback(answer))
        };
        let urls = format!("http://{}/v1,http://{}/v1", silent().await, silent().await);
        let settings = [
            ("upstream.url", urls.as_str()),
            ("upstream.answer_timeout_ms", "300"),
            ("upstream.first_token_timeout_ms", "300"),
        ];
        let (_proxy, address) = proxy(upstream().await, &settings).await;
        for (body, setting) in [
            ("{\"input\":\"x\"}", "answer_timeout_ms"),
            ("{\"input\":\"x\",\"stream\":true}", "first_token_timeout_ms"),
        ] {
            received.store(0, Ordering::SeqCst);
            let answer = sent(address, "/v1/responses", &[], body).await;
            assert_eq!((answer.status, received.load(Ordering::SeqCst)), (504, 1), "{answer:?}");
            assert!(answer.text.contains(setting), "{answer:?}");
        }
    });
}

#[test]
fn one_request_gets_so_many_answers() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[("steering.max_answers", "4")]).await;
        let ask = async |prompts: usize, n: usize| {
            let body =
                json!({"prompt": vec!["Dinner is"; prompts], "n": n, "max_tokens": 1, "costeer": {"context": CONTEXT}});
            sent(address, "/v1/completions", &[], &body.to_string()).await
        };
        assert_eq!(ask(2, 2).await.status, 200);
        let refused = ask(3, 2).await;
        assert!(
            refused.status == 400 && refused.text.contains("steering.max_answers"),
            "{refused:?}"
        );
    });
}

#[test]
fn a_template_that_quotes_the_private_branch_is_not_repeated() {
    run(async {
        let folder = Folder::new();
        folder.copy_without_weights("slm");
        std::fs::copy(
            concat!(env!("CARGO_MANIFEST_DIR"), "/models/tiny/slm/model.safetensors"),
            folder.file("model.safetensors"),
        )
        .unwrap();
        let path = folder.file("tokenizer_config.json");
        let mut config: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        config["chat_template"] = json!(
            "{% for message in messages %}{% if 'Wilhelmina' in message.content %}{{ raise_exception('Refused: ' + message.content) }}{% endif %}{{ message.content }}{% endfor %}"
        );
        std::fs::write(&path, config.to_string()).unwrap();
        let settings = [
            ("local.model", folder.path().to_str().unwrap()),
            ("upstream.tokenizer", "models/tiny/llm"),
        ];
        let (_proxy, address) = proxy(upstream().await, &settings).await;
        let refused = ask(
            address,
            &question(DINNER),
            &[("x-costeer-context", "I am Wilhelmina Vandersmith.")],
        )
        .await;
        assert_eq!(refused.status(), 400);
        let said = refused.text().await.unwrap();
        assert!(said.contains("chat template") && !said.contains("Wilhelmina"), "{said}");
    });
}

#[test]
#[cfg(target_os = "linux")]
fn the_stores_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    run(async {
        let folder = Folder::new();
        let file = folder.file("profiles.db");
        let make = |arguments: &[&str]| {
            assert!(
                costeer(arguments, &[("COSTEER__STORE__PATH", &file)])
                    .status()
                    .unwrap()
                    .success()
            )
        };
        make(&["profile", "create", "ada"]);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let url = format!("http://{}/v1", upstream().await);
        let _running = Running::serve(&[
            ("COSTEER__UPSTREAM__URL", url.as_str()),
            ("COSTEER__STORE__PATH", &file),
        ])
        .await;
        for file in [file.clone(), format!("{file}.token")] {
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    });
}
