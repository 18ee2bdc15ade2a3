//! `costeer profile`: what its owner does with the store.

mod arguments;
mod delete;
mod edit;
mod export;
mod find;
mod import;
mod list;
mod open;
mod run;
mod show;
mod summary;

pub use arguments::ProfileArguments;
pub use run::run;
