use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::body::Body;
use super::chat::chat_completions;
use super::completions::completions;
use super::error::Refusal;
use super::request::Tokenize;
use super::server::DemoServer;
use crate::wire::now;

/// Requests may be as long as a full window of ids written in decimal.
const MAX_BODY_BYTES: usize = 32 << 20;

impl DemoServer {
    /// All routes.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/v1/completions", post(completions))
            .route("/v1/chat/completions", post(chat_completions))
            .route("/v1/models", get(models))
            .route("/tokenize", post(tokenize))
            .route("/version", get(version))
            .route("/health", get(|| async {}))
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(self)
    }
}

async fn models(State(server): State<Arc<DemoServer>>) -> Json<Value> {
    Json(json!({
        "object": "list",
        "data": [{
            "id": server.name,
            "object": "model",
            "created": now(),
            "owned_by": "costeer",
            "root": server.name,
            "parent": null,
            "max_model_len": server.context_length,
        }],
    }))
}

/// `POST /tokenize`: the ids of a text or of a chat's prompt.
async fn tokenize(
    State(server): State<Arc<DemoServer>>,
    Body(request): Body<Tokenize>,
) -> Result<Json<Value>, Refusal> {
    let ids = request.ids(&server)?;
    Ok(Json(json!({
        "count": ids.len(),
        "max_model_len": server.context_length,
        "tokens": ids,
        "token_strs": null,
    })))
}

async fn version() -> Json<Value> {
    Json(json!({"version": env!("CARGO_PKG_VERSION"), "server": "costeer"}))
}
