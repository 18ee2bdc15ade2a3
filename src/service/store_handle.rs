use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::settings;
use crate::store::{KeySource, ProfileName, Store, StoreError};

/// The store, opened when it is first needed: who has no profiles needs none.
pub struct StoreHandle {
    file: Option<PathBuf>,
    key: KeySource,
    opened: OnceCell<Arc<Store>>,
}

impl StoreHandle {
    /// The configured one.
    pub fn new(settings: &settings::Store) -> Self {
        Self {
            file: settings.file().ok(),
            key: settings.key_source(),
            opened: OnceCell::new(),
        }
    }

    /// Runs `work` on the store, on a thread that may wait. The store is made where there is none.
    ///
    /// # Errors
    /// What `work` says, or opening the store.
    pub async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(self.opened.get_or_try_init(|| self.open()).await?);
        blocking(move || work(&store)).await
    }

    /// The same for the profile called `name`; where there is no store, there is no such profile.
    ///
    /// # Errors
    /// As for [`Self::with`].
    pub async fn of<T: Send + 'static>(
        &self,
        name: &ProfileName,
        work: impl FnOnce(&Store, &ProfileName) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if !self.exists() {
            return Err(StoreError::NoSuchProfile(name.to_string()));
        }
        let name = name.clone();
        self.with(move |store| work(store, &name)).await
    }

    /// Whether there is a store.
    pub fn exists(&self) -> bool {
        self.opened.initialized() || self.file.as_ref().is_some_and(|file| file.exists())
    }

    async fn open(&self) -> Result<Arc<Store>, StoreError> {
        let (file, key) = (self.file.clone(), self.key.clone());
        blocking(move || Ok(Arc::new(Store::open(&file.ok_or(StoreError::NoHome)?, &key)?))).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    // Only where the process is ending, or the work has panicked.
    done.map_err(|_| StoreError::CutOff)?
}
