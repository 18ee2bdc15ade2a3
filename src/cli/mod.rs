//! The commands.

mod arguments;
mod config;
mod demo;
mod doctor;
mod error;
mod explain;
mod health;
mod listen;
mod manual;
mod page;
mod profile;
mod progress;
mod render;
mod run;
mod serve;
mod service;
mod setup;
mod shield;
mod showcase;
mod terminal;
mod token;
mod top;
mod tune;
mod upstream;

pub use arguments::Arguments;
pub use error::CommandError;
pub use run::run;
