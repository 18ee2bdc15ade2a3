use std::sync::Arc;

use super::{StartError, Vocabularies};
use crate::local::{EngineOptions, LlamaOptions, LocalModel, ModelOptions, SlotLimits, start};
use crate::settings::{Device, Settings};

/// Loads the local model.
///
/// # Errors
/// A [`StartError`] naming the setting and the file.
pub async fn load_model(settings: &Settings, vocabularies: &Vocabularies) -> Result<Arc<dyn LocalModel>, StartError> {
    let local = &settings.local;
    let on_cpu = local.device == Device::Cpu;
    let options = ModelOptions {
        engine: local.engine,
        mistral: EngineOptions {
            precision: local.dtype,
            quantisation: local.quantisation.clone(),
            force_cpu: on_cpu,
        },
        llama: LlamaOptions {
            threads: local.threads,
            gpu_layers: if on_cpu { 0 } else { local.gpu_layers },
            kv_type: local.kv_type,
            flash_attention: local.flash_attention,
            batch: local.batch,
            block: local.block,
            window: local.window,
            cache: local.cache_mb.saturating_mul(1_000_000),
        },
        limits: SlotLimits {
            slots: local.slots,
            queue: local.queue,
            queue_timeout: local.queue_timeout,
        },
        stop: vocabularies.local.end(),
        context_length: vocabularies.model_files()?.context_length(),
    };
    Ok(start(&vocabularies.source, &options).await?)
}
