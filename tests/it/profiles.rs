//! Profiles over HTTP, and answers steered by them.

use std::net::SocketAddr;
use std::sync::Arc;

use costeer::service::Service;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{CONTEXT, DINNER, Folder, ask, content, post, proxy, question, recorder, run, upstream};

/// A proxy with a store of its own.
async fn with_store(settings: &[(&'static str, &str)]) -> (Folder, Arc<Service>, SocketAddr) {
    in_front_of(upstream().await, settings).await
}

async fn in_front_of(upstream: SocketAddr, settings: &[(&'static str, &str)]) -> (Folder, Arc<Service>, SocketAddr) {
    let folder = Folder::new();
    let file = folder.file("profiles.db");
    let mut all = vec![("store.path", file.as_str())];
    all.extend_from_slice(settings);
    let (proxy, address) = proxy(upstream, &all).await;
    (folder, proxy, address)
}

async fn call(address: SocketAddr, method: Method, path: &str, body: Value) -> (u16, Value) {
    let url = format!("http://{address}/costeer/v1/profiles{path}");
    let mut request = reqwest::Client::new().request(method, url);
    if !body.is_null() {
        request = request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The profile that says what [`CONTEXT`] does.
async fn make(address: SocketAddr, name: &str) {
    let body = json!({"name": name, "facts": [CONTEXT]});
    assert_eq!(call(address, Method::POST, "", body).await.0, 201);
}

#[test]
fn profiles_can_be_made_changed_and_deleted() {
    run(async {
        let (_folder, _proxy, address) = with_store(&[]).await;
        assert_eq!(call(address, Method::GET, "", Value::Null).await.1["data"], json!([]));
        let ada = json!({"name": "ada", "description": "cook", "preferences": ["Be brief."], "facts": ["one", "two"]});
        let (status, made) = call(address, Method::POST, "", ada.clone()).await;
        assert_eq!((status, &made["facts"]), (201, &ada["facts"]));
        let (status, again) = call(address, Method::POST, "", ada).await;
        assert_eq!((status, again["error"]["code"].as_str()), (409, Some("profile_exists")));
        let patch = json!({"facts": ["three"], "description": null});
        let (status, edited) = call(address, Method::PATCH, "/ada", patch).await;
        assert_eq!(
            (status, &edited["facts"], &edited["description"]),
            (200, &json!(["three"]), &json!(""))
        );
        assert_eq!(call(address, Method::GET, "/ada", Value::Null).await.1, edited);
        assert_eq!(edited["preferences"], json!(["Be brief."]));
        let listed = call(address, Method::GET, "", Value::Null).await.1;
        assert_eq!(listed["data"][0]["facts"], 1);
        assert_eq!(call(address, Method::DELETE, "/ada", Value::Null).await.0, 204);
        let (status, gone) = call(address, Method::GET, "/ada", Value::Null).await;
        assert_eq!(
            (status, gone["error"]["code"].as_str()),
            (404, Some("profile_not_found"))
        );
    });
}

#[test]
fn documents_can_be_added_read_found_and_deleted() {
    run(async {
        let (_folder, _proxy, address) = with_store(&[]).await;
        make(address, "ada").await;
        let one = json!({"key": "k", "title": "Dog", "text": "Ziggy sleeps.", "time": "2024-05-01T10:00:00Z", "tags": ["pets"]});
        let (status, added) = call(address, Method::POST, "/ada/documents", one.clone()).await;
        assert_eq!(
            (status, added),
            (200, json!({"added": 1, "updated": 0, "unchanged": 0}))
        );
        let many = json!([one, {"text": "The soup had leeks."}, {"text": "We went to Oslo."}]);
        let added = call(address, Method::POST, "/ada/documents", many).await.1;
        assert_eq!(added, json!({"added": 2, "updated": 0, "unchanged": 1}));
        let page = call(address, Method::GET, "/ada/documents?limit=2", Value::Null)
            .await
            .1;
        assert_eq!(
            (page["data"].as_array().unwrap().len(), &page["has_more"]),
            (2, &json!(true))
        );
        let id = page["data"][1]["id"].as_i64().unwrap();
        let rest = call(address, Method::GET, &format!("/ada/documents?after={id}"), Value::Null)
            .await
            .1;
        assert_eq!(
            (rest["data"][0]["text"].as_str(), &rest["has_more"]),
            (Some("We went to Oslo."), &json!(false))
        );
        let hits = call(
            address,
            Method::POST,
            "/ada/search",
            json!({"query": "What did the dogs do?"}),
        )
        .await
        .1;
        assert_eq!(hits["data"][0]["document"]["text"], "Ziggy sleeps.");
        assert!(hits["data"][0]["score"].as_f64().unwrap() > 0.0);
        let (_, exported) = call(address, Method::GET, "/ada/export", Value::Null).await;
        let lines: Vec<Value> = exported
            .as_str()
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(
            (lines[0]["type"].as_str(), lines[1]["key"].as_str()),
            (Some("profile"), Some("k"))
        );
        let path = format!("/ada/documents/{id}");
        assert_eq!(
            call(address, Method::GET, &path, Value::Null).await.1["text"],
            "The soup had leeks."
        );
        assert_eq!(call(address, Method::DELETE, &path, Value::Null).await.0, 204);
        let (status, gone) = call(address, Method::GET, &path, Value::Null).await;
        assert_eq!(
            (status, gone["error"]["code"].as_str()),
            (404, Some("document_not_found"))
        );
    });
}

#[test]
fn what_is_wrong_is_said_without_quoting() {
    run(async {
        let (_folder, _proxy, address) = with_store(&[("server.max_body_bytes", "2000")]).await;
        make(address, "ada").await;
        for (method, path, body, status) in [
            (Method::POST, "", json!({"name": "a/b"}), 400),
            (Method::POST, "", json!({"name": "bob", "facts": "Wilhelmina"}), 400),
            (Method::POST, "", json!({"name": "bob", "likes": ["Wilhelmina"]}), 400),
            (Method::PATCH, "/ada", json!({"facts": [{"text": "Wilhelmina"}]}), 400),
            (Method::POST, "/ada/documents", json!({"title": "Wilhelmina"}), 400),
            (
                Method::POST,
                "/ada/documents",
                json!({"text": "x", "time": "Wilhelmina"}),
                400,
            ),
            (
                Method::POST,
                "/ada/documents",
                json!({"text": "Wilhelmina ".repeat(500)}),
                413,
            ),
            (Method::POST, "/bob/documents", json!({"text": "Wilhelmina"}), 404),
            (
                Method::POST,
                "/ada/search",
                json!({"query": "Wilhelmina", "limit": 0}),
                400,
            ),
            (Method::POST, "/ada/search", json!("Wilhelmina"), 400),
            // Lists are no objects, however well their entries would fit.
            (Method::POST, "", json!(["bob", "Wilhelmina"]), 400),
            (Method::PATCH, "/ada", json!([]), 400),
            (Method::POST, "/ada/search", json!(["Wilhelmina", 3]), 400),
            (Method::POST, "/ada/documents", json!(["k", "Wilhelmina", "text"]), 400),
            (
                Method::POST,
                "/ada/documents",
                json!([["k", "Wilhelmina", "text"]]),
                400,
            ),
            (Method::GET, "/ada/documents?limit=x", Value::Null, 400),
            (Method::GET, "/ada/documents/x", Value::Null, 400),
            (Method::GET, "/-ada", Value::Null, 400),
            (Method::GET, "/bob/export", Value::Null, 404),
            (Method::PUT, "/ada", Value::Null, 405),
        ] {
            let (got, error) = call(address, method.clone(), path, body).await;
            assert_eq!(got, status, "{method} {path}: {error}");
            assert!(error["error"]["message"].is_string(), "{method} {path}: {error}");
            assert!(!error.to_string().contains("Wilhelmina"), "{error}");
        }
    });
}

#[test]
fn profiles_are_for_this_machine_only() {
    run(async {
        let (_folder, _proxy, address) = with_store(&[("server.cors_origins", "http://page:3000")]).await;
        let url = format!("http://{address}/costeer/v1/profiles");
        let asked = |name: &'static str, value: String| {
            let request = reqwest::Client::new().get(&url).header(name, value);
            async { request.send().await.unwrap().status().as_u16() }
        };
        assert_eq!(asked("host", "evil.example:8089".into()).await, 403);
        assert_eq!(asked("origin", "http://evil.example".into()).await, 403);
        assert_eq!(asked("origin", format!("http://{address}")).await, 200);
        // Those that may call /v1 may not see profiles.
        assert_eq!(asked("origin", "http://page:3000".into()).await, 403);
        let (_folder, _proxy, open) = with_store(&[("server.listen", "0.0.0.0:8089"), ("server.open", "true")]).await;
        let (status, error) = call(open, Method::GET, "", Value::Null).await;
        assert_eq!(status, 404);
        assert!(
            error["error"]["message"].as_str().unwrap().contains("server.listen"),
            "{error}"
        );
        let (_folder, _proxy, keyed) = with_store(&[("server.api_key", "k")]).await;
        assert_eq!(call(keyed, Method::GET, "", Value::Null).await.0, 401);
    });
}

#[test]
fn a_profile_steers_as_its_text_would() {
    run(async {
        let (_folder, _proxy, address) = with_store(&[]).await;
        make(address, "ada").await;
        let body = question(DINNER);
        let steered = ask(address, &body, &[("x-costeer-context", CONTEXT)]).await;
        let expected = content(&steered.json().await.unwrap());
        let plain = content(&ask(address, &body, &[]).await.json().await.unwrap());
        assert_ne!(plain, expected);
        let by_header = ask(address, &body, &[("x-costeer-profile", "ada")]).await;
        assert_eq!(by_header.headers()["x-costeer-steered"], "true");
        assert_eq!(content(&by_header.json().await.unwrap()), expected);
        let mut in_body = body.clone();
        in_body["costeer"] = json!({"profile": "ada"});
        assert_eq!(
            content(&ask(address, &in_body, &[]).await.json().await.unwrap()),
            expected
        );
        // The field `user` names nobody unless it may.
        let mut user = body.clone();
        user["user"] = json!("ada");
        let response = ask(address, &user, &[]).await;
        assert_eq!(response.headers()["x-costeer-steered"], "false");
        // Names that are not there are an error, not silence.
        let response = ask(address, &body, &[("x-costeer-profile", "bob")]).await;
        assert_eq!(response.status(), 404);
        assert_eq!(
            response.json::<Value>().await.unwrap()["error"]["code"],
            "profile_not_found"
        );
        // Steering away is steering, too.
        let away = [("x-costeer-profile", "ada"), ("x-costeer-strength", "-1.5")];
        let response = ask(address, &body, &away).await;
        assert_eq!(response.headers()["x-costeer-steered"], "true");
        assert_ne!(content(&response.json().await.unwrap()), expected);
    });
}

#[test]
fn a_configured_profile_and_the_field_user_apply_where_nothing_else_does() {
    run(async {
        let settings = [("context.profile", "ada"), ("context.user_field", "true")];
        let (recording_at, recording) = recorder(upstream().await).await;
        let (_folder, _proxy, address) = in_front_of(recording_at, &settings).await;
        let steered = async |body: &Value, headers: &[(&'static str, &str)]| {
            let response = ask(address, body, headers).await;
            (
                response.status().as_u16(),
                response.headers()["x-costeer-steered"] == "true",
            )
        };
        let body = question(DINNER);
        assert_eq!(steered(&body, &[]).await, (404, false));
        make(address, "ada").await;
        let empty = json!({"name": "empty"});
        assert_eq!(call(address, Method::POST, "", empty).await.0, 201);
        assert_eq!(steered(&body, &[]).await, (200, true));
        assert_eq!(steered(&body, &[("x-costeer-context", " ")]).await, (200, false));
        let mut user = body.clone();
        user["user"] = json!("empty");
        let seen = recording.requests().len();
        assert_eq!(steered(&user, &[]).await, (200, false));
        assert!(
            !recording.requests()[seen..]
                .iter()
                .any(|request| request.contains("empty"))
        );
        user["user"] = json!("somebody-else");
        assert_eq!(steered(&user, &[("x-costeer-context", " ")]).await, (200, false));
        assert!(
            recording
                .requests()
                .iter()
                .any(|request| request.contains("somebody-else"))
        );
        // What the request brings goes together with the profile it names.
        let both = [("x-costeer-context", CONTEXT), ("x-costeer-profile", "empty")];
        let response = ask(address, &body, &both).await;
        let together = content(&response.json().await.unwrap());
        let alone = ask(address, &body, &[("x-costeer-profile", "ada")]).await;
        assert_eq!(together, content(&alone.json().await.unwrap()));
    });
}

#[test]
fn history_that_fits_the_question_goes_into_the_context_within_the_budget() {
    run(async {
        let (_folder, _proxy, address) = with_store(&[("context.budget", "120"), ("context.history", "3")]).await;
        let profile =
            json!({"name": "ada", "facts": ["I am vegan.", "My dog is called Ziggy."], "preferences": ["Be formal."]});
        call(address, Method::POST, "", profile).await;
        let notes = json!([
            {"title": "Dinner", "text": "For dinner we had lentils."},
            {"text": "The dinner was late. ".repeat(40)},
            {"text": "A letter about taxes."},
        ]);
        call(address, Method::POST, "/ada/documents", notes).await;
        let preview = async |question: &str| {
            let (status, preview) = call(address, Method::POST, "/ada/preview", json!({"question": question})).await;
            assert_eq!(status, 200, "{preview}");
            assert!(preview["tokens"].as_u64().unwrap() <= 120, "{preview}");
            preview
        };
        let dinner = preview("What about dinner?").await;
        let text = dinner["text"].as_str().unwrap();
        assert!(
            text.starts_with("Be formal.\nI am vegan.\nMy dog is called Ziggy."),
            "{text}"
        );
        assert!(!text.contains("taxes"), "{text}");
        assert_eq!(dinner["documents"]["found"], 2);
        assert_eq!(preview("taxes").await["documents"], json!({"found": 1, "kept": 1}));
        let nothing = preview("zebra").await;
        assert_eq!(nothing["text"], "Be formal.\nI am vegan.\nMy dog is called Ziggy.");
        let response = ask(
            address,
            &question("What about dinner?"),
            &[("x-costeer-profile", "ada")],
        )
        .await;
        assert_eq!(response.status(), 200);
        // What the request brings is never left out.
        let long = "I am vegan and my dog is called Ziggy. ".repeat(30);
        let response = ask(address, &question(DINNER), &[("x-costeer-context", &long)]).await;
        assert_eq!(response.status(), 400);
        let error = response.json::<Value>().await.unwrap();
        assert!(
            error["error"]["message"]
                .as_str()
                .unwrap()
                .contains("context.budget allows 120"),
            "{error}"
        );
    });
}

#[test]
fn text_marked_as_private_stays_here_and_steers() {
    run(async {
        let (recording_at, recording) = recorder(upstream().await).await;
        let (_folder, _proxy, address) = in_front_of(recording_at, &[]).await;
        let marked = question(&format!("<private>{CONTEXT}</private>{DINNER}"));
        let response = ask(address, &marked, &[]).await;
        assert_eq!(response.headers()["x-costeer-steered"], "true");
        let answer = content(&response.json().await.unwrap());
        let by_header = ask(address, &question(DINNER), &[("x-costeer-context", CONTEXT)]).await;
        assert_eq!(answer, content(&by_header.json().await.unwrap()));
        let seen = recording.requests().len();
        for open in [
            "<private>my secret",
            "my </private> secret",
            "<private>a<private>b</private>secret</private>",
        ] {
            let response = ask(address, &question(open), &[]).await;
            assert_eq!(response.status(), 400);
            assert!(!response.text().await.unwrap().contains("secret"));
        }
        // Where nothing can be steered it is refused, like any other private part.
        let elsewhere = json!({"input": "Wilhelmina <private>secret</private>"}).to_string();
        assert_eq!(post(address, "/v1/embeddings", elsewhere, &[]).await.status(), 400);
        assert_eq!(recording.requests().len(), seen);
        assert!(
            !recording
                .requests()
                .iter()
                .any(|request| request.contains("Ziggy") || request.contains("private>"))
        );
        let (_folder, _proxy, off) = in_front_of(recording_at, &[("context.private_tags", "false")]).await;
        let response = ask(off, &marked, &[]).await;
        assert_eq!(response.headers()["x-costeer-steered"], "false");
        assert!(recording.requests().iter().any(|request| request.contains("<private>")));
    });
}

#[test]
fn a_wrong_key_is_said_at_the_start() {
    run(async {
        let (folder, _proxy, address) = with_store(&[("store.key", "right")]).await;
        make(address, "ada").await;
        let file = folder.file("profiles.db");
        let overrides = [("store.path", file), ("store.key", "wrong".to_owned())];
        let settings = costeer::settings::load(None, costeer::settings::Variables::Ignore, &overrides).unwrap();
        let error = Service::load(&settings).await.err().unwrap().to_string();
        assert!(error.contains("another key"), "{error}");
    });
}
