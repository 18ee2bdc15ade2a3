use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;

use crate::foreign;

/// What an upstream did wrong, and which.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the upstream at {url} {problem}")]
pub struct UpstreamError {
    /// Its base address.
    pub url: Arc<str>,
    /// What happened.
    #[source]
    pub problem: Problem,
}

/// Why an upstream gave no positions. The texts go on from "the upstream at http://…".
#[derive(Clone, Debug, thiserror::Error)]
pub enum Problem {
    /// No connection, or one that broke before an answer began.
    #[error("cannot be reached ({}); is it running, and is upstream.url right?", foreign::line(.reason))]
    Unreachable {
        /// The innermost cause.
        reason: String,
    },
    /// The connection broke before an answer began, and the request may have arrived.
    #[error("closed the connection without an answer ({}); it may have acted on the request, so it was not sent again", foreign::line(.reason))]
    Unanswered {
        /// The innermost cause.
        reason: String,
    },
    /// Nothing came for too long.
    #[error("sent nothing for {waited:?} ({setting})")]
    TimedOut {
        /// How long it was waited for.
        waited: Duration,
        /// The setting that bounds the wait.
        setting: &'static str,
    },
    /// The server refused, with a status or inside a stream that had begun with 200.
    #[error("refused the request: {} (status {status})", foreign::line(.message))]
    Refused {
        /// HTTP status, or the code inside the stream.
        status: u16,
        /// The server's own message.
        message: String,
        /// The server's `Retry-After` (RFC 9110, section 10.2.3).
        retry_after: Option<HeaderValue>,
    },
    /// The answer has no log-probabilities.
    #[error(
        "gave an answer without logprobs, and without them nothing can be steered; vLLM gives them unless it runs with \
         --max-logprobs 0, other servers need the setting that turns logprobs on"
    )]
    NoLogprobs,
    /// The answer has log-probabilities, but not by token id.
    #[error(
        "names its candidates by text ({sample:?}) instead of by id: it ignored return_tokens_as_token_ids; start vLLM \
         with --return-tokens-as-token-ids, update it, or set upstream.driver to what the server is"
    )]
    NoTokenIds {
        /// One of the names it gave.
        sample: String,
    },
    /// The answer lacks tokens that were asked for by id.
    #[error(
        "does not give the log-probabilities of tokens by id (it gave {given} of {asked}; vLLM 0.32 takes \
         logprob_token_ids); update it, or set steering.exactness to \"refetch\" or \"certify\""
    )]
    NotTheTokensAskedFor {
        /// Tokens asked for.
        asked: usize,
        /// Tokens of those in the answer.
        given: usize,
    },
    /// The list is shorter than it should be, and what is missing matters.
    #[error(
        "listed {given} candidates and was asked for {asked}; set upstream.top_k to what it gives, or raise its limit"
    )]
    TooFewCandidates {
        /// Entries asked for.
        asked: usize,
        /// Entries in the list.
        given: usize,
    },
    /// The server came back with another model than the one the session began with.
    #[error(
        "serves another model than before ({}, it was {}); restart the proxy when the model is meant to change",
        foreign::line(.now),
        foreign::line(.before)
    )]
    AnotherModel {
        /// What it served when it was first asked.
        before: String,
        /// What it serves now.
        now: String,
    },
    /// Its ids do not stand for what `upstream.tokenizer` says, or the local model's tokenizer where that says nothing.
    #[error(
        "has another vocabulary than {ours}: {difference}; set upstream.tokenizer to the tokenizer of {}, in the revision that is \
         served (a directory, GGUF file or hub id)",
        foreign::line(.served)
    )]
    OtherVocabulary {
        /// The model whose tokenizer is needed.
        served: String,
        /// What it was compared with.
        ours: &'static str,
        /// What differs.
        difference: String,
    },
    /// The server cannot do what steering needs.
    #[error("cannot be used: {}", foreign::line(.reason))]
    Unusable {
        /// Why, and what to do.
        reason: String,
    },
    /// The stream ended before the answer did.
    #[error("cut its answer short")]
    Cut,
    /// The answer is not what this kind of server sends.
    #[error("gave an answer that cannot be understood: {}", foreign::line(.0))]
    Malformed(String),
}

impl Problem {
    /// The problem of the upstream at `url`.
    pub fn at(self, url: &Arc<str>) -> UpstreamError {
        UpstreamError {
            url: Arc::clone(url),
            problem: self,
        }
    }

    /// Whether the server has no such route, or not for this method.
    pub fn is_no_such_route(&self) -> bool {
        matches!(self, Self::Refused { status: 404 | 405, .. })
    }

    /// Whether the request cannot have arrived.
    pub fn has_not_arrived(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Whether it says that the server is unhealthy, whoever asks for what.
    pub fn is_of_the_server(&self) -> bool {
        self.may_pass() || matches!(self, Self::Unanswered { .. })
    }

    /// Whether it is about the server's state and not about the request. Another replica may answer the same request, or this one
    /// later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Cut | Self::AnotherModel { .. } => true,
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }
}

/// The first cause of an error, in words. reqwest's own message repeats the URL and hides the cause.
pub fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
