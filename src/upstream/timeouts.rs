use std::time::Duration;

/// How long to wait for an upstream.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// From sending a request to its first token.
    pub first_token: Duration,
    /// Between two tokens.
    pub idle: Duration,
    /// From sending a request to the first byte of an answer that comes in one piece, when all of it is done.
    pub whole: Duration,
}
