use std::sync::Arc;

use axum::http::HeaderMap;
use futures::FutureExt;

use super::named::{Wanted, resolve};
use crate::http::gate::{ModelOfForm, Visitor};
use crate::http::{ApiError, App};

/// Reads the field `model` of a form. Forms cannot be steered, so a profile is refused.
pub fn of_form(app: Arc<App>, visitor: Visitor, headers: HeaderMap) -> ModelOfForm {
    Box::new(move |written| {
        async move {
            match resolve(&app, &visitor, &headers, &written).await? {
                None => Ok(written),
                Some(named) if matches!(named.wanted, Wanted::Plain) => Ok(named.upstream),
                Some(_) => {
                    let message = "its end names a profile, and forms cannot be steered; write NAME or NAME@plain";
                    Err(ApiError::invalid("model", message))
                }
            }
        }
        .boxed()
    })
}
