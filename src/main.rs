//! The command line of CoSteer.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use costeer::cli::{Arguments, run};
use costeer::foreign::escaped;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to be done when standard error is closed too.
            let _closed = writeln!(std::io::stderr(), "costeer: {}", escaped(&error.to_string()));
            ExitCode::FAILURE
        }
    }
}
