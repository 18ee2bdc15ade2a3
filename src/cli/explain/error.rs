use std::io;

/// Why an answer could not be explained. Nothing of the answer is quoted.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The file, or standard input.
    #[error("the answer cannot be read: {0}")]
    Input(io::Error),
    /// Neither an answer nor a trace.
    #[error(
        "this is no answer with a trace (line {line}, column {column}); pipe the body of a response in, or name its file"
    )]
    NotATrace {
        /// Counted from 1.
        line: usize,
        /// Likewise.
        column: usize,
    },
    /// An answer without one.
    #[error(
        "the answer has no trace: ask for it with \"costeer\": {{\"trace\": true}} in the body or X-CoSteer-Trace: 1, and for \
         something steered"
    )]
    NoTrace,
    /// What the proxy said in its place.
    #[error("the answer is an error: {0}")]
    Answer(String),
    /// The terminal or pipe is gone.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
}
