use crate::context::{PublicPrompt, Sources};
use crate::steering::{Penalties, Sampling};
use crate::structure::Structure;

/// What a client asks for, as everybody may see it.
#[derive(Clone)]
pub struct PublicRequest {
    /// One chat, or texts. Each is answered [`Options::choices`] times.
    pub prompts: Vec<PublicPrompt>,
    /// How.
    pub options: Options,
}

/// A prompt, and what its answers are to be steered by.
pub struct Asked {
    /// What everybody may see.
    pub prompt: PublicPrompt,
    /// What nobody but the small model may.
    pub sources: Sources,
}

/// How a request is to be answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// As the client named it.
    pub model: Option<String>,
    /// Server-sent events or one body.
    pub stream: bool,
    /// A last chunk with usage.
    pub include_usage: bool,
    /// How tokens are drawn; the temperature is 1 where the request does not say, as OpenAI has it, and the seed random.
    pub sampling: Sampling,
    /// What is asked of single tokens.
    pub penalties: Penalties,
    /// Answers to each prompt; each is drawn with a seed of its own.
    pub choices: usize,
    /// Texts that end the answer and are not part of it.
    pub stop: Vec<String>,
    /// What each answer must look like; `None` where it may be anything.
    pub structure: Option<Structure>,
    /// The most tokens of an answer.
    pub max_tokens: Option<usize>,
    /// How many of the likeliest tokens to list at each position; `None` where no log-probabilities are wanted.
    pub logprobs: Option<usize>,
    /// Whether an answer may call more than one tool.
    pub parallel_calls: bool,
    /// Whether to show how each token was picked; asked for in private.
    pub traced: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            model: None,
            stream: false,
            include_usage: false,
            sampling: Sampling {
                temperature: 1.0,
                seed: rand::random(),
                ..Sampling::default()
            },
            penalties: Penalties::default(),
            choices: 1,
            stop: Vec::new(),
            structure: None,
            max_tokens: None,
            logprobs: None,
            parallel_calls: true,
            traced: false,
        }
    }
}
