//! Profiles for clients that can set no headers: `NAME@profile` and `NAME@plain`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Json;
use costeer::service::Service;
use serde_json::{Value, json};

use crate::support::{
    CONTEXT, DINNER, Folder, Recording, ask, content, events, post, proxy, question, recorder, run, serve,
    streamed_content, upstream,
};

/// A proxy with the profile `ada` in its store.
struct Place {
    address: SocketAddr,
    recording: Recording,
    _folder: Folder,
    _service: Arc<Service>,
}

async fn place(settings: &[(&'static str, &str)]) -> Place {
    let (recorder, recording) = recorder(upstream().await).await;
    at(recorder, recording, settings).await
}

async fn at(upstream: SocketAddr, recording: Recording, settings: &[(&'static str, &str)]) -> Place {
    let folder = Folder::new();
    let file = folder.file("profiles.db");
    let settings = [&[("store.path", file.as_str())], settings].concat();
    let (service, address) = proxy(upstream, &settings).await;
    for name in ["ada", "ada@example.org"] {
        let profile = json!({"name": name, "facts": [CONTEXT]}).to_string();
        assert_eq!(post(address, "/costeer/v1/profiles", profile, &[]).await.status(), 201);
    }
    Place {
        address,
        recording,
        _folder: folder,
        _service: service,
    }
}

fn named(model: &str) -> Value {
    let mut body = question(DINNER);
    body["model"] = model.into();
    body
}

async fn get(address: SocketAddr, path: &str, headers: &[(&'static str, &str)]) -> (u16, Value) {
    let mut request = reqwest::Client::new().get(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

#[test]
fn a_model_with_a_profile_behind_it_is_steered_and_keeps_its_name_in_answers() {
    run(async {
        let place = place(&[]).await;
        let by_header = ask(place.address, &named("tiny-llm"), &[("x-costeer-profile", "ada")]).await;
        let wanted = content(&by_header.json().await.unwrap());
        for model in ["tiny-llm@ada", "tiny-llm@ada@example.org"] {
            let answer = ask(place.address, &named(model), &[]).await;
            assert_eq!(answer.headers()["x-costeer-steered"], "true", "{model}");
            let answer: Value = answer.json().await.unwrap();
            assert_eq!(
                (content(&answer), answer["model"].as_str()),
                (wanted.clone(), Some(model))
            );
        }
        let mut streamed = named("tiny-llm@ada");
        streamed["stream"] = true.into();
        let answer = ask(place.address, &streamed, &[]).await.text().await.unwrap();
        assert_eq!(streamed_content(&answer).0, wanted);
        for event in events(&answer).iter().filter(|event| *event != "[DONE]") {
            assert_eq!(serde_json::from_str::<Value>(event).unwrap()["model"], "tiny-llm@ada");
        }
        // The name wins over what headers and body say, and goes together with a context.
        let mut other = named("tiny-llm@ada");
        other["costeer"] = json!({"profile": "nobody"});
        let answer = ask(place.address, &other, &[("x-costeer-profile", "nobody")]).await;
        assert_eq!(content(&answer.json().await.unwrap()), wanted);
        let completion = json!({"model": "tiny-llm@ada", "prompt": "My dog is called", "max_tokens": 4});
        let answer = post(place.address, "/v1/completions", completion.to_string(), &[]).await;
        assert_eq!(answer.headers()["x-costeer-steered"], "true");
        let seen = place.recording.requests();
        assert!(
            !seen.is_empty() && !seen.iter().any(|request| request.contains("@ada")),
            "{seen:?}"
        );
    });
}

#[test]
fn plain_passes_whatever_would_steer() {
    run(async {
        let place = place(&[("context.profile", "ada")]).await;
        let steered = ask(place.address, &named("tiny-llm"), &[]).await;
        assert_eq!(steered.headers()["x-costeer-steered"], "true");
        for headers in [
            &[][..],
            &[("x-costeer-context", CONTEXT)],
            &[("x-costeer-profile", "ada")],
        ] {
            for streams in [false, true] {
                let mut body = named("tiny-llm@plain");
                body["stream"] = streams.into();
                body["costeer"] = json!({"context": "My cat is called Miez."});
                body["messages"][0]["content"] = format!("{DINNER}<private>I am shy.</private>").into();
                let answer = ask(place.address, &body, headers).await;
                assert_eq!(answer.status(), 200);
                assert_eq!(answer.headers()["x-costeer-steered"], "false");
                assert!(
                    answer.headers()["x-costeer-reason"]
                        .to_str()
                        .unwrap()
                        .contains("@plain")
                );
                let text = answer.text().await.unwrap();
                assert!(
                    text.contains("\"tiny-llm@plain\"") && !text.contains("\"tiny-llm\""),
                    "{text}"
                );
            }
        }
        // Nobody needs a credential to have no profile.
        let relayed = ask(place.address, &named("tiny-llm@plain"), &[("via", "1.1 x")]).await;
        assert_eq!(relayed.status(), 200);
        let seen = place.recording.requests();
        for hidden in ["@plain", "shy", "Miez"] {
            assert!(!seen.iter().any(|request| request.contains(hidden)), "{hidden}");
        }
    });
}

#[test]
fn a_profile_that_is_not_there_and_who_may_not_use_any() {
    run(async {
        let place = place(&[]).await;
        let before = place.recording.requests().len();
        for model in ["tiny-llm@nobody", "tiny-llm@no/body", "nothing@ada@nobody"] {
            for path in ["/v1/chat/completions", "/v1/responses", "/v1/embeddings"] {
                let mut body = named(model);
                body["input"] = "Hi".into();
                let answer = post(place.address, path, body.to_string(), &[]).await;
                assert_eq!(answer.status(), 404, "{model} {path}");
                let said: Value = answer.json().await.unwrap();
                assert_eq!(
                    (&said["error"]["param"], &said["error"]["code"]),
                    (&json!("model"), &json!("profile_not_found"))
                );
                let message = said["error"]["message"].as_str().unwrap();
                assert!(
                    message.contains("costeer profile list") && message.contains("context.model_suffix"),
                    "{message}"
                );
            }
        }
        for model in ["tiny-llm@ada", "tiny-llm@nobody"] {
            let answer = ask(place.address, &named(model), &[("via", "1.1 x")]).await;
            assert_eq!(answer.status(), 401, "{model}");
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        }
        let seen = place.recording.requests().split_off(before);
        assert!(!seen.iter().any(|request| request.starts_with("POST")), "{seen:?}");
    });
}

#[test]
fn no_route_tells_the_upstream_what_stands_behind_a_name() {
    run(async {
        let place = place(&[("steering.on_unsteerable", "pass")]).await;
        for path in [
            "/v1/embeddings",
            "/v1/responses",
            "/v1/messages",
            "/v1/images/generations",
        ] {
            for model in ["tiny-llm@plain", "tiny-llm@ada"] {
                let body = json!({"model": model, "input": "Hi", "messages": [{"role": "user", "content": "Hi"}],
                    "max_tokens": 3, "client_metadata": {"turn": format!("{{\"model\":\"{model}\"}}")}});
                let answer = post(place.address, path, body.to_string(), &[]).await;
                assert_eq!(answer.headers()["x-costeer-steered"], "false", "{model} {path}");
                let reason = answer.headers()["x-costeer-reason"].to_str().unwrap();
                assert!(model.ends_with("ada") || reason.contains("@plain"), "{path}: {reason}");
            }
        }
        let boundary = "some-boundary";
        for model in ["tiny-llm@plain", "tiny-llm@ada"] {
            let form = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n--{boundary}--\r\n"
            );
            let request = reqwest::Client::new()
                .post(format!("http://{}/v1/audio/transcriptions", place.address))
                .header("content-type", format!("multipart/form-data; boundary={boundary}"));
            let answer = request.body(form).send().await.unwrap();
            // Forms cannot be steered, and the upstream has no such route.
            let wanted = if model.ends_with("plain") { 404 } else { 400 };
            assert_eq!(answer.status(), wanted, "{model}");
        }
        for name in ["tiny-llm@ada", "tiny-llm%40plain"] {
            get(place.address, &format!("/v1/models/{name}"), &[]).await;
        }
        let seen = place.recording.requests();
        assert!(
            seen.iter().any(|request| request.contains("GET /v1/models/tiny-llm\n")),
            "{seen:?}"
        );
        for request in &seen {
            assert!(
                !request.contains("@ada") && !request.contains("@plain") && !request.contains("%40"),
                "{request}"
            );
        }
    });
}

#[test]
fn no_address_tells_the_upstream_what_stands_behind_a_name() {
    run(async {
        let place = place(&[("steering.on_unsteerable", "pass")]).await;
        let before = place.recording.requests().len();
        let plain = json!({"model": "tiny-llm", "input": "Hi", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1});
        // Whether there is such a profile makes no difference, so that nobody learns which there are.
        for name in [
            "tiny-llm@ada",
            "tiny-llm%40ada",
            "tiny-llm%2540ada",
            "tiny-llm@nobody",
            "tiny-llm@plain",
        ] {
            for address in [
                format!("/v1/models?model={name}"),
                format!("/v1/embeddings?model={name}"),
                format!("/v1/chat/completions?model={name}"),
                format!("/v1/messages/count_tokens?x=1&model={name}"),
                format!("/v1/embeddings?x={name}"),
                format!("/v1/embeddings?{name}=x"),
                format!("/v1/engines/{name}/embeddings"),
                format!("/v1/x/{name}"),
                format!("/v1/models/tiny-llm?of_model=other-{name}"),
            ] {
                let (status, said) = if address.starts_with("/v1/models") {
                    get(place.address, &address, &[]).await
                } else {
                    let mut body = plain.clone();
                    // A field that no count is made with here.
                    body["mcp_servers"] = json!([{"url": "http://127.0.0.1:9"}]);
                    let answer = post(place.address, &address, body.to_string(), &[]).await;
                    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
                };
                if address.contains("count_tokens") && status == 200 {
                    continue;
                }
                assert_eq!(status, 400, "{address}: {said}");
                assert!(
                    said["error"]["message"].as_str().unwrap().contains("field model"),
                    "{said}"
                );
            }
        }
        let mut seen = place.recording.requests().split_off(before);
        for fine in [
            "/v1/models?after=ada@example.org",
            "/v1/models?model=tiny-llm",
            "/v1/models/tiny-llm",
        ] {
            assert_eq!(
                get(place.address, fine, &[]).await.0 / 100,
                if fine.contains('?') { 2 } else { 4 },
                "{fine}"
            );
        }
        // Only the list of models was asked for.
        seen.retain(|request| !request.starts_with("GET /v1/models\n"));
        assert!(seen.is_empty(), "{seen:?}");
        let seen = place.recording.requests();
        assert!(
            !seen
                .iter()
                .any(|request| request.contains("llm@") || request.contains("40ada")),
            "{seen:?}"
        );
    });
}

#[test]
fn a_server_that_lists_no_models_is_not_asked_for_them_with_every_request() {
    run(async {
        let lists = Arc::new(AtomicUsize::new(0));
        let asked = Arc::clone(&lists);
        let listless = async move |request: Request| {
            let is_list = request.uri().path() == "/v1/models";
            asked.fetch_add(usize::from(is_list), Ordering::SeqCst);
            (
                StatusCode::NOT_FOUND,
                Json(json!({"error": {"message": "no such route"}})),
            )
        };
        let server = serve(Router::new().fallback(listless)).await;
        let place = at(server, Recording::default(), &[("upstream.driver", "vllm")]).await;
        let before = (Instant::now(), lists.load(Ordering::SeqCst));
        for _ in 0..10 {
            let body = json!({"model": "tiny-llm@plain", "input": "Hi"}).to_string();
            let answer = post(place.address, "/v1/embeddings", body, &[]).await;
            assert_eq!(answer.status(), 404);
        }
        // It may list some later, and is asked again after five seconds.
        let rounds = before.0.elapsed().as_secs() as usize / 5;
        assert!(lists.load(Ordering::SeqCst) - before.1 <= 1 + rounds);
    });
}

#[test]
fn a_name_that_the_upstream_lists_is_that_model() {
    run(async {
        // A server of models with an at-sign in their names.
        let listed = async |request: Request| {
            let (parts, body) = request.into_parts();
            if parts.uri.path() == "/v1/models" {
                let data = json!([{"id": "claude@2024", "object": "model"}, {"id": "m@ada", "object": "model"}]);
                return Json(json!({"object": "list", "data": data}));
            }
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            Json(json!({"choices": [], "model": "as-served", "asked": body["model"]}))
        };
        let server = serve(Router::new().fallback(listed)).await;
        let (recorder, recording) = recorder(server).await;
        let place = at(recorder, recording, &[]).await;
        for (model, asked, answered) in [
            ("claude@2024", "claude@2024", "as-served"),
            ("m@ada", "m@ada", "as-served"),
            ("claude@2024@plain", "claude@2024", "claude@2024@plain"),
        ] {
            let answer = ask(place.address, &named(model), &[]).await;
            let answer: Value = answer.json().await.unwrap();
            assert_eq!((&answer["asked"], &answer["model"]), (&json!(asked), &json!(answered)));
        }
    });
}

#[test]
fn models_are_listed_with_profiles_for_who_may_use_them() {
    run(async {
        let names = |list: &Value| -> Vec<String> {
            let models = list["data"].as_array().unwrap().iter();
            models.map(|model| model["id"].as_str().unwrap().to_owned()).collect()
        };
        let place = place(&[]).await;
        let (_, list) = get(place.address, "/v1/models", &[]).await;
        let all = ["tiny-llm", "tiny-llm@ada", "tiny-llm@ada@example.org", "tiny-llm@plain"];
        assert_eq!(names(&list), all);
        assert!(
            list["data"][1]["object"] == "model" && list["object"] == "list",
            "{list}"
        );
        let (_, list) = get(place.address, "/v1/models", &[("via", "1.1 x")]).await;
        assert_eq!(names(&list), ["tiny-llm"]);
        let folder = Folder::new();
        let without = proxy(upstream().await, &[("store.path", &folder.file("none.db"))]).await;
        assert_eq!(names(&get(without.1, "/v1/models", &[]).await.1), ["tiny-llm"]);
    });
}

#[test]
fn the_setting_makes_an_at_sign_a_part_of_the_name() {
    run(async {
        let place = place(&[("context.model_suffix", "false")]).await;
        let (_, list) = get(place.address, "/v1/models", &[]).await;
        assert_eq!(list["data"].as_array().unwrap().len(), 1);
        for model in ["tiny-llm@ada", "tiny-llm@plain"] {
            let answer = ask(place.address, &named(model), &[]).await;
            let said = answer.text().await.unwrap();
            assert!(said.contains(model) && !said.contains("profile"), "{said}");
        }
        assert!(
            place
                .recording
                .requests()
                .iter()
                .any(|request| request.contains("tiny-llm@ada"))
        );
    });
}
