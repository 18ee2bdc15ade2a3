use std::sync::Arc;

use super::listen::{bind, shutdown};
use super::progress::during;
use super::{CommandError, ServeArguments};
use crate::decode::Report;
use crate::http::{Proxy, router, serve};
use crate::settings::{LogFormat, Variables, load};
use crate::telemetry;

pub async fn run(arguments: ServeArguments) -> Result<(), CommandError> {
    let overrides: Vec<(&str, String)> = arguments
        .listen
        .map(|address| ("server.listen", address.to_string()))
        .into_iter()
        .collect();
    let settings = load(arguments.config.as_deref(), Variables::Read, &overrides)?;
    telemetry::start(&settings.log.filter, settings.log.format == LogFormat::Json)?;
    // From here on everything is counted.
    telemetry::metrics();
    Report::describe();
    // Before the model is loaded: a port in use should not cost half a minute.
    let listener = bind(settings.server.listen, "server.listen").await?;
    let listen = listener.local_addr().map_err(CommandError::Serve)?;
    let proxy = during("loading the local model", Proxy::load(&settings)).await?;
    tracing::info!(
        listen = %listen,
        upstream = %settings.upstream.urls.join(", "),
        local = %settings.local.model,
        "ready"
    );
    // Beside the serving: an upstream that is not up yet keeps nobody waiting.
    let met = Arc::clone(&proxy);
    tokio::spawn(async move { met.meet_upstreams().await });
    let serving = serve(listener, router(proxy), shutdown(), settings.server.drain);
    let metrics = telemetry::metrics();
    tokio::select! {
        served = serving => served.map_err(CommandError::Serve),
        () = metrics.upkeep() => Ok(()),
    }
}
