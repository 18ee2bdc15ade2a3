use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret, SecretString};

use super::arguments::TopArguments;
use super::sample::Sample;
use crate::cli::CommandError;
use crate::settings::{Variables, found_file, load};
use crate::upstream::innermost;

/// A look that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(5);

/// More than this is no proxy's metrics.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Where the metrics of a proxy are.
pub struct Source {
    client: Client,
    /// Without a slash at the end.
    proxy: String,
    key: Option<SecretString>,
}

impl Source {
    /// What the arguments name, or else the settings.
    ///
    /// # Errors
    /// [`CommandError`] where the settings cannot be read.
    pub fn find(arguments: &TopArguments) -> Result<Self, CommandError> {
        // A variable that is set to nothing is none.
        let given = arguments.key.clone().filter(|key| !key.is_empty());
        let (proxy, configured) = match &arguments.url {
            // The settings' key is not for whoever may be there.
            Some(url) => (url.trim_end_matches('/').to_owned(), None),
            None => {
                let server = load(found_file(arguments.config.as_deref()).as_deref(), Variables::Read, &[])?.server;
                let (address, key) = match server.metrics_listen {
                    // There it needs none.
                    Some(address) => (address, None),
                    None => (server.listen, server.api_key),
                };
                (format!("http://{}", reachable(address)), key)
            }
        };
        let key = given.map(SecretString::from).or(configured);
        let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(TIMEOUT);
        let client = client.build().map_err(|error| CommandError::Usage(innermost(&error)))?;
        Ok(Self { client, proxy, key })
    }

    /// The proxy's address.
    pub fn proxy(&self) -> &str {
        &self.proxy
    }

    /// What the proxy has counted up to now.
    ///
    /// # Errors
    /// Why there is nothing, and what to do, for a person.
    pub async fn sample(&self) -> Result<Sample, String> {
        let proxy = &self.proxy;
        let mut request = self.client.get(format!("{proxy}/metrics"));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose_secret());
        }
        let unreachable = |error: &reqwest::Error| match error.is_timeout() {
            true => format!("{proxy} does not answer within {} seconds", TIMEOUT.as_secs()),
            false => format!("{proxy} cannot be reached: {}", innermost(error)),
        };
        let mut answer = request.send().await.map_err(|error| unreachable(&error))?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(format!(
                    "{proxy} wants another key ({}): {KEYS}",
                    answer.status().as_u16()
                ));
            }
            StatusCode::NOT_FOUND => {
                return Err(format!(
                    "{proxy} has no /metrics (404); where server.metrics_listen is set, they are there: name it with --url"
                ));
            }
            status => {
                return Err(format!(
                    "{proxy} answers with status {} instead of metrics",
                    status.as_u16()
                ));
            }
        }
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| unreachable(&error))? {
            if body.len() + piece.len() > MOST_BYTES {
                return Err(format!("{proxy} says too much to be CoSteer proxy's metrics"));
            }
            body.extend_from_slice(&piece);
        }
        let sample = Sample::read(&String::from_utf8_lossy(&body)).map_err(|error| {
            let line = error.line;
            format!("{proxy}/metrics is not in Prometheus' text format (line {line}); is this a CoSteer proxy?")
        })?;
        if !sample.is_of_a_proxy() {
            return Err(format!(
                "{proxy}/metrics counts nothing of CoSteer proxy's; is this one?"
            ));
        }
        Ok(sample)
    }
}

const KEYS: &str = "it is server.api_key of its settings, which --config names, or --key";

/// Where an address is reached that a server listens on: "every interface" is this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_is_reached_on_this_machine() {
        for (listen, wanted) in [
            ("0.0.0.0:8089", "127.0.0.1:8089"),
            ("[::]:8089", "[::1]:8089"),
            ("10.0.0.3:1", "10.0.0.3:1"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), wanted);
        }
    }
}
