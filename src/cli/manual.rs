//! What comes with the program for shells and for `man`, made from the command line's own description.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::generate;

use super::CommandError;
use super::arguments::{Arguments, CompletionsArguments, ManualArguments};

/// Prints a shell's completions.
pub fn completions(arguments: &CompletionsArguments) {
    generate(
        arguments.shell,
        &mut Arguments::command(),
        "costeer",
        &mut std::io::stdout().lock(),
    );
}

/// Writes a page for each command into a folder, which is made where it is not there.
pub fn manual(arguments: &ManualArguments) -> Result<(), CommandError> {
    let folder: &Path = &arguments.folder;
    let unwritable = |source| CommandError::File {
        path: folder.to_owned(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    clap_mangen::generate_to(Arguments::command(), folder).map_err(unwritable)
}
