//! The page at `/costeer/`: who gets it, and what goes with it. What it does is tried in a browser, see tests/page.

use std::net::SocketAddr;

use reqwest::Response;
use reqwest::redirect::Policy;

use crate::support::{enclosed, proxy, run, upstream};

const KEY: [(&str, &str); 1] = [("authorization", "Bearer secret")];

async fn get(address: SocketAddr, path: &str, headers: &[(&'static str, &str)]) -> Response {
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let request = client.get(format!("http://{address}{path}"));
    let request = headers
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value));
    request.send().await.unwrap()
}

fn header(response: &Response, name: &str) -> String {
    response.headers()[name].to_str().unwrap().to_owned()
}

#[test]
fn the_page_and_all_its_files_come_without_a_key_and_with_a_strict_policy() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[("server.api_key", "secret")]).await;
        let bare = get(address, "/costeer", &[]).await;
        assert_eq!(
            (bare.status().as_u16(), header(&bare, "location").as_str()),
            (308, "/costeer/")
        );
        let mut waiting = vec![String::new()];
        let mut seen = Vec::new();
        while let Some(name) = waiting.pop() {
            if seen.contains(&name) {
                continue;
            }
            let file = get(address, &format!("/costeer/{name}"), &[]).await;
            assert_eq!(file.status(), 200, "{name}");
            let policy = header(&file, "content-security-policy");
            assert!(
                policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
                "{policy}"
            );
            assert_eq!(header(&file, "x-content-type-options"), "nosniff");
            let kind = header(&file, "content-type");
            let wanted = match name.rsplit('.').next() {
                Some("js") => "text/javascript; charset=utf-8",
                Some("css") => "text/css; charset=utf-8",
                _ => "text/html; charset=utf-8",
            };
            assert_eq!(kind, wanted, "{name}");
            let text = file.text().await.unwrap();
            // Nothing from elsewhere, and nothing that the policy would stop.
            for forbidden in [
                "http://",
                "https://",
                " style=\"",
                " onclick=",
                "localStorage",
                "sessionStorage",
                "innerHTML",
            ] {
                assert!(
                    name.starts_with("vendor/") || !text.contains(forbidden),
                    "{name} has {forbidden}"
                );
            }
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let beside = |name: String| match name.strip_prefix("./") {
                Some(name) if folder.is_empty() => name.to_owned(),
                Some(name) => format!("{folder}/{name}"),
                None => name,
            };
            if name.is_empty() {
                waiting.extend(
                    enclosed(&text, "src=\"", '"')
                        .into_iter()
                        .chain(enclosed(&text, "stylesheet\" href=\"", '"'))
                        .map(beside),
                );
            } else {
                waiting.extend(enclosed(&text, "from \"", '"').into_iter().map(beside));
            }
            seen.push(name);
        }
        assert!(seen.len() > 3, "{seen:?}");
        assert_eq!(get(address, "/costeer/v1/profiles", &[]).await.status(), 401);
        assert_eq!(get(address, "/costeer/../Cargo.toml", &KEY).await.status(), 404);
        assert_eq!(get(address, "/costeer/none.js", &KEY).await.status(), 404);
    });
}

#[test]
fn the_page_is_for_this_machine_only() {
    run(async {
        let (_proxy, address) = proxy(upstream().await, &[]).await;
        assert_eq!(
            get(address, "/costeer/", &[("host", "evil.example")]).await.status(),
            403
        );
        let (_proxy, open) = proxy(
            upstream().await,
            &[("server.listen", "0.0.0.0:8089"), ("server.open", "true")],
        )
        .await;
        let refused = get(open, "/costeer/", &[]).await;
        assert_eq!(refused.status(), 404);
        assert!(refused.text().await.unwrap().contains("server.listen"));
    });
}
