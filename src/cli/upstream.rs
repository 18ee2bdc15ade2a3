use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::CommandError;
use super::arguments::UpstreamArguments;
use super::listen::{bind, shutdown};
use super::progress::during;
use crate::http::serve;
use crate::local::{EngineOptions, ModelSource};
use crate::telemetry;
use crate::testkit::{DemoServer, Pacing};

/// Time for running answers to end.
const DRAIN: Duration = Duration::from_secs(2);

pub async fn run(arguments: UpstreamArguments) -> Result<(), CommandError> {
    telemetry::start("info,mistralrs_core=warn,mistralrs_quant=warn", false)?;
    let listener = bind(arguments.listen, "--listen").await?;
    let listen = listener.local_addr().map_err(CommandError::Serve)?;
    let source = ModelSource::locate("--model", &arguments.model).await?;
    let options = EngineOptions {
        precision: arguments.dtype.into(),
        quantisation: None,
        force_cpu: false,
    };
    let last_part = Path::new(&arguments.model).file_name();
    let name = arguments
        .name
        .or_else(|| last_part.map(|name| name.to_string_lossy().into_owned()))
        .unwrap_or_else(|| arguments.model.clone());
    let pacing = Pacing::from(&arguments.pacing);
    let loading = DemoServer::load(&source, &options, arguments.slots.into(), &name, pacing);
    let server: Arc<DemoServer> = during("loading the model", loading).await?;
    tracing::info!(listen = %listen, model = %name, "ready");
    serve(listener, server.router(), shutdown(), DRAIN)
        .await
        .map_err(CommandError::Serve)
}
