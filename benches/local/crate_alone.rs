//! What llama-cpp-2 itself needs: both branches' prompts, and then a step of both.
//!
//! It runs in a process of its own, since llama.cpp can be set up once in a process, and the engine has done that.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::Instant;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::token::LlamaToken;
use serde::{Deserialize, Serialize};

use crate::stage::Lengths;
use crate::table::median;

/// Makes this program that process.
pub const FLAG: &str = "--crate-alone";

/// The longest batch.
const BATCH: usize = 512;

/// In milliseconds.
#[derive(Deserialize, Serialize)]
pub struct CrateAlone {
    /// Both prompts.
    pub prompts: f64,
    /// The median step of both branches, each by one token.
    pub step: f64,
}

impl CrateAlone {
    /// Measures prompts of these lengths, and as many steps.
    pub fn measure(model: &Path, lengths: &Lengths, steps: usize) -> Self {
        let numbers = [lengths.public, lengths.private.len(), steps].map(|number| number.to_string());
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.arg(FLAG).arg(model).args(numbers).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The process: a file, and the three numbers.
pub fn run(arguments: &[String]) {
    let [file, numbers @ ..] = arguments else {
        panic!("a file is missing");
    };
    let numbers: Vec<usize> = numbers.iter().map(|number| number.parse().unwrap()).collect();
    let [public, private, steps] = numbers[..] else {
        panic!("three numbers are wanted");
    };
    let mut backend = LlamaBackend::init().unwrap();
    backend.void_logs();
    let model = LlamaModel::load_from_file(&backend, file, &LlamaModelParams::default()).unwrap();
    let threads = i32::try_from(available_parallelism().unwrap().get()).unwrap();
    let window = u32::try_from(public + private + 2 * steps + BATCH).unwrap();
    let parameters = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(window))
        .with_n_batch(BATCH as u32)
        .with_n_ubatch(BATCH as u32)
        .with_n_seq_max(2)
        .with_n_threads(threads)
        .with_n_threads_batch(threads)
        .with_kv_unified(true);
    let mut branches = Branches {
        context: model.new_context(&backend, parameters).unwrap(),
        batch: LlamaBatch::new(BATCH, 1),
        lengths: [0; 2],
    };
    // Reads the file into memory.
    branches.step();
    branches.forget();
    let begun = Instant::now();
    branches.read(0, public);
    branches.read(1, private);
    let prompts = 1e3 * begun.elapsed().as_secs_f64();
    let steps: Vec<f64> = (0..steps).map(|_| branches.step()).collect();
    let alone = CrateAlone {
        prompts,
        step: median(&steps),
    };
    println!("{}", serde_json::to_string(&alone).unwrap());
}

struct Branches<'a> {
    context: LlamaContext<'a>,
    batch: LlamaBatch<'static>,
    lengths: [usize; 2],
}

impl Branches<'_> {
    fn forget(&mut self) {
        self.context.clear_kv_cache();
        self.lengths = [0; 2];
    }

    /// A prompt in batches, with logits after its last token.
    fn read(&mut self, branch: usize, tokens: usize) {
        for from in (0..tokens).step_by(BATCH) {
            self.batch.clear();
            for position in from..tokens.min(from + BATCH) {
                self.add(branch, position + 1 == tokens);
            }
            self.context.decode(&mut self.batch).unwrap();
        }
        black_box(self.context.get_logits_ith(self.batch.n_tokens() - 1));
    }

    /// One token in both branches, and both rows of logits. In milliseconds.
    fn step(&mut self) -> f64 {
        let begun = Instant::now();
        self.batch.clear();
        for branch in 0..2 {
            self.add(branch, true);
        }
        self.context.decode(&mut self.batch).unwrap();
        for row in 0..2 {
            black_box(self.context.get_logits_ith(row));
        }
        1e3 * begun.elapsed().as_secs_f64()
    }

    /// Which token it is does not matter to the time.
    fn add(&mut self, branch: usize, logits: bool) {
        let position = self.lengths[branch];
        let token = LlamaToken(300 + (position * 7919 % 40_000) as i32);
        let added = self.batch.add(token, position as i32, &[branch as i32], logits);
        added.unwrap();
        self.lengths[branch] += 1;
    }
}
