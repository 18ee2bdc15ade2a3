use std::future::pending;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use super::CommandError;
use super::arguments::DemoArguments;
use super::listen::{bind, shutdown};
use super::page::Page;
use super::progress::during;
use super::showcase::showcase;
use crate::http::{App, router, serve};
use crate::local::{EngineOptions, ModelSource, Precision};
use crate::settings::{Settings, Variables, load};
use crate::telemetry;
use crate::testkit::{DemoServer, Pacing};

/// The big half of the pair that comes along.
const LLM: &str = "models/tiny/llm";
/// Requests the demo server runs side by side: one steered, one plain.
const SLOTS: usize = 2;

pub async fn run(arguments: DemoArguments) -> Result<(), CommandError> {
    telemetry::start("warn", false)?;
    let listener = bind(arguments.listen, "--listen").await?;
    let upstream_listener = bind(arguments.upstream_listen, "--upstream-listen").await?;
    // The addresses that were really bound: port 0 means any.
    let listen = listener.local_addr().map_err(CommandError::Serve)?;
    let upstream = upstream_listener.local_addr().map_err(CommandError::Serve)?;
    let settings = demo_settings(listen, upstream)?;

    let server = during("loading the big model", load_upstream(&arguments)).await?;
    let drain = settings.server.drain;
    let serving_upstream = tokio::spawn(serve(upstream_listener, server.router(), pending(), drain));
    let app = during("loading the small model", App::load(&settings)).await?;
    let serving = tokio::spawn(serve(listener, router(Arc::clone(&app)), shutdown(), drain));

    let page = Page::standard_output();
    showcase(&page, app.service(), listen).await?;
    if arguments.once {
        return Ok(());
    }
    invite(listen, upstream).map_err(CommandError::Output)?;
    let served = serving.await;
    serving_upstream.abort();
    // A task that was neither aborted nor panicked always joins.
    served.unwrap_or(Ok(())).map_err(CommandError::Serve)
}

async fn load_upstream(arguments: &DemoArguments) -> Result<Arc<DemoServer>, CommandError> {
    let source = ModelSource::locate("the demo's big model", LLM).await?;
    let options = EngineOptions {
        precision: Precision::F32,
        quantisation: None,
        force_cpu: true,
    };
    let pacing = Pacing::from(&arguments.pacing);
    Ok(DemoServer::load(&source, &options, SLOTS, "tiny-llm", pacing).await?)
}

/// The defaults, pointed at the demo server, with the strength and the floor that suit models this small
/// (training/README.md has the figures), and with candidates enough for every letter of a name.
fn demo_settings(listen: SocketAddr, upstream: SocketAddr) -> Result<Settings, CommandError> {
    let overrides = [
        ("server.listen", listen.to_string()),
        ("upstream.url", format!("http://{upstream}/v1")),
        ("local.model", "models/tiny/slm".to_owned()),
        ("local.device", "cpu".to_owned()),
        ("steering.strength", "1".to_owned()),
        ("steering.delta_floor", "0.0001".to_owned()),
        ("upstream.top_k", "32".to_owned()),
    ];
    Ok(load(None, Variables::Ignore, &overrides)?)
}

fn invite(listen: SocketAddr, upstream: SocketAddr) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "The proxy serves on http://{listen}/v1, the big model on http://{upstream}/v1. See it in a browser at \
         http://{listen}/costeer/, or ask it yourself:\n\n  \
         curl http://{listen}/v1/chat/completions -H 'content-type: application/json' \\\n    \
         -H 'X-CoSteer-Context: I am vegetarian. My dog is called Biscuit.' \\\n    \
         -d '{{\"messages\": [{{\"role\": \"user\", \"content\": \"Please recommend a dinner.\"}}], \
         \"temperature\": 0}}'\n"
    )?;
    if std::io::stdout().is_terminal() {
        writeln!(out, "Ctrl-C ends it.")?;
    }
    out.flush()
}
