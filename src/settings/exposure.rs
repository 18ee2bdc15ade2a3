use reqwest::Url;

use super::Settings;
use crate::upstream::is_this_machine;

/// What others can see or reach because of the configuration, each in a sentence that names the setting. Empty for the defaults.
pub fn exposures(settings: &Settings) -> Vec<String> {
    let server = &settings.server;
    let mut found = Vec::new();
    if !server.listen.ip().is_loopback() {
        let who = if server.api_key.is_some() {
            "who has server.api_key can use the proxy from there"
        } else {
            "everybody there can use the proxy without a key (server.open)"
        };
        found.push(format!(
            "server.listen = \"{}\" can be reached from other machines, and {who}",
            server.listen
        ));
    }
    if let Some(listen) = server.metrics_listen.filter(|listen| !listen.ip().is_loopback()) {
        found.push(format!(
            "server.metrics_listen = \"{listen}\" shows the metrics to other machines, without a key"
        ));
    }
    if server.cors_origins.iter().any(|origin| origin == "*") {
        found
            .push("server.cors_origins = \"*\" lets every web page that is open in a browser here call /v1".to_owned());
    } else if !server.cors_origins.is_empty() {
        found.push(format!(
            "server.cors_origins lets web pages of {} call /v1",
            server.cors_origins.join(", ")
        ));
    }
    for url in settings.upstream.urls.iter().filter(|url| travels_open(url)) {
        found.push(format!(
            "upstream.url = \"{url}\": questions, picked tokens and the key travel there unencrypted; use https"
        ));
    }
    found
}

fn travels_open(url: &str) -> bool {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "http");
    url.is_some_and(|url| !url.host_str().is_some_and(is_this_machine))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Variables, load};

    #[test]
    fn every_exposure_names_its_setting() {
        let of =
            |key: &'static str, value: &str| exposures(&load(None, Variables::Ignore, &[(key, value.into())]).unwrap());
        for (key, value) in [
            ("server.listen", "0.0.0.0:8089"),
            ("server.metrics_listen", "192.168.0.2:9000"),
            ("server.cors_origins", "*"),
            ("server.cors_origins", "http://localhost:3000"),
            ("upstream.url", "http://gpu.example/v1"),
        ] {
            let found = of(key, value);
            assert!(found.len() == 1 && found[0].contains(key), "{key}: {found:?}");
        }
        for (key, value) in [
            ("server.listen", "[::1]:1"),
            ("upstream.url", "https://gpu.example/v1"),
            ("upstream.url", "http://[::1]:1/v1"),
        ] {
            assert!(of(key, value).is_empty(), "{key} = {value}");
        }
    }
}
