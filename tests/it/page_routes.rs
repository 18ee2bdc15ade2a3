//! What the page asks for beside the API: a preview of a request, imports, the status, and what was tuned.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::{CONTEXT, DINNER, Folder, Running, ask, content, post, proxy, question, recorder, run, upstream};

/// Sends a file as the page does: a line that says what it is, and its bytes.
async fn import(address: SocketAddr, head: &Value, file: &[u8]) -> (u16, Vec<Value>) {
    let body = [head.to_string().as_bytes(), b"\n", file].concat();
    let response = reqwest::Client::new()
        .post(format!("http://{address}/costeer/v1/import"))
        .header("content-type", "application/octet-stream")
        .body(body)
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (status, lines.collect())
}

async fn json_of(address: SocketAddr, path: &str) -> (u16, Value) {
    let response = reqwest::get(format!("http://{address}{path}")).await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn documents(address: SocketAddr, name: &str) -> Vec<Value> {
    let (_, list) = json_of(address, &format!("/costeer/v1/profiles/{name}/documents")).await;
    list["data"].as_array().unwrap().clone()
}

async fn preview(address: SocketAddr, body: &Value) -> (u16, Value) {
    let response = post(address, "/costeer/v1/preview", body.to_string(), &[]).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

#[test]
fn files_come_in_as_the_command_would_read_them() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[]).await;
        let head = json!({"path": "notes/soup.md", "profile": "ada", "modified": 1_714_557_600_000_i64});
        let note = "---\ntags: [food]\n---\n# Soup\nWith leeks.".as_bytes();
        let (status, lines) = import(address, &head, note).await;
        let done = lines.last().unwrap();
        assert_eq!(
            (status, &done["done"], &done["added"]),
            (200, &json!(true), &json!(1)),
            "{done}"
        );
        assert_eq!(done["profiles"], json!(["ada"]));
        let stored = documents(address, "ada").await;
        let one = &stored[0];
        assert_eq!(
            (&one["key"], &one["title"], &one["time"], &one["tags"]),
            (
                &json!("file:/notes/soup.md"),
                &json!("Soup"),
                &json!("2024-05-01T10:00:00Z"),
                &json!(["food"])
            )
        );
        let again = import(address, &head, note).await.1;
        assert_eq!(again.last().unwrap()["unchanged"], 1);
        // No path leads out of where it is said to be, and files may say whose they are.
        let head = json!({"path": "../../etc/notes.jsonl", "profile": "ada"});
        let lines = b"{\"type\":\"profile\",\"name\":\"bob\",\"facts\":[\"I am Bob.\"]}\n{\"type\":\"document\",\"profile\":\"bob\",\"text\":\"hello\"}\n{\"text\": 3}\n";
        let done = import(address, &head, lines).await.1.pop().unwrap();
        assert_eq!(
            (&done["added"], &done["problems"], &done["profiles"]),
            (&json!(1), &json!(1), &json!(["bob"])),
            "{done}"
        );
        assert!(
            done["told"][0].as_str().unwrap().starts_with("etc/notes.jsonl, line 3"),
            "{done}"
        );
        assert_eq!(documents(address, "bob").await.len(), 1);
        let picture = import(address, &json!({"path": "a.png", "profile": "ada"}), b"\x89PNG")
            .await
            .1;
        assert_eq!(picture.last().unwrap()["skipped"], json!({".png": 1}));
    });
}

#[test]
fn long_files_tell_how_far_they_are_and_packed_ones_are_unpacked() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[]).await;
        let lines: String = (0..1000)
            .map(|number| format!("{{\"text\": \"note {number}\"}}\n"))
            .collect();
        let (_, told) = import(
            address,
            &json!({"path": "all.jsonl", "profile": "ada"}),
            lines.as_bytes(),
        )
        .await;
        assert_eq!(told.len(), 4);
        assert_eq!(
            (&told[0]["added"], &told[0]["size"]),
            (&json!(256), &json!(lines.len()))
        );
        assert_eq!(told[3]["added"], 1000);
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for name in ["deep/one.md", "two.txt"] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut zip, name.as_bytes()).unwrap();
        }
        let zip = zip.finish().unwrap().into_inner();
        let done = import(address, &json!({"path": "notes.zip", "profile": "bob"}), &zip)
            .await
            .1;
        assert_eq!(done.last().unwrap()["added"], 2, "{done:?}");
        let keys: Vec<Value> = documents(address, "bob")
            .await
            .iter()
            .map(|one| one["key"].clone())
            .collect();
        assert_eq!(keys, ["file:/notes.zip/deep/one.md", "file:/notes.zip/two.txt"]);
    });
}

