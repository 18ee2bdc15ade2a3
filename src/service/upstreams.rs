use std::sync::Arc;

use reqwest::header::{HeaderName, HeaderValue};
use secrecy::ExposeSecret;

use super::StartError;
use crate::settings::Settings;
use crate::upstream::{Connection, Extra, Replicas, Retries, ServedVocabulary, Server, Timeouts, bearer};
use crate::vocabulary::Tokenizer;

/// The configured upstreams. None of them need be up yet.
///
/// # Errors
/// A [`StartError`] naming the setting.
pub fn replicas(settings: &Settings, tokenizer: &Arc<Tokenizer>) -> Result<Replicas, StartError> {
    let upstream = &settings.upstream;
    let timeouts = Timeouts {
        connect: upstream.connect_timeout,
        first_token: upstream.first_token_timeout,
        idle: upstream.idle_timeout,
        whole: upstream.answer_timeout,
    };
    let authorization = authorization(settings)?;
    // Checked with the rest of the configuration.
    let header = upstream.affinity_header.as_deref();
    let header = header.and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok());
    let vocabulary = ServedVocabulary {
        tokenizer: Arc::clone(tokenizer),
        is_assumed: upstream.tokenizer.is_none(),
    };
    let servers = upstream.urls.iter().map(|url| {
        let connection = Connection::new(url, authorization.clone(), header.clone(), timeouts)?;
        let connection = connection.with(Extra {
            headers: upstream.headers.clone(),
            body: upstream.extra_body.clone(),
        });
        Ok(Server::new(connection, upstream.driver, vocabulary.clone()))
    });
    let servers = servers.collect::<Result<Vec<_>, StartError>>()?;
    let retries = Retries {
        rounds: upstream.retries,
    };
    Ok(Replicas::new(servers, retries))
}

fn authorization(settings: &Settings) -> Result<Option<HeaderValue>, StartError> {
    let Some(key) = &settings.upstream.api_key else {
        return Ok(None);
    };
    bearer(key.expose_secret()).map(Some).ok_or(StartError::ApiKey)
}
