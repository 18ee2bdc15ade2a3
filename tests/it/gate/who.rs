//! Who gets past the gate.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{JSON, get, sent};
use crate::support::{
    CONTEXT, DINNER, Raw, ask, content, deflate, gzip, proxy, question, raw, recorder, run, upstream,
};

/// Bytes exactly as they are.
async fn verbatim(address: SocketAddr, bytes: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _reset = stream.read_to_string(&mut answer).await;
    answer
}

/// One of each kind of route.
const ROUTES: [&str; 12] = [
    "/v1/models",
    "/v1/chat/completions",
    "/v1/x/y",
    "/metrics",
    "/healthz",
    "/readyz",
    "/costeer/",
    "/costeer/v1/profiles",
    "/costeer/v1/preview",
    "/costeer/v1/status",
    "/costeer/v1/tuning",
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
                let answer = raw(address, Raw::post(path, &headers, body.as_bytes())).await;
                assert_eq!(answer.status, 415, "{path} {kind}: {answer:?}");
                assert!(answer.text.contains("application/json"), "{answer:?}");
            }
        }
        assert_eq!(
            raw(address, Raw::post("/v1/chat/completions", &[context], body.as_bytes()))
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
                raw(address, Raw::post("/v1/chat/completions", &headers, body.as_bytes()))
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
    vec![("gzip", gzip(body)), ("deflate", deflate(body))]
}
