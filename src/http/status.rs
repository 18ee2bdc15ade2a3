//! What the page says of the proxy in a line. Nothing of a person's is in it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::App;
use super::gate::authorization;
use super::health::readiness;
use crate::telemetry::metrics;
use crate::upstream::Caller;

/// How long a server may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tokens of all steered answers, and how long these waited.
const SERIES: [&str; 3] = [
    "costeer_positions_total",
    "costeer_session_part_seconds_sum{part=\"upstream_wait\"}",
    "costeer_session_part_seconds_sum{part=\"local_wait\"}",
];

/// `GET /costeer/v1/status`: whether it is ready, what the two models are, and for how long a token waits for each.
pub async fn status(State(app): State<Arc<App>>, headers: HeaderMap) -> Json<Value> {
    let (is_ready, readiness) = readiness(&app);
    let caller = Caller {
        authorization: authorization(&app, &headers),
        ..Caller::default()
    };
    let upstream = match is_ready {
        true => timeout(PATIENCE, app.service.replicas().describe(&caller)).await.ok(),
        false => None,
    };
    let upstream = upstream.and_then(Result::ok).map(|description| {
        let model = description.model(None).map(|model| &model.id);
        json!({"server": description.server, "model": model})
    });
    let [tokens, upstream_wait, local_wait] = metrics().values(SERIES);
    let tokens = tokens.unwrap_or(0.0);
    let of_a_token = |seconds: Option<f64>| 1000.0 * seconds.unwrap_or(0.0) / tokens;
    let waiting =
        (tokens > 0.0).then(|| json!({"upstream": of_a_token(upstream_wait), "local": of_a_token(local_wait)}));
    let rule = app.service.rule();
    Json(json!({
        "object": "status",
        "version": env!("CARGO_PKG_VERSION"),
        "ready": is_ready,
        "readiness": readiness,
        "upstream": upstream,
        "local": {"model": app.local_model, "engine": app.service.engine()},
        "settings": {
            "strength": rule.strength.value(),
            "delta_floor": rule.delta_floor,
            "plausibility": rule.plausibility,
        },
        "model_suffix": app.model_suffix,
        "tokens": tokens,
        "waiting_ms_per_token": waiting,
    }))
}
