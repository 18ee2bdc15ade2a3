use std::convert::Infallible;
use std::future::ready;

use reqwest::header::CONTENT_ENCODING;
use reqwest::{Body, Response};
use tower::{ServiceExt, service_fn};
use tower_http::decompression::Decompression;

use super::Problem;

/// The answer, unpacked where a gateway has packed it although nobody asked for that.
///
/// # Errors
/// [`Problem::Malformed`] for a coding that is not known.
pub async fn unpacked(response: Response) -> Result<Response, Problem> {
    let coding = response.headers().get(CONTENT_ENCODING);
    if coding.is_none_or(|coding| coding == "identity") {
        return Ok(response);
    }
    // The library unpacks what a service answers. This one has answered already, and is asked once.
    let mut packed = Some(http::Response::<Body>::from(response));
    let service = service_fn(move |_: http::Request<()>| ready(Ok::<_, Infallible>(packed.take().unwrap_or_default())));
    let Ok(answer) = Decompression::new(service).oneshot(http::Request::default()).await;
    if let Some(coding) = answer.headers().get(CONTENT_ENCODING) {
        let coding = coding.to_str().unwrap_or("no text");
        return Err(Problem::Malformed(format!("its content encoding is {coding:?}")));
    }
    Ok(answer.map(Body::wrap).into())
}
