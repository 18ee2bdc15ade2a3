//! `costeer explain`: shows on a terminal how the tokens of an answer were picked.

mod arguments;
mod error;
mod read;
mod run;
mod table;
mod text;

pub use arguments::ExplainArguments;
pub use error::ExplainError;
pub use run::run;
