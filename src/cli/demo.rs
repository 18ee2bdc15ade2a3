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
use super::upstream::{BigModel, name_of};
use crate::http::{App, router, serve};
use crate::local::{LocalError, ModelSource};
use crate::service::StartError;
use crate::settings::{Settings, Variables, load};
use crate::telemetry;
use crate::testkit::DemoServer;

/// The pair that comes along.
pub const LLM: &str = "models/tiny/llm";
const SLM: &str = "models/tiny/slm";
/// The strength and the floor that suit models as small as the pair that comes along (training/README.md has the figures), and candidates enough
/// for every letter of a name.
pub const SHIPPED_PAIR: [(&str, &str); 3] = [
    ("steering.strength", "1"),
    ("steering.delta_floor", "0.0001"),
    ("upstream.top_k", "32"),
];
/// What messages call the small model by where the flag names it.
const LOCAL: &str = "--local";
/// Requests the demo server runs side by side: one steered, one plain.
const SLOTS: usize = 2;

pub async fn run(arguments: DemoArguments) -> Result<(), CommandError> {
    telemetry::start("warn", false)?;
    let listener = bind(arguments.listen, "--listen").await?;
    let upstream_listener = bind(arguments.upstream_listen, "--upstream-listen").await?;
    // The addresses that were really bound: port 0 means any.
    let listen = listener.local_addr().map_err(CommandError::Serve)?;
    let upstream = upstream_listener.local_addr().map_err(CommandError::Serve)?;
    if let Some(model) = &arguments.local {
        // Before the big model, which may take minutes.
        during("finding the small model", ModelSource::locate(LOCAL, model)).await?;
    }
    let source = during("finding the big model", locate_upstream(&arguments)).await?;
    let settings = demo_settings(listen, upstream, &arguments, &source)?;

    let server = during("loading the big model", load_upstream(&arguments, &source)).await?;
    let drain = settings.server.drain;
    let serving_upstream = tokio::spawn(serve(upstream_listener, server.router(), pending(), drain));
    let app = during("loading the small model", App::load(&settings)).await;
    let app = app.map_err(|error| named_by_flag(error, &arguments))?;
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

async fn locate_upstream(arguments: &DemoArguments) -> Result<ModelSource, LocalError> {
    match &arguments.upstream_model {
        Some(model) => ModelSource::locate("--upstream-model", model).await,
        None => ModelSource::locate("the demo's big model", LLM).await,
    }
}

async fn load_upstream(arguments: &DemoArguments, source: &ModelSource) -> Result<Arc<DemoServer>, LocalError> {
    let given = arguments.upstream_model.as_deref();
    let name = given.map_or_else(|| "tiny-llm".to_owned(), name_of);
    let big = BigModel {
        source,
        name: &name,
        slots: SLOTS,
        // An accelerator does not pay for the one that comes along.
        force_cpu: given.is_none(),
    };
    big.load(&arguments.served).await
}

/// The defaults, pointed at the demo server and the small model, and for the pair that comes along what suits it.
fn demo_settings(
    listen: SocketAddr,
    upstream: SocketAddr,
    arguments: &DemoArguments,
    source: &ModelSource,
) -> Result<Settings, CommandError> {
    let local = arguments.local.as_deref();
    let mut overrides = vec![
        ("server.listen", listen.to_string()),
        ("upstream.url", format!("http://{upstream}/v1")),
        // The two models may have different vocabularies and chat templates.
        ("upstream.tokenizer", source.tokenizer().to_string_lossy().into_owned()),
        ("local.model", local.unwrap_or(SLM).to_owned()),
    ];
    if local.is_none() {
        overrides.push(("local.device", "cpu".to_owned()));
    }
    if local.is_none() && arguments.upstream_model.is_none() {
        overrides.extend(SHIPPED_PAIR.map(|(key, value)| (key, value.to_owned())));
    }
    let mut settings = load(None, Variables::Ignore, &overrides)?;
    settings.local.dtype = arguments.served.dtype.into();
    Ok(settings)
}

/// The same error with the flag in it where it names the setting that the flag stands for.
fn named_by_flag(error: StartError, arguments: &DemoArguments) -> StartError {
    if arguments.local.is_none() {
        return error;
    }
    let flag = |setting| if setting == "local.model" { LOCAL } else { setting };
    match error {
        StartError::Local(LocalError::Source { setting, value, reason }) => StartError::Local(LocalError::Source {
            setting: flag(setting),
            value,
            reason,
        }),
        StartError::Local(LocalError::Load { setting, value, reason }) => StartError::Local(LocalError::Load {
            setting: flag(setting),
            value,
            reason,
        }),
        StartError::Vocabulary { setting, source } => StartError::Vocabulary {
            setting: flag(setting),
            source,
        },
        other => other,
    }
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
