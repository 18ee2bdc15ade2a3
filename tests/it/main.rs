//! Tests through real sockets, the real binary and the model pair that ships.
//!
//! One binary, because linking mistral.rs takes longer than running all of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on should say so and stop"
)]

mod alignment;
mod bad_input;
mod calls;
mod choices;
mod commands;
mod completions;
mod conformity;
mod conformity_text;
mod crash;
mod demo_server;
mod dialects;
mod doctor;
mod drivers;
mod failover;
mod gate;
mod giving_up;
mod golden;
mod hostile;
mod leaks;
#[cfg(feature = "llamacpp")]
mod llamacpp;
mod lookahead;
mod manners;
mod messages;
mod metrics;
mod model_suffix;
mod neutral;
mod ollama;
mod openapi;
mod operations;
mod options;
mod page;
mod page_routes;
mod parity;
mod patience;
mod privacy;
mod profile_commands;
mod profiles;
mod reaching;
mod responses;
mod served_tokenizer;
mod service;
mod setup;
mod slots;
mod steered;
mod store;
mod structure;
mod support;
mod templates;
mod thinking;
mod top;
mod trace;
mod tune;
