//! Who sends a request: a program or a page, of this machine or from elsewhere, with a credential or without.

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, REFERER};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, Version};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::names::TOKEN;
use super::owner::Connection;
use crate::http::{ApiError, App};
use crate::upstream::is_this_machine;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// Where Anthropic's clients bring a key.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// On requests for a service worker's script (W3C, Service Workers, section 4.3).
const SERVICE_WORKER: HeaderName = HeaderName::from_static("service-worker");

/// What is known about who sends a request. Every request that gets past the gate has one.
#[derive(Clone)]
pub struct Visitor {
    /// A page of an origin that `server.cors_origins` lets in.
    is_foreign_page: bool,
    /// Something has passed the request on to us.
    is_relayed: bool,
    /// It brings `server.api_key`, or the token where there is no key.
    has_credential: bool,
    /// The connection that it came on.
    connection: Option<Connection>,
}

impl Visitor {
    /// Looks at a request, and refuses those that no client of this proxy sends.
    ///
    /// # Errors
    /// 403 for foreign names and pages, 400 where the request does not say for whom it is.
    pub fn meet(
        app: &App,
        method: &Method,
        uri: &Uri,
        version: Version,
        headers: &HeaderMap,
        connection: Option<Connection>,
    ) -> Result<Self, ApiError> {
        check_host(app, uri, version, headers)?;
        let is_foreign_page = check_origin(app, uri, headers)?;
        check_fetch(method, uri, headers, is_foreign_page)?;
        let credential = app.access.credential();
        Ok(Self {
            is_foreign_page,
            is_relayed: is_relayed(headers),
            has_credential: credential.is_some_and(|credential| brings(headers, credential)),
            connection,
        })
    }

    /// Whether it brings the key or token.
    pub fn has_credential(&self) -> bool {
        self.has_credential
    }

    /// Lets pass who may use what is stored or configured here: who brings the credential, or, on Linux, who is the user that the
    /// proxy runs as. Pages of other origins never may.
    ///
    /// # Errors
    /// 403 and 401.
    pub async fn may_use_what_is_stored(&self) -> Result<(), ApiError> {
        if self.is_foreign_page {
            return Err(ApiError::forbidden(
                "profiles and configured contexts are not for pages of other origins (server.cors_origins opens /v1 for what such a page \
                 brings itself); send a context of its own, or a blank one to have none",
            ));
        }
        if self.has_credential {
            return Ok(());
        }
        let is_owner = match &self.connection {
            Some(connection) if !self.is_relayed => connection.belongs_to_us().await,
            _ => false,
        };
        if is_owner {
            Ok(())
        } else {
            Err(ApiError::needs_credential())
        }
    }
}

/// A name that requests may be for, as far as it can be read.
fn authority(headers: &HeaderMap) -> Result<Option<Authority>, ApiError> {
    let unreadable = || ApiError::invalid("Host", "the request must name one host");
    let mut hosts = headers.get_all(HOST).iter();
    let Some(host) = hosts.next() else {
        return Ok(None);
    };
    if hosts.next().is_some() {
        return Err(unreadable());
    }
    let host: Authority = host
        .to_str()
        .ok()
        .and_then(|host| host.parse().ok())
        .ok_or_else(unreadable)?;
    // user@host is no host.
    if host.as_str().contains('@') {
        Err(unreadable())
    } else {
        Ok(Some(host))
    }
}

/// A page can give its own name the address 127.0.0.1 once it has been loaded (DNS rebinding), so the name must be one that only
/// this machine can have, or one that is configured.
fn check_host(app: &App, uri: &Uri, version: Version, headers: &HeaderMap) -> Result<(), ApiError> {
    let named = authority(headers)?;
    // The absolute form names it, too (RFC 9112, section 3.2.2).
    let names = [named.as_ref(), uri.authority()];
    if names.iter().all(Option::is_none) {
        // HTTP/1.0 had no Host, and no browser speaks it.
        return if version == Version::HTTP_10 {
            Ok(())
        } else {
            Err(ApiError::invalid("Host", "the request must name one host"))
        };
    }
    let fine = names.into_iter().flatten().all(|authority| {
        let host = bare(authority);
        is_this_machine(&host) || app.access.takes_host(&host)
    });
    if fine {
        return Ok(());
    }
    Err(ApiError::forbidden(
        "this proxy is not called that: ask for it at 127.0.0.1 or localhost, or name the host in server.hosts",
    ))
}