#[test]
fn what_cannot_be_imported_is_said_without_quoting() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[]).await;
        for (head, wanted) in [
            (json!({"path": "a.md", "profil": "ada"}), "path"),
            (json!({"profile": "ada"}), "path"),
            (json!({"path": "a.md", "profile": "a/b"}), "path"),
            (json!(["a.md", "ada"]), "path"),
        ] {
            let (status, told) = import(address, &head, b"Wilhelmina").await;
            let error = told[0].to_string();
            assert!(
                status == 400 && error.contains(wanted) && !error.contains("Wilhelmina"),
                "{head}: {error}"
            );
        }
        // Nobody's documents, and a file that is not what it is called.
        for (head, wanted) in [
            (json!({"path": "a.md"}), "whose"),
            (json!({"path": "a.zip", "profile": "ada"}), "ZIP"),
        ] {
            let told = import(address, &head, b"Wilhelmina").await.1.pop().unwrap().to_string();
            assert!(told.contains(wanted) && !told.contains("Wilhelmina"), "{told}");
        }
        let bare = post(
            address,
            "/costeer/v1/import",
            "{\"path\": \"a.md\"}\nWilhelmina".to_owned(),
            &[],
        )
        .await;
        assert_eq!(bare.status(), 415);
        assert!(bare.text().await.unwrap().contains("octet-stream"));
    });
}

#[test]
fn a_preview_is_what_the_same_request_is_steered_by() {
    run(async {
        let (recording_at, recording) = recorder(upstream().await).await;
        let settings = [("context.history", "3"), ("context.budget", "400")];
        let (_proxy, address) = proxy(recording_at, &settings).await;
        let notes: String = (0..30)
            .map(|n| {
                format!(
                    "{{\"text\": \"My dinner number {n} was {} lentils for Ziggy.\"}}\n",
                    "many ".repeat(n)
                )
            })
            .collect();
        import(address, &json!({"path": "n.jsonl", "profile": "ada"}), notes.as_bytes()).await;
        let facts = json!({"facts": ["I am vegan.", "My dog is called Ziggy."]});
        reqwest::Client::new()
            .patch(format!("http://{address}/costeer/v1/profiles/ada"))
            .header("content-type", "application/json")
            .body(facts.to_string())
            .send()
            .await
            .unwrap();
        // What was said before takes so many more words.
        let chat = |words: usize| {
            let mut body = question(DINNER);
            body["messages"] = json!([
                {"role": "user", "content": "Which food is there?"},
                {"role": "assistant", "content": "There is soup. ".repeat(words)},
                {"role": "user", "content": DINNER},
            ]);
            body["costeer"] = json!({"profile": "ada", "context": "I live in Trondheim."});
            body
        };
        let first = preview(address, &chat(1)).await.1;
        let all = first["documents"]["kept"].as_u64().unwrap();
        assert!(all > 0, "{first}");
        // The least that leaves no room for all of it.
        let (mut roomy, mut tight) = (1, 2000);
        while tight - roomy > 1 {
            let words = usize::midpoint(roomy, tight);
            let (status, told) = preview(address, &chat(words)).await;
            if status == 200 && told["documents"]["kept"].as_u64() == Some(all) {
                roomy = words;
            } else {
                tight = words;
            }
        }
        for words in [1, tight] {
            let body = chat(words);
            let before = recording.requests().len();
            let (status, told) = preview(address, &body).await;
            assert_eq!((status, &told["steered"]), (200, &json!(true)), "{told}");
            assert!(told["tokens"].as_u64().unwrap() <= told["budget"].as_u64().unwrap());
            let sent = recording.requests()[before..].join("\n");
            assert!(!sent.contains("dinner") && !sent.contains("Trondheim"), "{sent}");
            // A request that brings this very text is answered the same, token by token and score by score.
            let mut traced = body.clone();
            traced["max_tokens"] = 24.into();
            traced["costeer"]["trace"] = true.into();
            let told = preview(address, &traced).await.1;
            let by_profile: Value = ask(address, &traced, &[]).await.json().await.unwrap();
            traced["costeer"] = json!({"context": told["text"], "trace": true});
            let by_text: Value = ask(address, &traced, &[]).await.json().await.unwrap();
            assert_eq!(content(&by_profile), content(&by_text));
            assert_eq!(scores(&by_profile), scores(&by_text));
        }
    });
}

