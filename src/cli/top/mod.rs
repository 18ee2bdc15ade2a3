//! `costeer top`: shows on a terminal what a running proxy does, from its metrics.

mod arguments;
mod fetch;
mod histogram;
mod keys;
mod live;
mod run;
mod sample;
mod screen;
mod text_format;
mod view;
mod window;

pub use arguments::TopArguments;
pub use run::run;
