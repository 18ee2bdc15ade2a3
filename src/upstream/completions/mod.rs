//! Hosts with text completions that list names of tokens, and sometimes their numbers: the prompt and the picked tokens travel as text.
//!
//! What is peculiar to each is in [`super::hosts`]. Three traps shape this driver. Many hosts stream no lists, so answers come in blocks of
//! a few positions. A token that is part of a character may have no name; then the host's own text says which character it was. And some
//! names are ambiguous, as when spaces are left out, so a host is tried first.

mod block;
mod driver;
mod generation;
mod given;
mod upstream;
mod wire;

pub use driver::Completions;
