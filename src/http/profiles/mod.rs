//! Profiles over HTTP, for programs on this machine: what `costeer profile` does on the command line.

mod body;
mod documents;
mod extract;
mod find;
mod import;
mod intake;
mod profile;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

pub use documents::{add, delete_document, document, documents, export};
pub use find::{preview, search};
pub use import::import;
pub use profile::{create, delete, edit, list, show};

use super::ApiError;
use crate::store::ProfileName;

/// The name in the address.
fn named(name: &str) -> Result<ProfileName, ApiError> {
    ProfileName::new(name).map_err(|error| ApiError::invalid("name", error.to_string()))
}

/// What is found under `object` in every answer, and after it what `value` says.
fn with_object(object: &str, value: impl Serialize) -> Value {
    let mut answer = json!({"object": object});
    if let (Value::Object(answer), Value::Object(fields)) = (&mut answer, json!(value)) {
        answer.extend(fields);
    }
    answer
}

/// Done, and nothing to say.
const DONE: StatusCode = StatusCode::NO_CONTENT;
