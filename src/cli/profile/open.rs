use crate::cli::CommandError;
use crate::settings::Settings;
use crate::store::{ProfileName, Store};

/// The configured store.
pub fn store(settings: &Settings) -> Result<Store, CommandError> {
    Ok(Store::open(&settings.store.file()?, &settings.store.key_source())?)
}

/// A name from the command line.
pub fn named(name: &str) -> Result<ProfileName, CommandError> {
    ProfileName::new(name).map_err(|error| CommandError::Usage(error.to_string()))
}
