//! What a small model takes on this machine, before it has run here. Doctor measures it afterwards.

use crate::local::{WINDOW, cores, memory_of};

/// What was measured of SmolLM2-135M on two cores (benches/README.md, docs/src/guide/models.md); other models and machines are taken to be in
/// proportion to parameters and cores.
const MEASURED_MILLIONS: f64 = 135.0;
const MEASURED_CORES: f64 = 2.0;
const LLAMACPP: Pace = Pace {
    prompt: 490.0,
    token: 12.7,
};
/// In blocks of 8 bits; in 32 bits, which is the default for the smallest, it takes about twice as long.
const MISTRALRS: Pace = Pace {
    prompt: 174.0,
    token: 35.0,
};
const MISTRALRS_F32: Pace = Pace {
    prompt: 174.0,
    token: 71.7,
};
/// More cores than this wait for the memory.
const MOST_CORES: usize = 8;
/// `local.cache_mb` by default, in bytes.
const CACHE: usize = 256_000_000;

#[derive(Clone, Copy)]
struct Pace {
    /// Tokens of a prompt in a second.
    prompt: f64,
    /// Milliseconds of a token, both branches.
    token: f64,
}

/// Which engine runs the model, and with which numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// llama.cpp, with a GGUF file's numbers.
    LlamaCpp,
    /// mistral.rs, with a GGUF file's numbers.
    MistralGguf,
    /// mistral.rs, quantised to 8 bits while loading.
    MistralQ8,
    /// mistral.rs in 32 bits.
    MistralF32,
}

/// What it takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Bytes of memory with one slot.
    pub memory: u64,
    /// Tokens of a prompt in a second.
    pub prompt_rate: f64,
    /// Milliseconds of the small model's for each token of an answer.
    pub token_ms: f64,
}

impl Estimate {
    /// Of a model with so many millions of parameters, `bytes` on disk and `numbers` kept of each token.
    pub fn new(engine: Engine, millions: u64, bytes: u64, numbers: usize, context_length: Option<usize>) -> Self {
        let parameters = millions * 1_000_000;
        let memory = match engine {
            Engine::LlamaCpp => {
                let length = context_length.unwrap_or(WINDOW).min(WINDOW);
                bytes + memory_of(1, CACHE, 2 * numbers, length) as u64
            }
            // Both branches of a slot have an engine of their own.
            Engine::MistralGguf => 2 * bytes,
            Engine::MistralQ8 => 2 * parameters * 17 / 16,
            Engine::MistralF32 => 2 * parameters * 4,
        };
        let pace = match engine {
            Engine::LlamaCpp => LLAMACPP,
            Engine::MistralF32 => MISTRALRS_F32,
            Engine::MistralGguf | Engine::MistralQ8 => MISTRALRS,
        };
        let slower = millions.max(1) as f64 / MEASURED_MILLIONS;
        let faster = cores().min(MOST_CORES) as f64 / MEASURED_CORES;
        Self {
            memory,
            prompt_rate: pace.prompt * faster / slower,
            token_ms: pace.token * slower / faster,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_billion_parameters_take_what_the_book_says() {
        let estimate = Estimate::new(Engine::MistralF32, 494, 988_000_000, 6144, None);
        assert!((3.9e9..4.1e9).contains(&(estimate.memory as f64)));
    }

    #[test]
    fn more_parameters_take_longer_and_more() {
        for engine in [
            Engine::LlamaCpp,
            Engine::MistralGguf,
            Engine::MistralQ8,
            Engine::MistralF32,
        ] {
            let of = |millions: u64| Estimate::new(engine, millions, millions * 2_000_000, 10_000, Some(2048));
            let (small, large) = (of(135), of(1236));
            assert!(small.memory < large.memory && small.token_ms < large.token_ms);
            assert!(small.prompt_rate > large.prompt_rate);
        }
    }
}
