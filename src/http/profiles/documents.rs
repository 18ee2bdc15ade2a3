use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::read_all;
use super::extract::{Address, Asked, Sent};
use super::{DONE, named, with_object};
use crate::http::{ApiError, App};
use crate::store::import::{document_line, profile_line};
use crate::store::{Document, DocumentId, ProfileName, StoreError};

/// Documents of one answer, where the request says no number.
const PAGE: usize = 100;
/// The most it may say.
const MOST: usize = 1000;

/// Where a page begins and how long it is.
#[derive(Deserialize)]
pub struct Page {
    #[serde(default)]
    after: i64,
    limit: Option<usize>,
}

/// `GET /costeer/v1/profiles/{name}/documents?after=ID&limit=N`: its history by rising id.
///
/// # Errors
/// 400 when the limit is out of range.
pub async fn documents(
    State(app): State<Arc<App>>,
    Address(name): Address<String>,
    Asked(page): Asked<Page>,
) -> Result<Json<Value>, ApiError> {
    let limit = page.limit.unwrap_or(PAGE);
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::invalid("limit", format!("it must be from 1 to {MOST}")));
    }
    let after = DocumentId(page.after);
    // One more, to know whether there are more.
    let name = named(&name)?;
    let reading = app
        .service
        .store()
        .of(&name, move |store, name| store.documents(name, after, limit + 1));
    let mut documents = reading.await?;
    let has_more = documents.len() > limit;
    documents.truncate(limit);
    let data: Vec<Value> = documents
        .iter()
        .map(|document| with_object("document", document))
        .collect();
    Ok(Json(json!({"object": "list", "data": data, "has_more": has_more})))
}

/// `POST /costeer/v1/profiles/{name}/documents`: puts one document or a list of them into its history, all or none.
///
/// # Errors
/// 413 when one is too large.
pub async fn add(
    State(app): State<Arc<App>>,
    Address(name): Address<String>,
    Sent(body): Sent,
) -> Result<Json<Value>, ApiError> {
    let wanted =
        "a document {\"text\", \"title\"?, \"key\"?, \"time\"?, \"source\"?, \"tags\"?: [...]} or a list of them";
    let documents: Vec<Document> = read_all(&body, wanted)?;
    if documents.iter().any(|document| document.text.is_blank()) {
        return Err(ApiError::invalid("text", "every document needs a text"));
    }
    let name = named(&name)?;
    let importing = app
        .service
        .store()
        .of(&name, move |store, name| store.import(name, &documents));
    Ok(Json(json!(importing.await?)))
}

/// `GET /costeer/v1/profiles/{name}/documents/{id}`.
///
/// # Errors
/// 404 when the profile has none with that id.
pub async fn document(
    State(app): State<Arc<App>>,
    Address((name, id)): Address<(String, i64)>,
) -> Result<Json<Value>, ApiError> {
    let id = DocumentId(id);
    let document = app
        .service
        .store()
        .of(&named(&name)?, move |store, name| store.document(name, id))
        .await?;
    Ok(Json(with_object("document", document)))
}

/// `DELETE /costeer/v1/profiles/{name}/documents/{id}`.
///
/// # Errors
/// 404 when the profile has none with that id.
pub async fn delete_document(
    State(app): State<Arc<App>>,
    Address((name, id)): Address<(String, i64)>,
) -> Result<StatusCode, ApiError> {
    app.service
        .store()
        .of(&named(&name)?, move |store, name| {
            store.delete_document(name, DocumentId(id))
        })
        .await?;
    Ok(DONE)
}

/// Where an export stands.
enum Next {
    Profile,
    Documents(DocumentId),
    Nothing,
}

/// `GET /costeer/v1/profiles/{name}/export`: everything there is, as lines of JSON that `costeer profile import` takes. A body that
/// breaks off is not whole.
///
/// # Errors
/// 404 when there is none of that name.
pub async fn export(
    State(app): State<Arc<App>>,
    Address(name): Address<String>,
) -> Result<([(HeaderName, &'static str); 1], Body), ApiError> {
    let name = named(&name)?;
    // A stream that has begun can say no 404 any more.
    app.service.store().of(&name, |store, name| store.profile(name)).await?;
    let lines = futures::stream::try_unfold((app, name, Next::Profile), async |(app, name, next)| {
        let (lines, next) = match next {
            Next::Profile => {
                let profile = app.service.store().of(&name, |store, name| store.profile(name)).await?;
                (profile_line(&name, &profile) + "\n", Next::Documents(DocumentId(0)))
            }
            Next::Documents(after) => page(&app, &name, after).await?,
            Next::Nothing => return Ok::<_, StoreError>(None),
        };
        Ok(Some((Bytes::from(lines), (app, name, next))))
    });
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)))
}

async fn page(app: &App, name: &ProfileName, after: DocumentId) -> Result<(String, Next), StoreError> {
    let documents = app
        .service
        .store()
        .of(name, move |store, name| store.documents(name, after, PAGE))
        .await?;
    let lines = documents
        .iter()
        .map(|stored| document_line(name, &stored.document) + "\n")
        .collect();
    let next = documents.last().map_or(Next::Nothing, |last| Next::Documents(last.id));
    Ok((lines, next))
}
