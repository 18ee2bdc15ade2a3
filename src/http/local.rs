use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::{ApiError, Proxy};

/// Lets pass only what comes to a listener on this machine's own address, under its own name, and from no foreign page.
///
/// The name matters because a page can give its own name the address 127.0.0.1 once it has been loaded (DNS rebinding), and the
/// origin because browsers send some requests to other origins without asking first (Fetch standard, "no-cors").
///
/// # Errors
/// 404 where the listener is open to others, 403 otherwise.
pub async fn local(State(proxy): State<Arc<Proxy>>, request: Request, next: Next) -> Result<Response, ApiError> {
    if !proxy.is_local {
        return Err(ApiError::no_route(
            StatusCode::NOT_FOUND,
            "profiles and the page are served only where server.listen is an address of this machine, such as \
             127.0.0.1:8089; costeer profile works everywhere",
        ));
    }
    let headers = request.headers();
    if !names_this_machine(headers) || !is_own_or_allowed(headers, &proxy.cors_origins) {
        return Err(ApiError::no_route(
            StatusCode::FORBIDDEN,
            "profiles and the page are for programs and browsers of this machine: ask for them at 127.0.0.1 or localhost",
        ));
    }
    Ok(next.run(request).await)
}

fn host(headers: &HeaderMap) -> Option<Authority> {
    headers.get(HOST)?.to_str().ok()?.parse().ok()
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    host(headers).is_some_and(|authority| {
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase();
        let address = host.parse::<IpAddr>();
        address.is_ok_and(|address| address.is_loopback()) || host == "localhost" || host.ends_with(".localhost")
    })
}

/// Programs send no origin. A page's must be this server's, or named in `server.cors_origins`; `*` does not open profiles.
fn is_own_or_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let own = host(headers).is_some_and(|host| origin.strip_prefix("http://") == Some(host.as_str()));
    own || allowed.iter().any(|one| one == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        let allowed = ["*".to_owned(), "http://page:3000".to_owned()];
        names_this_machine(&headers) && is_own_or_allowed(&headers, &allowed)
    }

    #[test]
    fn only_this_machines_own_names_and_pages_pass() {
        for host in [
            "127.0.0.1:8089",
            "localhost",
            "LocalHost:1",
            "[::1]:8089",
            "costeer.localhost:8089",
            "127.9.9.9",
        ] {
            assert!(passes(host, None), "{host}");
        }
        for host in [
            "evil.example:8089",
            "127.0.0.1.evil.example",
            "192.168.0.7:8089",
            "localhost.evil",
            "x@evil",
        ] {
            assert!(!passes(host, None), "{host}");
        }
        assert!(passes("localhost:1", Some("http://localhost:1")));
        assert!(passes("localhost:1", Some("http://page:3000")));
        for origin in [
            "http://localhost:2",
            "https://localhost:1",
            "http://evil.example",
            "null",
        ] {
            assert!(!passes("localhost:1", Some(origin)), "{origin}");
        }
    }
}
