//! What `costeer tune` has measured of the pair that answers here.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::gate::authorization;
use super::{ApiError, App};
use crate::service::apart;
use crate::settings::Settings;
use crate::tune::{Numbers, Report, SHIPPED, State as Measured, TOKENS, TuneError, floors, key};
use crate::upstream::Caller;

/// What makes a curve where there is none.
const COMMAND: &str = "costeer tune";

/// `GET /costeer/v1/tuning`: the report on what was measured with the questions that come along, and the settings in force. It is about
/// made-up people alone.
///
/// # Errors
/// 502 where the upstream does not say which model it serves, 503 where what was measured cannot be read.
pub async fn tuning(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<Value>, ApiError> {
    let caller = Caller {
        authorization: authorization(&app, &headers),
        ..Caller::default()
    };
    let description = app.service.replicas().describe(&caller).await?;
    let rule = app.service.rule();
    let configured = Numbers {
        strength: rule.strength.value(),
        delta_floor: rule.delta_floor,
        plausibility: rule.plausibility,
    };
    let (settings, files, cap) = (
        Arc::clone(&app.settings),
        app.service.tokenizer_files().to_owned(),
        rule.cap,
    );
    let report = apart(move || {
        let key = key(&settings, &files, description.model(None), TOKENS as usize, SHIPPED);
        report(&settings, &key, configured, cap)
    });
    let report = report.await.map_err(|error| unreadable(&error))?;
    Ok(Json(json!({
        "object": "tuning",
        "settings": configured,
        "report": report,
        "reason": report.is_none().then_some("Nothing was measured of this pair with these settings yet."),
        "command": COMMAND,
    })))
}

fn report(
    settings: &Settings,
    key: &str,
    configured: Numbers,
    cap: Option<crate::steering::Cap>,
) -> Result<Option<Report>, TuneError> {
    let records = Measured::kept(&Measured::path_of(key)?)?;
    let is_measured = !records.is_empty();
    Ok(is_measured.then(|| Report::of(&records, &floors(settings), cap, configured)))
}

fn unreadable(error: &TuneError) -> ApiError {
    ApiError::no_route(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
}
