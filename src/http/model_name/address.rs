use std::borrow::Cow;

use axum::http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;

use super::named::{Named, resolve};
use super::split::splits;
use crate::http::gate::{Visitor, authorization};
use crate::http::{ApiError, App};

/// `/v1/models/NAME@profile`: the address of the model itself, and what was read. `None` where the address is of nothing else.
///
/// # Errors
/// As for [`resolve`]; 400 where more than a look is asked for.
pub async fn of_address(
    app: &App,
    visitor: &Visitor,
    headers: &HeaderMap,
    method: &Method,
    uri: &Uri,
) -> Result<Option<(Uri, Named)>, ApiError> {
    let Some(address) = uri.path().strip_prefix("/v1/models/") else {
        return Ok(None);
    };
    let decoded = |part| percent_decode_str(part).decode_utf8_lossy();
    let Some(named) = resolve(app, visitor, headers, &decoded(address)).await? else {
        return Ok(None);
    };
    if ![Method::GET, Method::HEAD].contains(method) {
        let message = "only the model itself can be changed; write its name without what stands behind the last @";
        return Err(ApiError::invalid("model", message));
    }
    // Cut, and not written anew, so that the rest is encoded as it was.
    let cuts = ["@", "%40"].map(|sign| address.match_indices(sign).map(|(place, _)| place));
    let own = cuts
        .into_iter()
        .flatten()
        .filter_map(|place| address.get(..place))
        .find(|part| decoded(part) == named.upstream);
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let own = own.and_then(|own| format!("/v1/models/{own}{query}").parse().ok());
    Ok(own.map(|own| (own, named)))
}

/// Parameters and folders of an address that name a model on some server.
const OF_MODELS: [&str; 3] = ["model", "engine", "deployment"];

/// Rounds of decoding: each server on the way may do one.
const MOST_ROUNDS: usize = 5;

/// Refuses an address that says more than a model's name where one may stand, for it goes to the upstream as it is. Whether there is such a
/// profile makes no difference.
///
/// # Errors
/// 400 naming the place.
pub async fn check_address(app: &App, headers: &HeaderMap, uri: &Uri) -> Result<(), ApiError> {
    let named = places(uri);
    if !app.model_suffix || named.is_empty() {
        return Ok(());
    }
    let models = app
        .models
        .names(app.service.replicas(), authorization(app, headers))
        .await;
    let says_more = |place: &&Place| {
        let own_name = |(name, _): (&str, &str)| place.is_of_a_model || models.contains(name);
        !models.contains(&place.text) && splits(&place.text).any(own_name)
    };
    match named.iter().find(says_more) {
        None => Ok(()),
        Some(place) => Err(ApiError::invalid(
            place.part,
            "a model's name in the address has something behind an @ that is for here alone; nothing was sent on. Write it into the \
             body's field model, or the model's own name into the address",
        )),
    }
}

/// Something in an address with an at-sign in it.
struct Place {
    part: &'static str,
    text: String,
    /// Whether what stands before it says that it is a model's name.
    is_of_a_model: bool,
}

/// Where in an address a model's name with something behind it may stand, whoever decodes it.
fn places(uri: &Uri) -> Vec<Place> {
    let mut places = Vec::new();
    let mut add = |part, before: &str, text: Cow<str>| {
        let before = before.to_lowercase();
        let is_of_a_model = OF_MODELS.iter().any(|word| before.contains(word));
        let mut text = text.into_owned();
        for _ in 0..MOST_ROUNDS {
            if splits(&text).next().is_some() {
                let text = text.clone();
                places.push(Place {
                    part,
                    text,
                    is_of_a_model,
                });
            }
            match percent_decode_str(&text).decode_utf8_lossy() {
                decoded if decoded == text => break,
                decoded => text = decoded.into_owned(),
            }
        }
    };
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        add("query", &name, value);
        add("query", "", name);
    }
    // What is below this one was read as a name already.
    if !uri.path().starts_with("/v1/models/") {
        let mut before = "";
        for segment in uri.path().split('/') {
            add("path", before, Cow::Borrowed(segment));
            before = segment;
        }
    }
    places
}
