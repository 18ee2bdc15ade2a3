use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, OnceLock, mpsc};

use llama_cpp_2::context::params::{KvCacheType, LlamaContextParams};
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::{LogOptions, send_logs_to_tracing};
use tokio::sync::oneshot;

use super::backend::LlamaCpp;
use super::plan::plan;
use crate::local::llama_memory::cells;
use crate::local::llama_options::{KvType, LlamaOptions};
use crate::local::worker::{Backend, Bounds, Command, Shape, Worker, WorkerModel};
use crate::local::{LocalError, ModelSource, SlotLimits};

/// What a thread says once it has loaded its model.
struct Loaded {
    shape: Shape,
    description: String,
}

/// Loads a GGUF file into a thread of its own.
///
/// # Errors
/// [`LocalError::Load`] naming the setting and what is wrong with the file or the options.
pub async fn load(
    source: &ModelSource,
    options: &LlamaOptions,
    limits: SlotLimits,
) -> Result<Arc<WorkerModel>, LocalError> {
    let failed = |reason: String| LocalError::Load {
        setting: source.setting(),
        value: source.written().to_owned(),
        reason,
    };
    let file = source
        .gguf()
        .ok_or_else(|| failed("llama.cpp runs GGUF files only".into()))?;
    let path = source.folder().join(file);
    let (commands, received) = mpsc::channel();
    let (ready, loaded) = oneshot::channel();
    let (own, slots) = (options.clone(), limits.slots);
    let thread = std::thread::Builder::new().name("local-model".into());
    let thread = thread.spawn(move || serve(&path, &own, slots, &received, ready));
    thread.map_err(|error| failed(error.to_string()))?;
    let loaded = loaded
        .await
        .map_err(|_| failed("its thread ended while it loaded".into()))?;
    let Loaded { shape, description } = loaded.map_err(failed)?;
    let bounds = Bounds {
        limits,
        window: shape.length,
        max_block: if shape.rolls_back { options.block } else { 1 },
    };
    Ok(Arc::new(WorkerModel::new(commands, bounds, description)))
}

/// Loads the model, says so, and computes until nobody can ask any longer.
fn serve(
    path: &Path,
    options: &LlamaOptions,
    slots: usize,
    commands: &mpsc::Receiver<Command>,
    ready: oneshot::Sender<Result<Loaded, String>>,
) {
    let model = match model(path, options) {
        Ok(model) => model,
        Err(reason) => {
            let _unheard = ready.send(Err(reason));
            return;
        }
    };
    let opened = plan(&model, options, slots).and_then(|shape| {
        let context = model.new_context(engine()?, parameters(&shape, options));
        let context =
            context.map_err(|error| format!("its memory could not be set up ({error}); the log may say more"))?;
        Ok(LlamaCpp::new(context, shape))
    });
    let mut backend = match opened {
        Ok(backend) => backend,
        Err(reason) => {
            let _unheard = ready.send(Err(reason));
            return;
        }
    };
    let shape = backend.shape();
    let memory = shape.token_bytes * cells(shape.length) * shape.sequences;
    let description = format!(
        "llama.cpp, {} threads, {} positions a pass, {} sequences of {} tokens in {} MB",
        threads(options),
        options.block,
        shape.sequences,
        shape.length,
        memory / 1_000_000
    );
    if ready.send(Ok(Loaded { shape, description })).is_err() {
        return;
    }
    Worker::new(&mut backend, options.cache).run(commands);
}

fn model(path: &Path, options: &LlamaOptions) -> Result<LlamaModel, String> {
    let parameters = LlamaModelParams::default().with_n_gpu_layers(options.gpu_layers);
    let loaded = LlamaModel::load_from_file(engine()?, path, &parameters);
    loaded.map_err(|error| {
        format!(
            "llama.cpp cannot read it ({error}): it is cut short, or of an architecture that this version does not know; \
             log.filter = \"warn\" shows its own words"
        )
    })
}

fn parameters(shape: &Shape, options: &LlamaOptions) -> LlamaContextParams {
    let whole = cells(shape.length) * shape.sequences;
    let batch = count(options.batch);
    let kv_type = match options.kv_type {
        KvType::F32 => KvCacheType::F32,
        KvType::F16 => KvCacheType::F16,
        KvType::Q8 => KvCacheType::Q8_0,
    };
    let threads = i32::try_from(threads(options)).unwrap_or(i32::MAX);
    LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(count(whole)))
        .with_n_seq_max(count(shape.sequences))
        .with_kv_unified(false)
        .with_n_batch(batch)
        .with_n_ubatch(batch)
        .with_n_threads(threads)
        .with_n_threads_batch(threads)
        .with_type_k(kv_type)
        .with_type_v(kv_type)
        .with_flash_attention_policy(i32::from(options.flash_attention))
        // All of a sequence stays, so that it can be cut anywhere.
        .with_swa_full(true)
}

fn threads(options: &LlamaOptions) -> usize {
    // A container may be given fewer than the machine has.
    let cores = || num_cpus::get_physical().min(num_cpus::get());
    options.threads.unwrap_or_else(cores).max(1)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// llama.cpp is set up once a process. Its words go to the log.
fn engine() -> Result<&'static LlamaBackend, String> {
    static ENGINE: OnceLock<Result<LlamaBackend, String>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| {
        send_logs_to_tracing(LogOptions::default());
        LlamaBackend::init().map_err(|error| error.to_string())
    });
    engine.as_ref().map_err(Clone::clone)
}
