use std::sync::Arc;
use std::time::Duration;

use mistralrs::{
    CustomLogitsProcessor, GgufModelBuilder, IsqType, Model, ModelDType, NormalRequest, Request, RequestMessage,
    Response, SamplingParams, StopTokens, TextModelBuilder, parse_isq_value,
};
use serde::Deserialize;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinHandle;

use super::logits_hook::{BranchLogits, HookHandle, LogitsHook};
use crate::local::{LocalError, ModelSource};
use crate::vocabulary::TokenId;

/// The number format weights are computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// What mistral.rs finds best for the device; half precision on most.
    Auto,
    /// 32-bit floats: exact, and what parity with other implementations needs.
    F32,
    /// 16-bit floats.
    F16,
    /// bfloat16.
    Bf16,
}

/// How to load an engine.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The number format; a GGUF file brings its own.
    pub precision: Precision,
    /// A quantisation made while loading, by mistral.rs' name for it (`q8_0`, `q4k`, …).
    pub quantisation: Option<String>,
    /// Stay on the CPU even where an accelerator was compiled in.
    pub force_cpu: bool,
}

/// One mistral.rs engine that runs one sequence at a time.
pub struct Engine {
    model: Model,
    stop: TokenId,
    /// Held from a sequence's request until the engine has let go of it.
    turn: Arc<Mutex<()>>,
}

impl Engine {
    /// Loads `source`. `stop` must be an end-of-turn token of the model.
    ///
    /// # Errors
    /// [`LocalError::Load`] with the engine's own words.
    pub async fn load(source: &ModelSource, options: &EngineOptions, stop: TokenId) -> Result<Self, LocalError> {
        let failed = |reason: String| LocalError::Load {
            setting: source.setting(),
            value: source.written().to_owned(),
            reason,
        };
        let quantisation = options.quantisation.as_deref().map(quantisation).transpose()?;
        // A task of its own turns a panic in a loader (a truncated weight file, say) into an error.
        let loading = tokio::spawn(build(source.clone(), options.clone(), quantisation));
        let model = loading
            .await
            .map_err(|error| failed(format!("the loader gave up ({error}); is a file cut short?")))?
            .map_err(|error| failed(first_line(&format!("{error:#}"))))?;
        Ok(Self {
            model,
            stop,
            turn: Arc::default(),
        })
    }

    /// Starts a sequence on `prompt`, once the engine has dropped the one before.
    ///
    /// Requests that wait inside mistral.rs 0.8.1 while nothing runs are all started together, whatever the limit says.
    /// Two sequences are sampled on the global rayon pool, where a waiting hook can stand on top of another engine's
    /// matrix product: both would wait for ever. So no request is sent before the last has left.
    ///
    /// # Errors
    /// [`LocalError::Engine`] when the engine takes no more requests.
    pub async fn open(&self, prompt: &[TokenId]) -> Result<Branch, LocalError> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let (hook, handle) = LogitsHook::new(self.stop);
        let (response, responses) = channel(RESPONSE_BUFFER);
        let hook: Arc<dyn CustomLogitsProcessor> = Arc::new(hook);
        let request = NormalRequest {
            is_streaming: true,
            logits_processors: Some(vec![hook]),
            ..NormalRequest::new_simple(
                RequestMessage::CompletionTokens(prompt.iter().map(|id| id.0).collect()),
                SamplingParams {
                    stop_toks: Some(StopTokens::Ids(vec![self.stop.0])),
                    ..SamplingParams::neutral()
                },
                response,
                0,
                None,
                None,
            )
        };
        let sender = self
            .model
            .inner()
            .get_sender(None)
            .map_err(|error| LocalError::Engine(error.to_string()))?;
        sender
            .send(Request::Normal(Box::new(request)))
            .await
            .map_err(|_| LocalError::Engine("it no longer takes requests".into()))?;
        Ok(Branch {
            handle,
            fed: 0,
            come: 0,
            latest: None,
            compute: Duration::ZERO,
            outcome: tokio::spawn(drain(responses, turn)),
        })
    }

    /// Tokens one sequence can hold, prompt and answer together; `None` when the model does not say.
    pub fn context_length(&self) -> Option<usize> {
        self.model.max_sequence_length().ok().flatten()
    }
}

/// The lines after the first are a backtrace, where the environment asks for one.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

