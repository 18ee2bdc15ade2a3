//! Serving connections: bounded headers, bounded waiting, and an end that answers get time to reach.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::gate::Connection;

/// Longest head of a request; a private context may be in a header.
const MOST_HEADER_BYTES: usize = 256 << 10;

/// How long a client may take to send a head, and to begin the next on an open connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// Pause after a connection could not be accepted, which is when files run out: an error that comes again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until `shutdown` resolves; answers that are running then get `drain` to end.
///
/// # Errors
/// None at present; what a listener says while it serves passes.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
    drain: Duration,
) -> std::io::Result<()> {
    let graceful = GracefulShutdown::new();
    // Whoever has not ended after the drain time is cut with it.
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let serving = graceful.watch(connection(stream, router.clone()));
                    connections.spawn(async move {
                        if let Err(error) = serving.await {
                            tracing::debug!(%error, "a connection broke");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            // Those that have ended are let go.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            ?drain,
            "answers were still running at the end of the drain time and were cut"
        );
    }
    Ok(())
}

/// What HTTP/1 makes of one connection.
fn connection(stream: TcpStream, router: Router) -> impl GracefulConnection<Error = hyper::Error> + Send {
    // Tokens are small and must leave at once: with Nagle's algorithm each would wait for the acknowledgement of the one
    // before, which the other side delays by 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's algorithm");
    }
    let between = stream
        .peer_addr()
        .and_then(|peer| Ok(Connection::new(peer, stream.local_addr()?)))
        .ok();
    let routes = router
        .into_service()
        .map_request(move |mut request: Request<Incoming>| {
            if let Some(between) = &between {
                request.extensions_mut().insert(between.clone());
            }
            request
        });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MOST_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes))
}
