//! What the upstream says that it serves.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, Method};
use bytes::Bytes;
use serde_json::Value;
use tokio::time::timeout;

use crate::upstream::{Forwarded, Replicas};

/// A list is asked for again after this time: servers load and drop models.
const FRESH: Duration = Duration::from_secs(30);
/// Who does not list its models in this time has none whose names matter here.
const PATIENCE: Duration = Duration::from_secs(5);
/// No list is as long, in bytes.
const MOST: usize = 16 << 20;

/// The names of the upstream's models, remembered for a while.
#[derive(Default)]
pub struct Listed(Mutex<Option<(Instant, Arc<HashSet<String>>)>>);

impl Listed {
    /// The names; none where the upstream does not say. `authorization` is the client's own, where it may be sent on.
    pub async fn names(&self, replicas: &Replicas, authorization: Option<HeaderValue>) -> Arc<HashSet<String>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, names)) = known.filter(|(since, _)| since.elapsed() < FRESH) {
            return names;
        }
        match timeout(PATIENCE, ask(replicas, authorization)).await.ok().flatten() {
            Some(names) => {
                let names = Arc::new(names);
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&names)));
                names
            }
            None => Arc::default(),
        }
    }
}

async fn ask(replicas: &Replicas, authorization: Option<HeaderValue>) -> Option<HashSet<String>> {
    let headers = authorization.map(|own| (AUTHORIZATION, own)).into_iter();
    let request = Forwarded {
        method: Method::GET,
        path: "/models".to_owned(),
        headers: headers.collect::<HeaderMap>(),
        body: Bytes::new(),
        comes_whole: false,
    };
    let mut answer = replicas.forward(request).await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.ok()? {
        body.extend_from_slice(&part);
        if body.len() > MOST {
            return None;
        }
    }
    Some(
        names_in(&serde_json::from_slice(&body).ok()?)
            .map(str::to_owned)
            .collect(),
    )
}

/// The names in an answer of `/v1/models`.
pub fn names_in(answer: &Value) -> impl Iterator<Item = &str> {
    list(answer).iter().filter_map(|model| model.get("id")?.as_str())
}

/// The models in an answer of `/v1/models`.
pub fn list(answer: &Value) -> &[Value] {
    answer.get("data").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
