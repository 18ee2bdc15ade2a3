//! `costeer setup`: from nothing to a configuration that works.

mod arguments;
mod ask;
mod choose;
mod fetch;
mod run;
mod show;

pub use arguments::SetupArguments;
pub use run::run;