fn quantisation(name: &str) -> Result<IsqType, LocalError> {
    parse_isq_value(name, None).map_err(|reason| LocalError::Source {
        setting: "local.quantisation",
        value: name.to_owned(),
        reason,
    })
}

/// Responses wait here for a moment only; the drain below takes them at once.
const RESPONSE_BUFFER: usize = 16;

async fn build(source: ModelSource, options: EngineOptions, quantisation: Option<IsqType>) -> anyhow::Result<Model> {
    // The prefix cache is never evicted on a CPU (mistral.rs 0.8.1 counts other devices' entries only), so with it on,
    // memory grows with every session.
    let prefix_cache = None;
    let folder = source.folder().display();
    if let Some(file) = source.gguf() {
        let mut builder = GgufModelBuilder::new(folder, vec![file])
            .with_max_num_seqs(1)
            .with_prefix_cache_n(prefix_cache);
        if options.force_cpu {
            builder = builder.with_force_cpu();
        }
        return builder.build().await;
    }
    let mut builder = TextModelBuilder::new(folder)
        .with_max_num_seqs(1)
        .with_prefix_cache_n(prefix_cache)
        .with_dtype(match options.precision {
            Precision::Auto => ModelDType::Auto,
            Precision::F32 => ModelDType::F32,
            Precision::F16 => ModelDType::F16,
            Precision::Bf16 => ModelDType::BF16,
        });
    if options.force_cpu {
        builder = builder.with_force_cpu();
    }
    if let Some(quantisation) = quantisation {
        builder = builder.with_isq(quantisation);
    }
    builder.build().await
}

/// One running sequence. Dropping it ends the sequence at its next position.
pub struct Branch {
    handle: HookHandle,
    /// Tokens that were appended to the prompt.
    fed: usize,
    /// Positions whose logits have come. Those whose next token was known already are not kept.
    come: usize,
    /// Of the position after everything that was fed.
    latest: Option<BranchLogits>,
    /// Computing for positions whose logits were not kept.
    compute: Duration,
    outcome: JoinHandle<Option<String>>,
}

impl Branch {
    /// Waits for the logits of the next position.
    ///
    /// # Errors
    /// [`LocalError::Engine`] when the sequence ended instead.
    pub async fn logits(&mut self) -> Result<BranchLogits, LocalError> {
        self.wait().await?;
        self.take()
    }

    /// Waits until [`Self::take`] has the logits of the next position. It can be given up and called again.
    ///
    /// # Errors
    /// [`LocalError::Engine`] when the sequence ended instead.
    pub async fn wait(&mut self) -> Result<(), LocalError> {
        while self.latest.is_none() {
            let Some(logits) = self.handle.logits.recv().await else {
                let reason = (&mut self.outcome).await.ok().flatten();
                return Err(LocalError::Engine(
                    reason.unwrap_or_else(|| "it ended the sequence by itself".into()),
                ));
            };
            self.compute += logits.compute;
            if self.come == self.fed {
                self.latest = Some(BranchLogits {
                    compute: std::mem::take(&mut self.compute),
                    ..logits
                });
            }
            self.come += 1;
        }
        Ok(())
    }

    /// The logits that [`Self::wait`] has waited for.
    ///
    /// # Errors
    /// [`LocalError::Engine`] where there are none.
    pub fn take(&mut self) -> Result<BranchLogits, LocalError> {
        let none = || LocalError::Engine("it was asked for logits before they came".into());
        self.latest.take().ok_or_else(none)
    }

    /// Appends `tokens`; the engine computes one position after the other without waiting in between. Nothing happens
    /// after the sequence has ended: the next [`Self::logits`] says so.
    pub fn feed(&mut self, tokens: &[TokenId]) {
        for token in tokens {
            let _ended = self.handle.picks.send(*token);
        }
        self.fed += tokens.len();
        if !tokens.is_empty() {
            self.latest = None;
        }
    }
}

/// Takes the engine's own responses and keeps an error if one comes; the logits come by the hook. The responses end when the
/// engine drops the sequence, and then its turn ends too.
async fn drain(mut responses: Receiver<Response>, _turn: OwnedMutexGuard<()>) -> Option<String> {
    let mut failure = None;
    while let Some(response) = responses.recv().await {
        match response {
            Response::InternalError(error) | Response::ValidationError(error) => failure = Some(error.to_string()),
            Response::CompletionModelError(message, _) | Response::ModelError(message, _) => failure = Some(message),
            _ => {}
        }
    }
    failure
}
