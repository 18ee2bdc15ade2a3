use axum::http::{HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use super::split::{PLAIN, splits};
use crate::foreign;
use crate::http::gate::{Fields, Json, Visitor, authorization};
use crate::http::{ApiError, App};
use crate::store::ProfileName;

/// Why an answer to `NAME@plain` is not steered.
pub const ASKED_PLAIN: HeaderValue = HeaderValue::from_static("the model's name ends in @plain");

/// A model's name with something behind it that is for here alone.
pub struct Named {
    /// As the client wrote it.
    pub written: String,
    /// What the upstream may see of it.
    pub upstream: String,
    /// What the rest asks for.
    pub wanted: Wanted,
}

/// What stands behind the name.
pub enum Wanted {
    /// An answer by this profile, which exists.
    Profile(ProfileName),
    /// An unsteered one.
    Plain,
}

/// Takes what is for here alone out of the body's field `model`.
///
/// # Errors
/// As for [`resolve`].
pub async fn take(
    app: &App,
    visitor: &Visitor,
    headers: &HeaderMap,
    body: &mut Fields,
) -> Result<Option<Named>, ApiError> {
    let Some((_, value)) = body.iter_mut().find(|(key, _)| key == "model") else {
        return Ok(None);
    };
    let Some(written) = value.as_text() else {
        return Ok(None);
    };
    let named = resolve(app, visitor, headers, written).await?;
    if let Some(named) = &named {
        *value = Json::Text(Zeroizing::new(named.upstream.clone()));
        let about = body.iter_mut().filter(|(key, _)| METADATA.contains(&key.as_str()));
        about.for_each(|(_, value)| rename(value, named));
    }
    Ok(named)
}

/// Where clients repeat the model's name, or have more of them.
const METADATA: [&str; 6] = [
    "metadata",
    "client_metadata",
    "models",
    "user",
    "prompt_cache_key",
    "safety_identifier",
];

fn rename(value: &mut Json, named: &Named) {
    match value {
        Json::Text(text) if text.contains(&named.written) => {
            *value = Json::Text(Zeroizing::new(text.replace(&named.written, &named.upstream)));
        }
        Json::List(list) => list.iter_mut().for_each(|value| rename(value, named)),
        Json::Object(fields) => fields.iter_mut().for_each(|(_, value)| rename(value, named)),
        _ => {}
    }
}

/// Reads a model's name. `None` where it is one as it stands, because the upstream lists it or nothing may be read out of it.
///
/// # Errors
/// 404 where there is neither such a model nor such a profile; 401 and 403 for who may not use profiles, whether there is one of that
/// name or not; 503 when the store cannot be used.
pub async fn resolve(
    app: &App,
    visitor: &Visitor,
    headers: &HeaderMap,
    written: &str,
) -> Result<Option<Named>, ApiError> {
    if !app.model_suffix || splits(written).next().is_none() {
        return Ok(None);
    }
    let models = app
        .models
        .names(app.service.replicas(), authorization(app, headers))
        .await;
    if models.contains(written) {
        return Ok(None);
    }
    let named = |upstream: &str, wanted| Named {
        written: written.to_owned(),
        upstream: upstream.to_owned(),
        wanted,
    };
    if let Some(name) = written.strip_suffix(PLAIN) {
        return Ok(Some(named(name, Wanted::Plain)));
    }
    visitor.may_use_what_is_stored().await?;
    let mut found = Vec::new();
    for (name, profile) in splits(written) {
        let Ok(profile) = ProfileName::new(profile) else {
            continue;
        };
        if app.service.store().exists() {
            let there = app.service.store().of(&profile, |store, name| store.has_profile(name));
            if there.await? {
                found.push(named(name, Wanted::Profile(profile)));
            }
        }
    }
    // Both models and profiles may have "@" in their names.
    let listed = found.iter().position(|named| models.contains(&named.upstream));
    match found.into_iter().nth(listed.unwrap_or(0)) {
        Some(named) => Ok(Some(named)),
        None => Err(ApiError::no_such_suffix(&foreign::beginning(written, 80))),
    }
}
