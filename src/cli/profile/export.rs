use std::io::{BufWriter, Write};

use super::arguments::ExportArguments;
use super::open::named;
use super::show::each_document;
use crate::cli::CommandError;
use crate::private_file::create_new;
use crate::store::import::{document_line, profile_line};
use crate::store::{ProfileName, Store};

pub fn run(store: &Store, arguments: &ExportArguments) -> Result<(), CommandError> {
    let names = if arguments.names.is_empty() {
        store.profiles()?.into_iter().map(|profile| profile.name).collect()
    } else {
        let names = arguments.names.iter().map(|name| named(name));
        names.collect::<Result<Vec<_>, _>>()?
    };
    match &arguments.output {
        Some(path) => {
            let file = create_new(path).map_err(|source| CommandError::File {
                path: path.clone(),
                source,
            })?;
            let written = write(store, &names, BufWriter::new(file));
            if written.is_err() {
                // The beginning of an export looks like a whole one. Why it was not written says more than why it cannot be removed.
                let _ = std::fs::remove_file(path);
            }
            written
        }
        None => write(store, &names, BufWriter::new(std::io::stdout().lock())),
    }
}

fn write(store: &Store, names: &[ProfileName], mut out: impl Write) -> Result<(), CommandError> {
    for name in names {
        let profile = store.profile(name)?;
        writeln!(out, "{}", profile_line(name, &profile)).map_err(CommandError::Output)?;
        each_document(store, name, |stored| {
            writeln!(out, "{}", document_line(name, &stored.document)).map_err(CommandError::Output)
        })?;
    }
    out.flush().map_err(CommandError::Output)
}
