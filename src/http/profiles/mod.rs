//! Profiles over HTTP, for programs on this machine: what `costeer profile` does on the command line.

mod documents;
mod extract;
mod find;
mod local;
mod profile;

use axum::http::StatusCode;
use serde::de::DeserializeOwned;

pub use documents::{add, delete_document, document, documents, export};
pub use find::{preview, search};
pub use local::local;
pub use profile::{create, delete, edit, list, show};

use super::ApiError;
use crate::store::ProfileName;

/// The name in the address.
fn named(name: &str) -> Result<ProfileName, ApiError> {
    ProfileName::new(name).map_err(|error| ApiError::invalid("name", error.to_string()))
}

/// The body as what the route takes. The error says where it is not, and quotes nothing: bodies are private.
fn read<T: DeserializeOwned>(body: &[u8], wanted: &str) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        ApiError::not_json(format!(
            "the body must be {wanted}; it is not from line {line}, column {column} on"
        ))
    })
}

/// Done, and nothing to say.
const DONE: StatusCode = StatusCode::NO_CONTENT;
