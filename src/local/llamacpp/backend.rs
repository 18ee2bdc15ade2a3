use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;

use crate::local::worker::{Backend, Kind, Pass, Run, SequenceId, Shape};
use crate::vocabulary::TokenId;

/// A llama.cpp context whose sequences have a memory each.
///
/// On a CPU its promise holds bit by bit. Flash attention has one kernel for less than 64 tokens of a sequence and one for more.
/// Without it, two tokens and more are computed alike. A lone token, of one sequence, has kernels of its own everywhere. In one
/// memory for all sequences nothing would hold: sums run over the cells in the order in which they were filled.
pub struct LlamaCpp<'a> {
    context: LlamaContext<'a>,
    batch: LlamaBatch<'static>,
    shape: Shape,
}

impl<'a> LlamaCpp<'a> {
    /// Of a context that was made for this shape.
    pub fn new(context: LlamaContext<'a>, shape: Shape) -> Self {
        Self {
            context,
            batch: LlamaBatch::new(shape.batch, 1),
            shape,
        }
    }

    fn add(&mut self, run: &Run) -> Result<(), String> {
        let sequence = number(run.sequence.0)?;
        for (offset, token) in run.tokens.iter().enumerate() {
            let (token, position) = (LlamaToken(number(token.index())?), number(run.start + offset)?);
            let added = self.batch.add(token, position, &[sequence], run.rows.contains(&offset));
            added.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

impl Backend for LlamaCpp<'_> {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn forward(&mut self, pass: &Pass) -> Result<Vec<Vec<f32>>, String> {
        self.batch.clear();
        for run in &pass.runs {
            self.add(run)?;
        }
        let decoded = self.context.decode(&mut self.batch);
        decoded.map_err(|error| error.to_string())?;
        let mut rows = Vec::new();
        let mut first = 0;
        for run in &pass.runs {
            for offset in run.rows.clone() {
                rows.push(self.context.get_logits_ith(number(first + offset)?).to_vec());
            }
            first += run.tokens.len();
        }
        Ok(rows)
    }

    fn truncate(&mut self, sequence: SequenceId, length: usize) -> Result<(), String> {
        let from = u32::try_from(length).map_err(|error| error.to_string())?;
        let removed = self.context.kv_cache_seq_rm(number(sequence.0)?, Some(from), None);
        removed.map_err(|error| error.to_string())
    }

    fn copy(&mut self, from: SequenceId, to: SequenceId) -> Result<(), String> {
        let (from, to) = (number(from.0)?, number(to.0)?);
        let copied = self.context.copy_kv_cache_seq(from, to, None, None);
        copied.map_err(|error| error.to_string())
    }

    /// llama.cpp copies at the beginning of the next pass, so it is given one whose tokens are forgotten again.
    fn settle(&mut self, empty: SequenceId) -> Result<(), String> {
        let run = Run {
            sequence: empty,
            start: 0,
            tokens: vec![TokenId(0); self.shape.least.answer.max(2)].into(),
            rows: 0..0,
        };
        self.forward(&Pass {
            kind: Kind::Answer,
            runs: vec![run],
        })?;
        self.truncate(empty, 0)
    }
}

/// llama.cpp counts in i32.
fn number(count: usize) -> Result<i32, String> {
    i32::try_from(count).map_err(|error| error.to_string())
}
