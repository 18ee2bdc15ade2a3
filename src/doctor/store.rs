use super::check::Check;
use crate::settings::Settings;
use crate::store::{Store, StoreError};

/// The store with the profiles: whether it opens, and whether it is sound. Looking does not make one.
pub async fn examine(settings: &Settings) -> Check {
    let settings = settings.store.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let path = settings.file()?;
        if !path.exists() {
            return Ok(Check::ok("store", format!("none yet ({})", path.display())));
        }
        let census = Store::open(&path, &settings.key_source())?.check()?;
        let encrypted = if census.encrypted { "encrypted" } else { "not encrypted" };
        Ok(Check::ok(
            "store",
            format!(
                "{} profiles, {} documents, {encrypted}",
                census.profiles, census.documents
            ),
        ))
    });
    match looking.await.unwrap_or(Err(StoreError::CutOff)) {
        Ok(check) => check,
        Err(error) => Check::failed("store", error.to_string(), advice(&error)),
    }
}

fn advice(error: &StoreError) -> &'static str {
    match error {
        StoreError::WrongKey { .. }
        | StoreError::NeedsKey { .. }
        | StoreError::NotEncrypted { .. }
        | StoreError::Keyring(_)
        | StoreError::NoEncryption
        | StoreError::NoKeyInKeyring(_)
        | StoreError::KeyFile { .. } => "see store.key, store.key_file and store.keyring",
        StoreError::Damaged { .. } => {
            "export what can be exported (costeer profile export), and import it into a new store"
        }
        _ => "see store.path",
    }
}
