use crate::local::LocalError;

/// Runs what computes for long, such as cutting long texts into tokens, where it keeps nobody else waiting.
///
/// # Errors
/// What `work` says.
pub async fn apart<T: Send + 'static, E: From<LocalError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let done = tokio::task::spawn_blocking(work).await;
    // Only where the process is ending, or the work has panicked.
    done.unwrap_or_else(|_| Err(LocalError::Engine("the work on the request broke off".into()).into()))
}
