//! Uploads: forms with files in them (RFC 7578). Names and texts are looked at, files stream through, and what goes out is written anew.

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use futures::future::BoxFuture;
use multer::{Field, Multipart};
use tokio::sync::{mpsc, oneshot};

use super::packed::is_packed_text;
use crate::context::{is_almost_ours, is_almost_tagged};
use crate::http::ApiError;

/// Routes of OpenAI's API that take forms; `*` is one segment.
const UPLOADS: [&[&str]; 8] = [
    &["files"],
    &["uploads", "*", "parts"],
    &["audio", "transcriptions"],
    &["audio", "translations"],
    &["images", "edits"],
    &["images", "variations"],
    &["containers", "*", "files"],
    &["videos"],
];

/// Parts of a form that wait for the upstream.
const WAITING: usize = 8;

/// Whether the path below `/v1` takes forms.
pub fn is_upload(path: &str) -> bool {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let fits = |route: &&&[&str]| {
        let mut pairs = route.iter().zip(&segments);
        route.len() == segments.len() && pairs.all(|(wanted, given)| *wanted == "*" || wanted == given)
    };
    UPLOADS.iter().any(|route| fits(&route))
}

/// A form on its way.
pub struct Upload {
    /// What the body is.
    pub content_type: HeaderValue,
    /// It breaks off where something must not be sent on.
    pub body: reqwest::Body,
    /// Why it broke off, if it did.
    pub refusal: oneshot::Receiver<ApiError>,
}

/// What the upstream gets for the model's name that a form holds.
pub type ModelOfForm = Box<dyn FnOnce(String) -> BoxFuture<'static, Result<String, ApiError>> + Send + Sync>;

/// Reads the form with this boundary and writes it anew. `most` bounds the texts, all together.
pub fn upload(body: Body, boundary: &str, tags: bool, most: usize, model: ModelOfForm) -> Upload {
    let form = Multipart::new(body.into_data_stream(), boundary);
    let fresh = format!("costeer-{:032x}", rand::random::<u128>());
    let content_type = HeaderValue::from_str(&format!("multipart/form-data; boundary={fresh}"));
    let (sender, receiver) = mpsc::channel(WAITING);
    let (refuse, refusal) = oneshot::channel();
    let writer = Writer {
        boundary: fresh,
        tags,
        left: most,
        most,
        model: Some(model),
        out: sender,
    };
    tokio::spawn(async move {
        let broken = writer.out.clone();
        match writer.write(form).await {
            Ok(()) | Err(Ended::Gone) => {}
            Err(Ended::Refused(error)) => {
                // Before the body breaks, so that whoever sees it break finds out why.
                let _gone = refuse.send(error);
                let _gone = broken.send(Err(std::io::Error::other("the form was refused"))).await;
            }
        }
    });
    let parts = futures::stream::unfold(receiver, |mut receiver| async move {
        let part: Result<Bytes, std::io::Error> = receiver.recv().await?;
        Some((part, receiver))
    });
    Upload {
        content_type: content_type.unwrap_or(HeaderValue::from_static("multipart/form-data")),
        body: reqwest::Body::wrap_stream(parts),
        refusal,
    }
}

/// Why writing ended early.
enum Ended {
    /// Nobody takes the form any more.
    Gone,
    Refused(ApiError),
}

impl From<multer::Error> for Ended {
    fn from(_: multer::Error) -> Self {
        // Its messages may quote what was sent.
        Self::Refused(ApiError::not_json(
            "the form is not multipart/form-data as RFC 7578 has it, or did not arrive whole",
        ))
    }
}

impl From<ApiError> for Ended {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

struct Writer {
    boundary: String,
    tags: bool,
    left: usize,
    most: usize,
    model: Option<ModelOfForm>,
    out: mpsc::Sender<Result<Bytes, std::io::Error>>,
}

impl Writer {
    async fn write(mut self, mut form: Multipart<'static>) -> Result<(), Ended> {
        while let Some(field) = form.next_field().await? {
            let head = self.head(&field)?;
            if field.file_name().is_some() {
                self.send(head).await?;
                self.stream(field).await?;
            } else {
                let is_model = field.name() == Some("model");
                let mut text = self.text(field).await?;
                if is_model {
                    let model = self.model.take();
                    let model = model.ok_or_else(|| ApiError::invalid("model", "the form has it twice"))?;
                    text = model(text).await?;
                }
                self.send(head).await?;
                self.send(text).await?;
            }
            self.send("\r\n").await?;
        }
        let end = format!("--{}--\r\n", self.boundary);
        self.send(end).await
    }

    /// The lines before a part.
    fn head(&self, field: &Field<'static>) -> Result<String, ApiError> {
        let name = field
            .name()
            .ok_or_else(|| ApiError::not_json("a part of the form has no name"))?;
        let kind = field.content_type().map(ToString::to_string);
        let mut about = [Some(name), field.file_name(), kind.as_deref()].into_iter().flatten();
        if is_almost_ours(name) {
            return Err(ApiError::invalid(
                "form",
                "a field of the form has a name like those of private settings; forms cannot be steered, and it was not sent on",
            ));
        }
        if self.tags && about.any(is_almost_tagged) {
            return Err(tag_refused());
        }
        let mut head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{}\"",
            self.boundary,
            quoted(name)
        );
        if let Some(file) = field.file_name() {
            head.push_str(&format!("; filename=\"{}\"", quoted(file)));
        }
        if let Some(kind) = &kind {
            head.push_str(&format!("\r\nContent-Type: {}", quoted(kind)));
        }
        head.push_str("\r\n\r\n");
        Ok(head)
    }

    /// A text, looked at before any of it is sent.
    async fn text(&mut self, mut field: Field<'static>) -> Result<String, Ended> {
        let mut whole = Vec::new();
        while let Some(part) = field.chunk().await? {
            self.left = self
                .left
                .checked_sub(part.len())
                .ok_or_else(|| ApiError::body_too_large(self.most))?;
            whole.extend_from_slice(&part);
        }
        let text = String::from_utf8(whole).map_err(|_| ApiError::not_json("a text of the form is not UTF-8"))?;
        if is_packed_text(&text) {
            return Err(ApiError::invalid(
                "form",
                "a text of the form is JSON with a field like costeer; forms cannot be steered, and it was not sent on",
            )
            .into());
        }
        if self.tags && is_almost_tagged(&text) {
            return Err(tag_refused().into());
        }
        Ok(text)
    }

    async fn stream(&self, mut field: Field<'static>) -> Result<(), Ended> {
        while let Some(part) = field.chunk().await? {
            self.send(part).await?;
        }
        Ok(())
    }

    async fn send(&self, part: impl Into<Bytes>) -> Result<(), Ended> {
        self.out.send(Ok(part.into())).await.map_err(|_| Ended::Gone)
    }
}

fn tag_refused() -> ApiError {
    ApiError::invalid(
        "form",
        "a text of the form holds a tag such as <private>, which marks parts of messages; it was not sent on",
    )
}

/// As browsers write names (HTML standard, "multipart/form-data encoding algorithm").
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_some_routes_take_forms() {
        for path in ["/files", "/audio/transcriptions", "/uploads/u-1/parts"] {
            assert!(is_upload(path), "{path}");
        }
        for path in ["/files/f-1", "/embeddings", "/chat/completions", "/uploads/parts", "/"] {
            assert!(!is_upload(path), "{path}");
        }
    }
}
