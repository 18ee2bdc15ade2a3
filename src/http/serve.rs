//! Serving connections: bounded headers, bounded patience, and an end that answers get time to reach.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::gate::Connection;

/// Longest head of a request; a private context may be in a header.
const MOST_HEADER_BYTES: usize = 256 << 10;

/// How long a client may take to send a head, and to begin the next on an open connection.
const HEADER_PATIENCE: Duration = Duration::from_secs(30);

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
    let (end, ending) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), ending.clone()));
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
    // Everybody listens who is still connected; where nobody is, nobody needs to know.
    let _nobody = end.send(true);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(drain, all_ended).await.is_err() {
        tracing::warn!(
            ?drain,
            "answers were still running at the end of the drain time and were cut"
        );
    }
    Ok(())
}

async fn connection(stream: TcpStream, router: Router, mut ending: watch::Receiver<bool>) {
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
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_PATIENCE)
        .max_buf_size(MOST_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    let mut serving = pin!(serving);
    let told_to_end = async { ending.wait_for(|ending| *ending).await.is_ok() };
    let ended = tokio::select! {
        ended = serving.as_mut() => Some(ended),
        _ = told_to_end => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            // Ends after the answer that is running.
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
