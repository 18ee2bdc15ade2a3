use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::CommandError;
use super::arguments::ServeArguments;
use super::listen::{bind, shutdown};
use super::progress::during;
use crate::decode::Report;
use crate::http::{App, describe_metrics, metrics_router, router, serve};
use crate::settings::{LogFormat, Variables, exposures, found_file, load};
use crate::telemetry;

pub async fn run(arguments: ServeArguments) -> Result<(), CommandError> {
    let overrides: Vec<(&str, String)> = arguments
        .listen
        .map(|address| ("server.listen", address.to_string()))
        .into_iter()
        .collect();
    let file = found_file(arguments.config.as_deref());
    let settings = load(file.as_deref(), Variables::Read, &overrides)?;
    telemetry::start(&settings.log.filter, settings.log.format == LogFormat::Json)?;
    // From here on everything is counted.
    telemetry::metrics();
    Report::describe();
    describe_metrics();
    // Before the model is loaded: a port in use should not cost half a minute.
    let listener = bind(settings.server.listen, "server.listen").await?;
    let listen = listener.local_addr().map_err(CommandError::Serve)?;
    let loading = during("loading the local model", App::load(&settings));
    let app = tokio::select! {
        loaded = loading => loaded?,
        // Nobody should have to wait for a model in order to stop.
        () = shutdown() => return Ok(()),
    };
    tracing::info!(
        listen = %listen,
        upstream = %settings.upstream.urls.join(", "),
        local = %settings.local.model,
        config = %file.map_or_else(|| "none".to_owned(), |file| file.display().to_string()),
        "ready"
    );
    for renamed in &settings.renamed {
        tracing::warn!("{renamed}");
    }
    for exposure in exposures(&settings) {
        tracing::warn!("{exposure}");
    }
    let metrics_listener = match settings.server.metrics_listen {
        Some(address) => Some(bind(address, "server.metrics_listen").await?),
        None => None,
    };
    let (draining, watching) = (Arc::clone(&app), Arc::clone(&app));
    let ending = async move {
        shutdown().await;
        draining.drain();
    };
    let serving = serve(listener, router(app), ending, settings.server.drain);
    let metrics = telemetry::metrics();
    let served = tokio::select! {
        served = serving => served.map_err(CommandError::Serve),
        () = metrics.upkeep() => Ok(()),
        // Beside the serving: an upstream that is not up yet keeps nobody waiting. One that has the wrong vocabulary ends it.
        watched = watching.service().watch_upstreams() => watched.map_err(CommandError::Start),
        served = serve_metrics(metrics_listener, Arc::clone(&watching)) => served.map_err(CommandError::Serve),
    };
    #[cfg(feature = "otel")]
    telemetry::finish().await;
    served
}

/// The metrics on a listener of their own, if there is one. Ends with the process.
async fn serve_metrics(listener: Option<TcpListener>, app: Arc<App>) -> std::io::Result<()> {
    let Some(listener) = listener else {
        return pending().await;
    };
    let is_loopback = listener.local_addr()?.ip().is_loopback();
    let metrics = metrics_router(Some(app).filter(|_| is_loopback));
    serve(listener, metrics, pending(), Duration::ZERO).await
}
