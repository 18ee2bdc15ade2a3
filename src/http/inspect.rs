//! Parting a body: what may be sent on, and what is private.

use std::sync::Arc;

use axum::http::HeaderMap;

use super::gate::{Bytes, Fields, check_json, check_keys, check_packed, marked, marked_everywhere, object};
use super::{ApiError, App, private};
use crate::context::PrivateContext;
use crate::service::{PrivateInput, apart};

/// Where marked text is taken from; elsewhere it is refused.
#[derive(Clone, Copy)]
pub enum Marks {
    /// What a prompt consists of: the request can be steered.
    OfPrompts,
    /// Every text: the request is refused or passed on without it.
    Everywhere,
}

/// A request's body, parted.
pub struct Inspected {
    /// What may be sent on.
    pub public: Fields,
    /// What headers and the field `costeer` say.
    pub private: PrivateInput,
    /// Whether there was a field `costeer`.
    pub has_field: bool,
    /// What was marked in its texts.
    pub marked: Vec<PrivateContext>,
}

/// Bodies longer than this are looked through on a thread that may take its time.
const LONG: usize = 32 << 10;

/// Parts a JSON body into what may be sent on and what may not.
///
/// # Errors
/// 415 and 400 that say what is wrong with it.
pub async fn inspect(app: &Arc<App>, headers: &HeaderMap, body: Bytes, from: Marks) -> Result<Inspected, ApiError> {
    check_json(headers)?;
    let tags = app.private_tags;
    if body.len() < LONG {
        return parted(headers, &body, tags, from);
    }
    let headers = headers.clone();
    apart(move || parted(&headers, &body, tags, from)).await
}

fn parted(headers: &HeaderMap, body: &[u8], tags: bool, from: Marks) -> Result<Inspected, ApiError> {
    let mut public = object(body)?;
    check_keys(&public, tags)?;
    let before = public.len();
    let private = private::take(headers, &mut public)?;
    let has_field = public.len() < before;
    check_packed(&public)?;
    let marked = match (tags, from) {
        (false, _) => Vec::new(),
        (true, Marks::OfPrompts) => marked(&mut public)?,
        (true, Marks::Everywhere) => marked_everywhere(&mut public)?,
    };
    Ok(Inspected {
        public,
        private,
        has_field,
        marked,
    })
}
