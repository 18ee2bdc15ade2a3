//! What passes the gate, in either direction, and how much of it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::{get, sent};
use crate::support::{CONTEXT, DINNER, Folder, Raw, ask, proxy, question, raw, run, serve, upstream};

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
            let headers = NASTY.iter().chain(&FINE).chain(&[("x-request-id", "theirs")]);
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
            // The request's own, and not what the upstream calls it.
            assert_eq!(answer.header("x-request-id"), Some("id-1"), "{path}");
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
            raw(address, Raw::post(path, &headers, body.as_bytes())).await
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
