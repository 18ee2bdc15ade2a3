use std::error::Error;
use std::time::Duration;

/// Why the upstream gave no positions.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// No connection, or one that broke before an answer began.
    #[error("the upstream at {url} cannot be reached ({reason}); is it running, and is upstream.url right?")]
    Unreachable {
        /// The address that was tried.
        url: String,
        /// The innermost cause.
        reason: String,
    },
    /// Nothing came for too long.
    #[error("the upstream at {url} sent nothing for {waited:?} ({setting})")]
    TimedOut {
        /// The address that was asked.
        url: String,
        /// How long it was waited for.
        waited: Duration,
        /// The setting that bounds the wait.
        setting: &'static str,
    },
    /// The server refused, with a status or inside a stream that had begun with 200.
    #[error("the upstream refused the request: {message}")]
    Refused {
        /// HTTP status, or the code inside the stream.
        status: u16,
        /// The server's own message.
        message: String,
    },
    /// The answer has no log-probabilities.
    #[error(
        "the upstream's answer holds no logprobs, without which nothing can be steered; vLLM gives them unless it runs \
         with --max-logprobs 0, other servers need the setting that turns logprobs of /v1/completions on"
    )]
    NoLogprobs,
    /// The answer has log-probabilities, but not by token id.
    #[error(
        "the upstream names its candidates by text ({sample:?}) instead of by id; it ignored return_tokens_as_token_ids; \
         start vLLM with --return-tokens-as-token-ids, or update it"
    )]
    NoTokenIds {
        /// One of the names it gave.
        sample: String,
    },
    /// The answer lacks tokens that were asked for by id.
    #[error(
        "the upstream does not give the log-probabilities of tokens by id (it gave {given} of {asked}; vLLM 0.32 takes \
         logprob_token_ids); update it, or set steering.exactness to \"refetch\" or \"certify\""
    )]
    NotTheTokensAskedFor {
        /// Tokens asked for.
        asked: usize,
        /// Tokens of those in the answer.
        given: usize,
    },
    /// The stream ended before the answer did.
    #[error("the upstream's answer was cut short")]
    Cut,
    /// The answer is not what this kind of server sends.
    #[error("the upstream's answer cannot be understood: {0}")]
    Malformed(String),
}

/// reqwest's own message repeats the URL and hides the cause, which is what a person needs.
pub fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
