//! `costeer tune`: finds the numbers that suit a pair.

mod arguments;
mod cost;
mod run;
mod table;
mod write;

pub use arguments::TuneArguments;
pub use run::run;
