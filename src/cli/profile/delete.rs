use std::io::{BufRead, IsTerminal, Write};

use super::arguments::DeleteArguments;
use super::open::named;
use crate::cli::CommandError;
use crate::store::{DocumentId, Store};

pub fn run(store: &Store, arguments: &DeleteArguments) -> Result<(), CommandError> {
    let name = named(&arguments.name)?;
    let what = match arguments.document {
        Some(id) => format!("document {id} of {name}"),
        None => format!("{name} with all its documents"),
    };
    if !arguments.yes && !confirmed(&what)? {
        return Ok(());
    }
    match arguments.document {
        Some(id) => store.delete_document(&name, DocumentId(id))?,
        None => store.delete_profile(&name)?,
    }
    Ok(())
}

fn confirmed(what: &str) -> Result<bool, CommandError> {
    if !std::io::stdin().is_terminal() {
        return Err(CommandError::Usage(format!(
            "nobody is there to confirm it; --yes deletes {what}"
        )));
    }
    let mut out = std::io::stdout().lock();
    write!(out, "Delete {what}? [y/N] ")
        .and_then(|()| out.flush())
        .map_err(CommandError::Output)?;
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(CommandError::Output)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
