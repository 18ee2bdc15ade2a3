use std::io::Write;
use std::process::ExitCode;

use serde_json::json;

use super::arguments::{PreviewArguments, SearchArguments};
use super::open::{named, store};
use super::show::one_line;
use crate::cli::CommandError;
use crate::context::{Preview, PrivateContext, Sources};
use crate::service::{Prompts, Vocabularies};
use crate::settings::Settings;
use crate::store::Store;

pub fn search(store: &Store, arguments: &SearchArguments) -> Result<(), CommandError> {
    let hits = store.search(&named(&arguments.name)?, &arguments.query, arguments.count.into())?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        return writeln!(out, "{:#}", json!(hits)).map_err(CommandError::Output);
    }
    for hit in &hits {
        writeln!(out, "{:>6.2} {}", hit.score, one_line(&hit.stored)).map_err(CommandError::Output)?;
    }
    Ok(())
}

/// The private text on standard output, and its length on standard error.
pub async fn preview(settings: &Settings, arguments: PreviewArguments) -> Result<ExitCode, CommandError> {
    let name = named(&arguments.name)?;
    let given = arguments.context.map(PrivateContext::new);
    let previewed = Sources::previewed(&arguments.question, given, settings.context.private_tags);
    let (sources, prompt) = previewed.map_err(|error| CommandError::Usage(error.to_string()))?;
    let own = settings.clone();
    let recalling = tokio::task::spawn_blocking(move || {
        Ok::<_, CommandError>(sources.recalled(&store(&own)?, &name, own.context.history)?)
    });
    let Ok(sources) = recalling.await else {
        return Ok(ExitCode::FAILURE);
    };
    let sources = sources?;
    let vocabularies = Vocabularies::load(settings).await?;
    // What the model itself says of its window is known only where it is loaded.
    let window = vocabularies.model_files()?.context_length().unwrap_or(usize::MAX);
    let prompts = Prompts::new(settings, vocabularies.alignment(settings)?, window)?;
    let composed = prompts.compose(&prompt, &sources, None)?;
    let preview = composed.composition.preview();
    let mut out = std::io::stdout().lock();
    let written = if arguments.json {
        writeln!(out, "{:#}", json!(preview))
    } else {
        let Preview {
            text,
            tokens,
            budget,
            documents,
            facts,
        } = preview;
        writeln!(out, "{text}").and_then(|()| {
            writeln!(
                std::io::stderr(),
                "{tokens} of {budget} tokens; {} of {} documents found, {} of {} facts",
                documents.kept,
                documents.found,
                facts.kept,
                facts.found
            )
        })
    };
    written.map_err(CommandError::Output)?;
    Ok(ExitCode::SUCCESS)
}
