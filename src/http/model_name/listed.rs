//! What the upstream says that it serves.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use serde_json::Value;
use tokio::time::timeout;

use crate::upstream::{Forwarded, Replicas};

/// A list is asked for again after this time: servers load and drop models.
const FRESH: Duration = Duration::from_secs(30);
/// Where there was none, it is asked for again after this time.
const AGAIN: Duration = Duration::from_secs(5);
/// Who does not list its models in this time has none whose names matter here.
const PATIENCE: Duration = Duration::from_secs(5);
/// No list is as long, in bytes.
const MOST: usize = 16 << 20;

/// The names of the upstream's models, remembered for a while.
#[derive(Default)]
pub struct Listed(Mutex<Option<Known>>);

#[derive(Clone)]
struct Known {
    names: Arc<HashSet<String>>,
    until: Instant,
}

impl Listed {
    /// The names; those of before, or none, where the upstream does not say. `authorization` is the client's own, where it may be sent on.
    pub async fn names(&self, replicas: &Replicas, authorization: Option<HeaderValue>) -> Arc<HashSet<String>> {
        let known = self.known().clone();
        if let Some(Known { names, .. }) = known.as_ref().filter(|known| Instant::now() < known.until) {
            return Arc::clone(names);
        }
        let (names, fresh) = match timeout(PATIENCE, ask(replicas, authorization)).await {
            Ok(Answer::List(names)) => (Arc::new(names), FRESH),
            Ok(Answer::WantsKey) => return known.map(|known| known.names).unwrap_or_default(),
            Ok(Answer::None) | Err(_) => (known.map(|known| known.names).unwrap_or_default(), AGAIN),
        };
        *self.known() = Some(Known {
            names: Arc::clone(&names),
            until: Instant::now() + fresh,
        });
        names
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a server says when it is asked for its models.
enum Answer {
    List(HashSet<String>),
    /// This client may not know. The next one may bring another key.
    WantsKey,
    None,
}

async fn ask(replicas: &Replicas, authorization: Option<HeaderValue>) -> Answer {
    let headers = authorization.map(|own| (AUTHORIZATION, own)).into_iter();
    let request = Forwarded {
        method: Method::GET,
        path: "/models".to_owned(),
        headers: headers.collect::<HeaderMap>(),
        body: Bytes::new(),
        comes_whole: false,
    };
    match replicas.forward(request).await {
        Ok(answer) if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status()) => Answer::WantsKey,
        Ok(answer) if answer.status().is_success() => names_of(answer).await.map_or(Answer::None, Answer::List),
        Ok(_) | Err(_) => Answer::None,
    }
}

/// The names in an answer. `None` where it is too long, breaks off or is no JSON.
async fn names_of(mut answer: reqwest::Response) -> Option<HashSet<String>> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.ok()? {
        body.extend_from_slice(&part);
        if body.len() > MOST {
            return None;
        }
    }
    let list: Value = serde_json::from_slice(&body).ok()?;
    Some(names_in(&list).map(str::to_owned).collect())
}

/// The names in an answer of `/v1/models`.
pub fn names_in(answer: &Value) -> impl Iterator<Item = &str> {
    list(answer).iter().filter_map(|model| model.get("id")?.as_str())
}

/// The models in an answer of `/v1/models`.
pub fn list(answer: &Value) -> &[Value] {
    answer.get("data").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
