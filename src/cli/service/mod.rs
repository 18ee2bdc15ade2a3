//! `costeer service`: has the system start the proxy when its person logs in.

mod arguments;
mod manager;
mod run;
mod text;

pub use arguments::ServiceArguments;
pub use run::run;
