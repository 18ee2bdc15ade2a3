use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};

use super::show::{one_line, with_id};
use super::{PreviewArguments, SearchArguments, named, store};
use crate::cli::CommandError;
use crate::context::{PrivateContext, PublicPrompt, Sources, part_if};
use crate::http::{Vocabularies, composer};
use crate::settings::Settings;
use crate::store::Store;
use crate::vocabulary::{ChatMessage, Role};

pub fn search(store: &Store, arguments: &SearchArguments) -> Result<(), CommandError> {
    let hits = store.search(&named(&arguments.name)?, &arguments.query, arguments.count.into())?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let hits: Vec<Value> = hits
            .iter()
            .map(|hit| json!({"score": hit.score, "document": with_id(hit.id, &hit.document)}))
            .collect();
        return writeln!(out, "{:#}", json!(hits)).map_err(CommandError::Output);
    }
    for hit in &hits {
        writeln!(out, "{:>6.2} {}", hit.score, one_line(hit.id, &hit.document)).map_err(CommandError::Output)?;
    }
    Ok(())
}

/// The private text on standard output, and its length on standard error.
pub async fn preview(settings: &Settings, arguments: PreviewArguments) -> Result<ExitCode, CommandError> {
    let name = named(&arguments.name)?;
    let usage = |error: &dyn std::fmt::Display| CommandError::Usage(error.to_string());
    let parted = part_if(settings.context.private_tags, &arguments.question).map_err(|error| usage(&error))?;
    let given = arguments.context.map(PrivateContext::new);
    let mut sources = Sources::asked(&parted.public, given, parted.private);
    let (own, query) = (settings.clone(), sources.query.clone());
    let recalling = tokio::task::spawn_blocking(move || {
        let store = store(&own)?;
        Ok::<_, CommandError>(store.recall(&name, query.as_private_str(), own.context.history)?)
    });
    let Ok(recalled) = recalling.await else {
        return Ok(ExitCode::FAILURE);
    };
    let (profile, hits) = recalled?;
    sources.profile = profile;
    sources.history = hits.into_iter().map(|hit| hit.document).collect();
    let vocabularies = Vocabularies::load(settings).await?;
    let prompt = PublicPrompt::Chat(Arc::new([ChatMessage::new(Role::User, parted.public)]));
    // How much room the model has is known only where it is loaded, so this is the budget alone.
    let composed = composer(settings)?.compose(&vocabularies.local, &prompt, &sources, usize::MAX);
    let (composition, _) = composed.map_err(|error| usage(&error))?;
    let (found, all) = (sources.history.len(), sources.profile.facts.len());
    let (text, tokens, budget) = (
        composition.context.preview(),
        composition.tokens,
        settings.context.budget,
    );
    let (documents, facts) = (composition.documents, composition.facts);
    let mut out = std::io::stdout().lock();
    let written = if arguments.json {
        let shown = json!({
            "text": text,
            "tokens": tokens,
            "budget": budget,
            "documents": {"found": found, "kept": documents},
            "facts": {"found": all, "kept": facts},
        });
        writeln!(out, "{shown:#}")
    } else {
        writeln!(out, "{text}").and_then(|()| {
            writeln!(
                std::io::stderr(),
                "{tokens} of {budget} tokens; {documents} of {found} documents found, {facts} of {all} facts"
            )
        })
    };
    written.map_err(CommandError::Output)?;
    Ok(ExitCode::SUCCESS)
}
