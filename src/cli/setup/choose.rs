//! Which server, which of its models, and which small model.

use super::arguments::SetupArguments;
use super::ask::Asker;
use super::show::{self, say};
use crate::cli::CommandError;
use crate::cli::demo::LLM;
use crate::foreign::line;
use crate::local::{hub_cached, is_hub_id};
use crate::setup::{Family, Found, Proposal, Search, Sighting, USUAL, given, proposals, usual_folders};
use crate::upstream::{Identity, ServedModel};

/// A server that can be taken.
pub struct Server<'a> {
    pub url: &'a str,
    pub identity: &'a Identity,
    /// Whether a person has named it.
    pub is_named: bool,
}

/// The server to take: among those that were named, or else among those that were found.
pub fn server<'a>(sightings: &'a [Sighting], asker: Asker) -> Result<Server<'a>, CommandError> {
    let is_named = sightings.iter().any(|sighting| sighting.address.is_named);
    let considered: Vec<&Sighting> = sightings
        .iter()
        .filter(|sighting| sighting.address.is_named || !is_named)
        .collect();
    let usable: Vec<Server<'_>> = considered.iter().filter_map(|sighting| usable(sighting)).collect();
    let index = match usable.len() {
        0 => return Err(CommandError::Usage(none(&considered))),
        1 => 0,
        count => {
            let urls: Vec<&str> = usable.iter().map(|server| server.url).collect();
            for (number, url) in (1..).zip(&urls) {
                say(&format!("  {number}  {url}"))?;
            }
            let chosen = asker.number("Which server?", count)?;
            chosen.ok_or_else(|| {
                let first = urls.first().copied().unwrap_or_default();
                CommandError::Usage(format!(
                    "there are several servers, {}; name one of them, such as --upstream {first}",
                    urls.join(", ")
                ))
            })?
        }
    };
    let mut usable = usable;
    Ok(usable.swap_remove(index))
}

fn usable(sighting: &Sighting) -> Option<Server<'_>> {
    match &sighting.found {
        Found::Server(identity) if identity.unsteerable.is_none() => Some(Server {
            url: &sighting.address.url,
            identity,
            is_named: sighting.address.is_named,
        }),
        _ => None,
    }
}

/// Why there is no server, and what to do.
fn none(considered: &[&Sighting]) -> String {
    let wanting = considered
        .iter()
        .find(|sighting| matches!(sighting.found, Found::WantsKey));
    if let Some(sighting) = wanting {
        let url = &sighting.address.url;
        return format!("the server at {url} wants a key, or another one: --upstream {url} --key KEY");
    }
    let unsteerable = considered.iter().find_map(|sighting| match &sighting.found {
        Found::Server(identity) => identity.unsteerable.map(|known| (&sighting.address.url, known)),
        _ => None,
    });
    if let Some((url, known)) = unsteerable {
        return format!(
            "{} at {url} cannot be steered: {}; instead: {}",
            known.server, known.why, known.instead
        );
    }
    if considered.iter().any(|sighting| sighting.address.is_named) {
        return "there is no server that can be steered at what --upstream names; is it running, and is the address right?".to_owned();
    }
    let usual: Vec<String> = USUAL.iter().map(|(name, port)| format!("{port} ({name})")).collect();
    format!(
        "no server runs at the usual ports of this machine, {}; start one, such as \"llama-server -m MODEL.gguf\", or name one that runs elsewhere \
         with --upstream URL; \"costeer demo\" needs none",
        usual.join(", ")
    )
}

/// The big model to take; `None` where the server does not say what it has.
pub fn model<'a>(
    identity: &'a Identity,
    arguments: &SetupArguments,
    asker: Asker,
) -> Result<Option<&'a ServedModel>, CommandError> {
    let models: Vec<&ServedModel> = identity
        .models
        .iter()
        .filter(|model| !model.id.contains("embed"))
        .collect();
    if let Some(name) = &arguments.model {
        let named = models.iter().find(|model| model.id == *name);
        return named.copied().map(Some).ok_or_else(|| {
            let ids: Vec<String> = models.iter().map(|model| line(&model.id)).collect();
            CommandError::Usage(format!("the server has no model {name}; it has {}", ids.join(", ")))
        });
    }
    if models.len() < 2 {
        return Ok(models.first().copied());
    }
    for (number, model) in (1..).zip(&models) {
        say(&format!("  {number}  {}", line(&model.id)))?;
    }
    let chosen = asker.number("Which big model?", models.len())?;
    let index = chosen.ok_or_else(|| {
        let first = models.first().map_or_else(String::new, |model| line(&model.id));
        CommandError::Usage(format!(
            "the server has {} models; name one, such as --model {first}",
            models.len()
        ))
    })?;
    Ok(models.get(index).copied())
}

/// The small model to take.
pub fn small_model(
    family: &'static Family,
    arguments: &SetupArguments,
    asker: Asker,
) -> Result<Proposal, CommandError> {
    if let Some(value) = &arguments.local {
        return Ok(given(value, family)?);
    }
    let mut folders = arguments.models.clone();
    if let Some(missing) = folders.iter().find(|folder| !folder.is_dir()) {
        return Err(CommandError::Usage(format!(
            "--models {} is no folder",
            missing.display()
        )));
    }
    folders.extend(usual_folders());
    let mut found = proposals(&Search {
        family,
        folders: &folders,
    });
    show::proposals(&found)?;
    let index = if found.len() > 1 {
        asker.number("Which small model?", found.len())?.unwrap_or(0)
    } else {
        0
    };
    if found.is_empty() {
        return Err(CommandError::Usage(
            "no small model is known for it; name one with --local".to_owned(),
        ));
    }
    Ok(found.swap_remove(index))
}

/// Where the big model's tokenizer is, as far as can be said without fetching anything.
pub fn tokenizer(
    identity: &Identity,
    model: Option<&ServedModel>,
    family: &Family,
    arguments: &SetupArguments,
) -> Option<String> {
    if arguments.tokenizer.is_some() {
        return arguments.tokenizer.clone();
    }
    if family.is_shipped() {
        return Some(LLM.to_owned());
    }
    let file = identity
        .file
        .as_ref()
        .filter(|file| file.is_absolute() && file.is_file());
    if let Some(file) = file {
        return Some(file.to_string_lossy().into_owned());
    }
    let id = &model?.id;
    (is_hub_id(id) && (arguments.may_fetch() || hub_cached(id, "tokenizer.json").is_some())).then(|| id.clone())
}
