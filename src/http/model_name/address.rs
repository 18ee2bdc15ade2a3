use axum::http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;

use super::named::{Named, resolve};
use crate::http::gate::Visitor;
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
