use secrecy::SecretString;

use crate::service::StartError;
use crate::settings::Settings;
use crate::token;

/// Who may ask, under which names, and with which credential.
pub struct Access {
    /// What clients must bring, if anything.
    pub(super) api_key: Option<SecretString>,
    /// What stands for the person whose machine this is, where there is no key.
    pub(super) token: Option<SecretString>,
    /// Origins whose pages may call; `*` is all.
    pub(super) cors_origins: Vec<String>,
    /// Names under which it may be asked for, beside those of this machine.
    hosts: Vec<String>,
    /// Whether only this machine can reach the listener, so that profiles and the page may be served.
    pub(super) is_loopback: bool,
}

impl Access {
    /// As configured.
    ///
    /// # Errors
    /// [`StartError::Open`] where everybody could use the proxy and nobody has said that this is meant.
    pub async fn load(settings: &Settings) -> Result<Self, StartError> {
        let server = &settings.server;
        if server.is_open_by_mistake() {
            return Err(StartError::Open { listen: server.listen });
        }
        Ok(Self {
            api_key: server.api_key.clone(),
            token: own_token(settings).await,
            cors_origins: server.cors_origins.clone(),
            hosts: server.hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            is_loopback: server.listen.ip().is_loopback(),
        })
    }

    /// The key, or the token where there is no key.
    pub(super) fn credential(&self) -> Option<&SecretString> {
        self.api_key.as_ref().or(self.token.as_ref())
    }

    /// Whether a request may be for `host` although it is no name of this machine's. Where the listener is open to others, a key keeps
    /// strangers out whatever they call it; without one, a name with a dot in it might be a page's that has taken our address.
    pub(super) fn takes_host(&self, host: &str) -> bool {
        let is_configured = self.hosts.iter().any(|name| name == host);
        let is_address = host.parse::<std::net::IpAddr>().is_ok();
        is_configured || (!self.is_loopback && (self.api_key.is_some() || is_address || !host.contains('.')))
    }
}

/// The token that stands for the person whose machine this is, where no `server.api_key` does. Without a place for it there is none, and
/// what is stored is for programs of this process' own user alone.
async fn own_token(settings: &Settings) -> Option<SecretString> {
    if settings.server.api_key.is_some() {
        return None;
    }
    let path = token::path(&settings.store.file().ok()?);
    let made = tokio::task::spawn_blocking(move || token::load_or_make(&path))
        .await
        .ok()?;
    made.inspect_err(|error| tracing::warn!(%error, "there is no token for profiles and configured contexts"))
        .ok()
}