fn bare(authority: &Authority) -> String {
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether the request comes from a page of another origin that may call. Programs send no origin.
fn check_origin(app: &App, uri: &Uri, headers: &HeaderMap) -> Result<bool, ApiError> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else {
        return Ok(false);
    };
    let origin = origin.to_str().unwrap_or_default();
    let host = authority(headers)?;
    let own = host.is_some_and(|host| {
        let of_scheme = |scheme: &str| {
            origin
                .strip_prefix(scheme)
                .is_some_and(|of| of.eq_ignore_ascii_case(host.as_str()))
        };
        of_scheme("http://") || of_scheme("https://")
    });
    let is_one = origins.next().is_none();
    if own && is_one {
        return Ok(false);
    }
    let listed = app.access.cors_origins.iter().any(|one| one == "*" || one == origin);
    if listed && is_one && is_api(uri) {
        return Ok(true);
    }
    Err(ApiError::forbidden(
        "pages of other origins may not call this; server.cors_origins names those that may call /v1",
    ))
}

/// Browsers say where a request comes from (Fetch Metadata, W3C), also where they send no origin: pictures, scripts, links.
fn check_fetch(method: &Method, uri: &Uri, headers: &HeaderMap, is_foreign_page: bool) -> Result<(), ApiError> {
    let says = |name: &HeaderName| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let (site, mode) = (says(&FETCH_SITE), says(&FETCH_MODE));
    let is_page = !is_api(uri) && !uri.path().starts_with("/costeer/v1");
    // Scripts, workers, frames and pictures are asked for by what they are; programs in pages ask for nothing in particular.
    let is_asked_for = headers.contains_key(SERVICE_WORKER) || !matches!(says(&FETCH_DEST), "" | "empty");
    if !is_page && (mode == "navigate" || is_asked_for) {
        return Err(ApiError::forbidden(
            "this is for programs; a page for browsers is at /costeer/",
        ));
    }
    // What stands under /v1 is the upstream's, and no page; its scripts do not run, and are not answered either.
    let referer = headers
        .get(REFERER)
        .and_then(|value| value.to_str().ok()?.parse::<Uri>().ok());
    if referer.is_some_and(|referer| is_api(&referer)) {
        return Err(ApiError::forbidden("there is no page under /v1 that could call this"));
    }
    // A link to the page is no harm: it does nothing by itself.
    let follows_a_link = mode == "navigate" && method == Method::GET;
    let from_elsewhere = matches!(site, "cross-site" | "same-site");
    if from_elsewhere && !is_foreign_page && !follows_a_link {
        return Err(ApiError::forbidden(
            "pages of other origins may not call this; server.cors_origins names those that may call /v1",
        ));
    }
    Ok(())
}

fn is_api(uri: &Uri) -> bool {
    uri.path().starts_with("/v1/")
}

/// Headers that say a request was sent on by somebody: then the connection is theirs, and says nothing about who asks.
fn is_relayed(headers: &HeaderMap) -> bool {
    const RELAYS: [&str; 12] = [
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "client-ip",
        "true-client-ip",
        "x-cluster-client-ip",
        "x-envoy-external-address",
        "fastly-client-ip",
        "fly-client-ip",
        "x-original-host",
        "x-proxyuser-ip",
    ];
    headers.keys().any(|name| {
        let name = name.as_str();
        RELAYS.contains(&name) || name.starts_with("x-forwarded") || name.starts_with("cf-")
    })
}

/// Compared in constant time, so that the time of an answer says nothing about the credential.
fn brings(headers: &HeaderMap, credential: &SecretString) -> bool {
    let credential = credential.expose_secret().as_bytes();
    let bearer = headers.get(AUTHORIZATION).map(|value| value.as_bytes());
    let bearer = bearer.and_then(|value| value.split_at_checked(7));
    let bearer = bearer
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
        .map(|(_, brought)| brought.trim_ascii());
    let bare = |name: HeaderName| headers.get(name).map(|value| value.as_bytes().trim_ascii());
    let mut brought = [bearer, bare(TOKEN), bare(API_KEY)].into_iter().flatten();
    brought.any(|brought| bool::from(brought.ct_eq(credential)))
}

impl ApiError {
    /// 403: nobody of that kind may ask.
    pub(super) fn forbidden(message: &str) -> Self {
        Self::no_route(StatusCode::FORBIDDEN, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        for host in [
            "127.0.0.1:8089",
            "localhost",
            "LocalHost:1",
            "[::1]:8089",
            "costeer.localhost:8089",
            "127.9.9.9",
            "localhost.:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(is_this_machine(&bare(&host.parse().unwrap())), "{host}");
        }
        for host in [
            "evil.example:8089",
            "127.0.0.1.evil.example",
            "192.168.0.7:8089",
            "localhost.evil",
            "0.0.0.0:1",
            "localhosts",
            "[::2]:1",
        ] {
            assert!(!is_this_machine(&bare(&host.parse().unwrap())), "{host}");
        }
    }
}
