//! What is stored and configured, and for whom.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{get, sent};
use crate::support::{
    CONTEXT, DINNER, Folder, Recording, Running, ask, content, costeer, post, proxy, question, recorder, run, upstream,
};

/// A proxy whose profile `ada` and configured context only its owner may use, and the token.
async fn guarded(settings: &[(&'static str, &str)]) -> (Folder, SocketAddr, String, Recording) {
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
            let sent = |path: &'static str, kind: &'static str, more: &[(&'static str, &str)]| {
                let url = format!("http://{address}{path}");
                let mut request = reqwest::Client::new().post(url).header("content-type", kind);
                for (name, value) in [relay].iter().chain(more) {
                    request = request.header(*name, *value);
                }
                request
                    .body("{\"path\": \"a.md\", \"profile\": \"ada\"}\nA note.")
                    .send()
            };
            for (path, kind, answer) in [
                ("/costeer/v1/import", "application/octet-stream", 200),
                ("/costeer/v1/preview", "application/json", 400),
            ] {
                assert_eq!(sent(path, kind, &[]).await.unwrap().status(), 401, "{path} {relay:?}");
                let known = sent(path, kind, &[("authorization", &bearer)]).await.unwrap();
                assert_eq!(known.status(), answer, "{path} {relay:?}");
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
        let preview = post(address, "/costeer/v1/preview", question(DINNER).to_string(), &page).await;
        assert_eq!(preview.status(), 403);
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
