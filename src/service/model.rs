use std::sync::Arc;

use super::{StartError, Vocabularies};
use crate::local::{EngineOptions, LaneLimits, Lanes};
use crate::settings::{Device, Settings};

/// Loads the local model.
///
/// # Errors
/// A [`StartError`] naming the setting and the file.
pub async fn load_lanes(settings: &Settings, vocabularies: &Vocabularies) -> Result<Arc<Lanes>, StartError> {
    let local = &settings.local;
    let model_files = vocabularies.model_files()?;
    let options = EngineOptions {
        precision: local.dtype,
        quantisation: local.quantisation.clone(),
        force_cpu: local.device == Device::Cpu,
    };
    let limits = LaneLimits {
        lanes: local.lanes,
        queue: local.queue,
        patience: local.queue_timeout,
    };
    let lanes = Lanes::load(
        &vocabularies.source,
        &options,
        limits,
        vocabularies.local.end(),
        model_files.context_length(),
    );
    Ok(lanes.await?)
}
