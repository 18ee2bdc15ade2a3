use llama_cpp_2::model::LlamaModel;

use crate::local::llama_memory::{TILE, WINDOW, cells, sequences_for};
use crate::local::llama_options::LlamaOptions;
use crate::local::machine::free_memory;
use crate::local::worker::{RunLength, Shape};

/// llama.cpp's own bound.
const MOST_SEQUENCES: usize = 256;

/// What a context for `slots` sessions looks like.
///
/// # Errors
/// Which setting asks for too much, and what there is.
pub fn plan(model: &LlamaModel, options: &LlamaOptions, slots: usize) -> Result<Shape, String> {
    let trained = model.n_ctx_train() as usize;
    let length = match options.window {
        Some(window) if window > trained => {
            return Err(format!(
                "local.window is {window}, and the model was made for {trained} tokens"
            ));
        }
        Some(window) => window,
        None => trained.min(WINDOW),
    };
    let token_bytes = token_bytes(model, options);
    let sequence = token_bytes * cells(length);
    let sequences = sequences_for(slots, options.cache, sequence);
    if sequences > MOST_SEQUENCES {
        return Err(format!(
            "local.slots is {slots}, and the engine holds {} sessions at most",
            (MOST_SEQUENCES - 1) / 2
        ));
    }
    let memory = sequence * sequences;
    if let Some(free) = free_memory().filter(|free| memory as u64 > *free) {
        return Err(format!(
            "{sequences} sequences of {length} tokens take {} MB, and {} MB are free; lower local.window, local.slots or \
             local.cache_mb",
            memory / 1_000_000,
            free / 1_000_000
        ));
    }
    let goes_back = !(model.is_recurrent() || model.is_hybrid());
    let flash = options.flash_attention;
    let least = match (goes_back, flash) {
        // Nothing could be filled up where there is no way back.
        (false, _) => RunLength { prompt: 1, answer: 1 },
        // The two branches of a pair are never computed apart, so that no token is alone.
        (true, true) => RunLength {
            prompt: TILE,
            answer: 1,
        },
        (true, false) => RunLength { prompt: 2, answer: 2 },
    };
    Ok(Shape {
        sequences,
        length,
        batch: options.batch,
        least,
        most_answer: if flash { TILE - 1 } else { options.batch },
        rolls_back: goes_back,
        token_bytes,
    })
}

/// Bytes of the keys and values of one token, in all layers.
fn token_bytes(model: &LlamaModel, options: &LlamaOptions) -> usize {
    let heads = model.n_head().max(1);
    let width = usize::try_from(model.n_embd()).unwrap_or(0) / heads as usize;
    let architecture = model.meta_val_str("general.architecture").unwrap_or_default();
    let written = |name: &str| {
        let value = model.meta_val_str(&format!("{architecture}.attention.{name}")).ok()?;
        value.parse::<usize>().ok()
    };
    let each = written("key_length").unwrap_or(width) + written("value_length").unwrap_or(width);
    let numbers = each * model.n_head_kv() as usize * model.n_layer() as usize;
    (numbers as f64 * options.kv_type.bytes()) as usize
}
