//! CoSteer: a local OpenAI-compatible proxy that personalises a big model's answers without showing it anything private.
//!
//! The map, from the outside in; each room may use those below it, never those above (ARCHITECTURE.md says more):
//!
//! | room | what it is for |
//! |---|---|
//! | [`cli`] | the commands: `demo`, `serve`, `doctor`, `upstream` |
//! | [`setup`] | finds servers, and small models that fit them, and writes a configuration |
//! | [`doctor`] | looks at everything a steered answer needs |
//! | [`tune`] | finds the numbers that suit a pair of models |
//! | [`http`] | the proxy's HTTP surface: the gate, the routes, and the OpenAI JSON of clients |
//! | [`service`] | what the product does: a public request, what it is steered by and options become a stream of events |
//! | [`settings`] | typed configuration, validated once |
//! | [`testkit`] | a real model behind real HTTP in vLLM's shapes: the demo's server and the tests' upstream |
//! | [`context`] | the private context and how it enters the private branch's prompt |
//! | [`store`] | profiles and their history, in a file of this machine |
//! | [`decode`] | one steered generation |
//! | [`structure`] | what an answer must look like: a grammar, and which tokens it allows next |
//! | [`local`] | the small model on mistral.rs |
//! | [`upstream`] | the big model's servers |
//! | [`steering`] | the arithmetic of the paper |
//! | [`vocabulary`] | token ids, their bytes, chat templates |
//! | [`telemetry`] | logs and metrics |
//! | [`wire`] | OpenAI's wire formats as a server writes them: envelope, choices, usage, errors, events |
//! | [`token`] | the credential of the person whose machine this is |
//! | [`private_file`] | files for their owner alone |
//! | [`foreign`] | other people's text, made fit to be shown |

pub mod cli;
pub mod context;
pub mod decode;
pub mod doctor;
pub mod foreign;
pub mod http;
pub mod local;
pub mod private_file;
pub mod service;
pub mod settings;
pub mod setup;
pub mod steering;
pub mod store;
pub mod structure;
pub mod telemetry;
pub mod testkit;
pub mod token;
pub mod tune;
pub mod upstream;
pub mod vocabulary;
pub mod wire;
