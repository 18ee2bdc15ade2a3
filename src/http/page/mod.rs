//! The page at `/costeer/`, which shows what steering does. Its files are compiled in; they are the same for everybody and hold
//! nothing private, so they need no key: the page asks for one where the API does.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

/// Scripts, styles and connections of this server alone, and no other page may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file by its name below `/costeer/`.
struct File {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

static FILES: &[File] = &[
    file("", HTML, include_str!("files/index.html")),
    file("style.css", CSS, include_str!("files/style.css")),
    file("api.js", SCRIPT, include_str!("files/api.js")),
    file("app.js", SCRIPT, include_str!("files/app.js")),
    file("candidates.js", SCRIPT, include_str!("files/candidates.js")),
    file("chat.js", SCRIPT, include_str!("files/chat.js")),
    file("documents.js", SCRIPT, include_str!("files/documents.js")),
    file("dom.js", SCRIPT, include_str!("files/dom.js")),
    file("files.js", SCRIPT, include_str!("files/files.js")),
    file("importer.js", SCRIPT, include_str!("files/importer.js")),
    file("preview.js", SCRIPT, include_str!("files/preview.js")),
    file("profile.js", SCRIPT, include_str!("files/profile.js")),
    file("profiles.js", SCRIPT, include_str!("files/profiles.js")),
    file("snippets.js", SCRIPT, include_str!("files/snippets.js")),
    file("status.js", SCRIPT, include_str!("files/status.js")),
    file("strip.js", SCRIPT, include_str!("files/strip.js")),
    file("texts.js", SCRIPT, include_str!("files/texts.js")),
    file("thought.js", SCRIPT, include_str!("files/thought.js")),
    file("tokens.js", SCRIPT, include_str!("files/tokens.js")),
    file("totals.js", SCRIPT, include_str!("files/totals.js")),
    file("trace.js", SCRIPT, include_str!("files/trace.js")),
    file("tuning.js", SCRIPT, include_str!("files/tuning.js")),
    file("turn.js", SCRIPT, include_str!("files/turn.js")),
    // μPlot, MIT licence: files/vendor/uplot-LICENSE. As npm has it.
    file(
        "vendor/uplot-1.6.32.css",
        CSS,
        include_str!("files/vendor/uplot-1.6.32.css"),
    ),
    file(
        "vendor/uplot-1.6.32.js",
        SCRIPT,
        include_str!("files/vendor/uplot-1.6.32.js"),
    ),
];

const fn file(name: &'static str, kind: &'static str, text: &'static str) -> File {
    File { name, kind, text }
}

/// The page's routes.
pub fn page<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let bare = Router::new().route("/costeer", get(|| async { Redirect::permanent("/costeer/") }));
    FILES.iter().fold(bare, |routes, file| {
        routes.route(&format!("/costeer/{}", file.name), get(|| async { served(file) }))
    })
}

fn served(file: &'static File) -> Response {
    let headers = [
        (CONTENT_TYPE, file.kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // It belongs to this version of the API.
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, file.text).into_response()
}
