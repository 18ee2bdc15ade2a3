use super::arguments::SetupArguments;
use super::ask::Asker;
use super::show::say;
use crate::cli::CommandError;
use crate::local::{ModelSource, Wanted, free_disk, hub_cache, hub_file, hub_size};
use crate::setup::{Place, Proposal};

/// What `local.model` is to be, after the model was fetched where it has to be; `None` where it may not be.
pub async fn here(
    proposal: &Proposal,
    arguments: &SetupArguments,
    asker: Asker,
) -> Result<Option<String>, CommandError> {
    let Some((id, wanted)) = proposal.wanted() else {
        return Ok(match &proposal.place {
            Place::Here(value) => Some(value.clone()),
            Place::Hub { .. } => None,
        });
    };
    let about = proposal
        .bytes
        .map_or_else(String::new, |bytes| format!(", about {} MB", bytes / 1_000_000));
    let may_fetch = arguments.may_fetch() || asker.yes(&format!("Fetch {id}{about}?"))?.unwrap_or(false);
    if !may_fetch {
        return Ok(None);
    }
    check_room(id, wanted).await?;
    say(&format!("Fetching {id} into {}", hub_cache().display()))?;
    match wanted {
        Wanted::File(name) => {
            let path = hub_file(id, name).await.map_err(unfetched)?;
            Ok(Some(path.to_string_lossy().into_owned()))
        }
        Wanted::Set(_) => {
            ModelSource::locate("--local", id).await?;
            Ok(Some(id.to_owned()))
        }
    }
}

/// Nothing is begun that does not fit on the disk.
async fn check_room(id: &str, wanted: Wanted<'_>) -> Result<(), CommandError> {
    let bytes = hub_size(id, wanted).await.map_err(unfetched)?;
    let cache = hub_cache();
    match free_disk(&cache) {
        Some(free) if free < bytes => Err(CommandError::Usage(format!(
            "{id} takes {} MB, and {} MB are free where {} is; make room, or have HF_HOME name a folder on another disk",
            bytes / 1_000_000,
            free / 1_000_000,
            cache.display()
        ))),
        _ => Ok(()),
    }
}

fn unfetched(reason: String) -> CommandError {
    CommandError::Usage(format!(
        "{reason}; is there a way to the hub (HF_ENDPOINT names another one, HF_TOKEN your token)? A model that lies here already is taken with --local PATH"
    ))
}
