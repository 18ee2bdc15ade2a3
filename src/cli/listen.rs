use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::CommandError;

/// Binds `address`, which came from `setting`.
///
/// # Errors
/// [`CommandError::Listen`] naming both.
pub async fn bind(address: SocketAddr, setting: &'static str) -> Result<TcpListener, CommandError> {
    TcpListener::bind(address).await.map_err(|source| CommandError::Listen {
        address,
        setting,
        source,
    })
}

/// Resolves on Ctrl-C, and on SIGTERM where there is one.
pub async fn shutdown() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // Without the handler SIGTERM simply ends the process, as it would by default.
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
