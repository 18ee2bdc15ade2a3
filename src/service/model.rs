use std::sync::Arc;

use super::{StartError, Vocabularies};
use crate::local::{EngineOptions, SlotLimits, SlotPool};
use crate::settings::{Device, Settings};

/// Loads the local model.
///
/// # Errors
/// A [`StartError`] naming the setting and the file.
pub async fn load_slots(settings: &Settings, vocabularies: &Vocabularies) -> Result<Arc<SlotPool>, StartError> {
    let local = &settings.local;
    let model_files = vocabularies.model_files()?;
    let options = EngineOptions {
        precision: local.dtype,
        quantisation: local.quantisation.clone(),
        force_cpu: local.device == Device::Cpu,
    };
    let limits = SlotLimits {
        slots: local.slots,
        queue: local.queue,
        queue_timeout: local.queue_timeout,
    };
    let slots = SlotPool::load(
        &vocabularies.source,
        &options,
        limits,
        vocabularies.local.end(),
        model_files.context_length(),
    );
    Ok(slots.await?)
}
