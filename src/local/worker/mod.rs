//! One thread that owns an engine and computes for all sessions: what several want goes into one pass, prompts in pieces between
//! answers, and what was computed is remembered while there is room.

mod backend;
mod command;
mod lane;
mod pass;
mod pieces;
mod sequences;
mod session;
mod thread;

pub use backend::{Backend, Kind, Pass, Run, RunLength, SequenceId, Shape};
pub use command::{Command, Holder, Prompts};
pub use session::{Bounds, WorkerModel};
pub use thread::Worker;

#[cfg(test)]
mod double;
#[cfg(test)]
mod tests;
