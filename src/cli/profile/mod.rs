//! `costeer profile`: what its owner does with the store.

mod arguments;
mod delete;
mod edit;
mod export;
mod find;
mod import;
mod open;
mod run;
mod show;

pub use arguments::ProfileArguments;
pub use run::run;
