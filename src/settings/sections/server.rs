use std::net::SocketAddr;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use super::values::{millis, none_or_many, optional_address, optional_secret};

/// `[server]`: how the proxy listens.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port.
    pub listen: SocketAddr,
    /// What clients must bring; `None` when empty.
    #[serde(deserialize_with = "optional_secret")]
    pub api_key: Option<SecretString>,
    /// Where the metrics are served by themselves; `None` when empty: among the other routes.
    #[serde(deserialize_with = "optional_address")]
    pub metrics_listen: Option<SocketAddr>,
    /// Whether a listener that others can reach may be without a key.
    pub open: bool,
    /// Names under which it may be asked for, beside those of this machine.
    #[serde(deserialize_with = "none_or_many")]
    pub hosts: Vec<String>,
    /// Origins whose pages may call.
    #[serde(deserialize_with = "none_or_many")]
    pub cors_origins: Vec<String>,
    /// Bytes.
    pub max_body_bytes: usize,
    /// How long running answers get at the end.
    #[serde(rename = "drain_ms", deserialize_with = "millis")]
    pub drain: Duration,
}

impl Server {
    /// Whether everybody who can reach it could use the proxy, and nobody has said that this is meant.
    pub fn is_open_by_mistake(&self) -> bool {
        !self.listen.ip().is_loopback() && self.api_key.is_none() && !self.open
    }
}
