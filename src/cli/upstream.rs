use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::CommandError;
use super::arguments::{ServedArguments, UpstreamArguments};
use super::listen::{bind, shutdown};
use super::progress::during;
use crate::http::serve;
use crate::local::{EngineOptions, LocalError, ModelSource};
use crate::telemetry;
use crate::testkit::{DemoServer, Pacing};

/// Time for running answers to end.
const DRAIN: Duration = Duration::from_secs(2);

pub async fn run(arguments: UpstreamArguments) -> Result<(), CommandError> {
    telemetry::start("info,mistralrs_core=warn,mistralrs_quant=warn", false)?;
    let listener = bind(arguments.listen, "--listen").await?;
    let listen = listener.local_addr().map_err(CommandError::Serve)?;
    let source = ModelSource::locate("--model", &arguments.model).await?;
    let name = arguments.name.unwrap_or_else(|| name_of(&arguments.model));
    let big = BigModel {
        source: &source,
        name: &name,
        slots: arguments.slots.into(),
        force_cpu: false,
    };
    let server = during("loading the model", big.load(&arguments.served)).await?;
    if let Some(thought) = &arguments.thought {
        let thinking = server.think(thought);
        thinking.map_err(|error| LocalError::Source {
            setting: "--thought",
            value: thought.clone(),
            reason: error.to_string(),
        })?;
    }
    tracing::info!(listen = %listen, model = %name, "ready");
    serve(listener, server.router(), shutdown(), DRAIN)
        .await
        .map_err(CommandError::Serve)
}

/// A model that a command serves in vLLM's dialect.
pub struct BigModel<'a> {
    pub source: &'a ModelSource,
    /// What it is served under.
    pub name: &'a str,
    /// Requests that run side by side.
    pub slots: usize,
    /// Stay on the CPU even where an accelerator was compiled in.
    pub force_cpu: bool,
}

impl BigModel<'_> {
    /// Loads it.
    ///
    /// # Errors
    /// A [`LocalError`] naming the flag and the file.
    pub async fn load(&self, arguments: &ServedArguments) -> Result<Arc<DemoServer>, LocalError> {
        let options = EngineOptions {
            precision: arguments.dtype.into(),
            quantisation: None,
            force_cpu: self.force_cpu,
        };
        DemoServer::load(self.source, &options, self.slots, self.name, Pacing::from(arguments)).await
    }
}

/// What `model` is served under where nobody says: the last part of where it lies.
pub fn name_of(model: &str) -> String {
    let last = Path::new(model).file_name();
    last.map_or_else(|| model.to_owned(), |name| name.to_string_lossy().into_owned())
}