/// Δ of every candidate of every token.
fn scores(answer: &Value) -> Vec<Value> {
    let traces = answer["costeer"]["trace"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    let positions = traces.iter().flat_map(|trace| trace["positions"].as_array().unwrap());
    positions
        .flat_map(|position| position["candidates"].as_array().unwrap())
        .map(|candidate| candidate["delta"].clone())
        .collect()
}

#[test]
fn a_preview_says_why_nothing_would_be_steered_and_errors_are_the_requests_own() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[]).await;
        let (status, told) = preview(address, &question(DINNER)).await;
        assert_eq!((status, &told["steered"]), (200, &json!(false)), "{told}");
        assert!(
            told["reason"].as_str().unwrap().contains("no private context"),
            "{told}"
        );
        let mut body = question(DINNER);
        body["costeer"] = json!({"profile": "nobody"});
        let (status, error) = preview(address, &body).await;
        assert_eq!((status, &error["error"]["code"]), (404, &json!("profile_not_found")));
        body["costeer"] = json!({"context": format!("{CONTEXT} ").repeat(400)});
        let (status, error) = preview(address, &body).await;
        let own = ask(address, &body, &[]).await;
        assert_eq!(own.status().as_u16(), status);
        assert_eq!(own.json::<Value>().await.unwrap(), error);
        assert!(!error.to_string().contains("Ziggy"), "{error}");
    });
}

#[test]
fn the_status_says_what_answers_and_nothing_about_anybody() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[("steering.strength", "1.5")]).await;
        ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)])
            .await
            .text()
            .await
            .unwrap();
        let (status, told) = json_of(address, "/costeer/v1/status").await;
        assert_eq!(
            (status, &told["ready"], &told["readiness"]),
            (200, &json!(true), &json!("ready")),
            "{told}"
        );
        assert_eq!(
            (&told["settings"]["strength"], &told["upstream"]["model"]),
            (&json!(1.5), &json!("tiny-llm")),
            "{told}"
        );
        assert!(
            told["waiting_ms_per_token"]["upstream"].as_f64().unwrap() > 0.0,
            "{told}"
        );
        assert!(
            told["local"]["model"].is_string() && !told.to_string().contains('/'),
            "{told}"
        );
        let (_proxy, keyed) = proxy(upstream().await, &[("server.api_key", "k")]).await;
        assert_eq!(json_of(keyed, "/costeer/v1/status").await.0, 401);
    });
}

#[test]
fn what_was_tuned_is_shown_for_this_pair_alone() {
    run(async {
        let folder = Folder::new();
        let (state, store) = (folder.file("state"), folder.file("profiles.db"));
        let url = format!("http://{}/v1", upstream().await);
        let variables = [
            ("COSTEER__UPSTREAM__URL", url.as_str()),
            ("COSTEER__STORE__PATH", store.as_str()),
            ("XDG_STATE_HOME", state.as_str()),
        ];
        let running = Running::serve(&variables).await;
        let (status, told) = json_of(running.address, "/costeer/v1/tuning").await;
        assert_eq!(
            (status, &told["report"], &told["command"]),
            (200, &Value::Null, &json!("costeer tune")),
            "{told}"
        );
        let tune = |flags: &'static [&'static str]| {
            let mut command = crate::support::costeer(flags, &variables);
            tokio::task::spawn_blocking(move || command.output().unwrap())
        };
        tune(&["tune", "--questions", "2", "--json"]).await.unwrap();
        // Once more, from what is kept: what was measured just now has a digit more.
        let output = tune(&["tune", "--questions", "2", "--json"]).await.unwrap();
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let (_, told) = json_of(running.address, "/costeer/v1/tuning").await;
        assert_eq!(told["report"], shown["report"]);
        // With other settings it is another pair.
        let variables = [&variables[..], &[("COSTEER__UPSTREAM__TOP_K", "7")]].concat();
        let other = Running::serve(&variables).await;
        let (_, told) = json_of(other.address, "/costeer/v1/tuning").await;
        assert_eq!(told["report"], Value::Null);
    });
}
