use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::HeaderValue;

use super::health::Health;
use super::{Problem, Server, UpstreamError};

/// One of several servers, and whether it is healthy.
pub struct Replica {
    pub server: Server,
    pub health: Health,
}

impl Replica {
    /// A server that has not been asked.
    pub fn new(server: Server) -> Self {
        Self {
            server,
            health: Health::default(),
        }
    }

    /// It gave an answer of use.
    pub fn worked(&self) {
        self.health.worked();
    }

    /// It answered a request that was passed on.
    pub fn answered(&self, status: StatusCode) {
        match status.as_u16() {
            401 | 403 => self.health.wanted_a_key(),
            // Something in between may say so, or a server that is about to fail.
            429 | 500.. => {}
            _ => self.health.worked(),
        }
    }

    /// It gave no answer of use to a request with a client's own key, or with the configured one or none. What is about a client's key
    /// says nothing to others. Gives the pause that it asked for.
    pub fn failed(&self, error: &UpstreamError, has_clients_key: bool) -> Option<Duration> {
        let problem = &error.problem;
        let (status, pause) = match problem {
            Problem::Refused {
                status, retry_after, ..
            } => (*status, retry_after.as_ref().and_then(wanted)),
            _ => (0, None),
        };
        if matches!(status, 401 | 403) {
            self.health.wanted_a_key();
        } else if problem.is_of_the_server() && !(status == 429 && has_clients_key) {
            tracing::warn!(%error, "an upstream failed");
            self.health.failed(pause);
            self.server.suspect();
        }
        pause
    }
}

/// How long a `Retry-After` means, in seconds or until a date (RFC 9110, section 10.2.3).
fn wanted(retry_after: &HeaderValue) -> Option<Duration> {
    let text = retry_after.to_str().ok()?.trim();
    let until = |date: SystemTime| date.duration_since(SystemTime::now()).unwrap_or_default();
    let seconds = text.parse().ok().map(Duration::from_secs);
    seconds.or_else(|| httpdate::parse_http_date(text).ok().map(until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_read_in_both_forms() {
        let pause = |text: &str| wanted(&HeaderValue::from_str(text).unwrap());
        assert_eq!(pause(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(pause("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
        assert!(pause(&date).is_some_and(|pause| pause > Duration::from_secs(50)));
        assert_eq!(pause("soon"), None);
    }
}
