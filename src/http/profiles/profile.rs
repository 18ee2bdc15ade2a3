use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::body::read;
use super::extract::{Address, Sent};
use super::{DONE, named, with_object};
use crate::http::{ApiError, App};
use crate::store::{PrivateText, Profile, ProfileName};

/// `GET /costeer/v1/profiles`: all profiles, by name.
///
/// # Errors
/// 503 when the store cannot be used; so for all of these routes.
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let profiles = app.service.store().with(|store| store.profiles()).await?;
    let data: Vec<Value> = profiles
        .iter()
        .map(|summary| with_object("profile.summary", summary))
        .collect();
    Ok(Json(json!({"object": "list", "data": data})))
}

/// A new profile. Not [`Profile`] flattened: serde would let unknown fields pass.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    #[serde(default)]
    description: PrivateText,
    #[serde(default)]
    preferences: Vec<PrivateText>,
    #[serde(default)]
    facts: Vec<PrivateText>,
}

fn answer(name: &ProfileName, profile: &Profile) -> Json<Value> {
    #[derive(Serialize)]
    struct Named<'a> {
        name: &'a ProfileName,
        #[serde(flatten)]
        profile: &'a Profile,
    }
    Json(with_object("profile", Named { name, profile }))
}

/// `POST /costeer/v1/profiles`: makes a profile.
///
/// # Errors
/// 409 when there is one of that name.
pub async fn create(State(app): State<Arc<App>>, Sent(body): Sent) -> Result<(StatusCode, Json<Value>), ApiError> {
    let new: New = read(
        &body,
        "{\"name\", \"description\"?, \"preferences\"?: [...], \"facts\"?: [...]}",
    )?;
    let profile = Profile {
        description: new.description,
        preferences: new.preferences,
        facts: new.facts,
    };
    let name = named(&new.name)?;
    let made = answer(&name, &profile);
    app.service
        .store()
        .with(move |store| store.create_profile(&name, &profile))
        .await?;
    Ok((StatusCode::CREATED, made))
}

/// `GET /costeer/v1/profiles/{name}`: what it says.
///
/// # Errors
/// 404 when there is none of that name; so for all routes below.
pub async fn show(State(app): State<Arc<App>>, Address(name): Address<String>) -> Result<Json<Value>, ApiError> {
    let name = named(&name)?;
    let profile = app.service.store().of(&name, |store, name| store.profile(name)).await?;
    Ok(answer(&name, &profile))
}

/// A JSON Merge Patch (RFC 7396): null empties, what is not there stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    #[serde(default, deserialize_with = "given")]
    description: Option<Option<PrivateText>>,
    #[serde(default, deserialize_with = "given")]
    preferences: Option<Option<Vec<PrivateText>>>,
    #[serde(default, deserialize_with = "given")]
    facts: Option<Option<Vec<PrivateText>>>,
}

fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// `PATCH /costeer/v1/profiles/{name}`: makes it say something else.
///
/// # Errors
/// 413 when it becomes too large.
pub async fn edit(
    State(app): State<Arc<App>>,
    Address(name): Address<String>,
    Sent(body): Sent,
) -> Result<Json<Value>, ApiError> {
    let name = named(&name)?;
    let patch: Patch = read(&body, "{\"description\"?, \"preferences\"?: [...], \"facts\"?: [...]}")?;
    let change = move |profile: &mut Profile| {
        if let Some(description) = patch.description {
            profile.description = description.unwrap_or_default();
        }
        if let Some(preferences) = patch.preferences {
            profile.preferences = preferences.unwrap_or_default();
        }
        if let Some(facts) = patch.facts {
            profile.facts = facts.unwrap_or_default();
        }
        Ok(())
    };
    let profile = app
        .service
        .store()
        .of(&name, |store, name| store.edit_profile(name, change))
        .await?;
    Ok(answer(&name, &profile))
}

/// `DELETE /costeer/v1/profiles/{name}`: deletes it with all its documents.
///
/// # Errors
/// 503 when its bytes are still in the store's log because somebody keeps reading.
pub async fn delete(State(app): State<Arc<App>>, Address(name): Address<String>) -> Result<StatusCode, ApiError> {
    app.service
        .store()
        .of(&named(&name)?, |store, name| store.delete_profile(name))
        .await?;
    Ok(DONE)
}
