use secrecy::ExposeSecret;

use super::StartError;
use crate::context::PrivateContext;
use crate::settings::Settings;
use crate::store::ProfileName;

/// What requests are steered by that name nothing themselves.
#[derive(Clone, Default)]
pub struct Defaults {
    /// The configured context.
    pub context: Option<PrivateContext>,
    /// The configured profile.
    pub profile: Option<ProfileName>,
}

impl Defaults {
    /// Reads them.
    ///
    /// # Errors
    /// [`StartError::ContextFile`].
    pub fn load(settings: &Settings) -> Result<Self, StartError> {
        Ok(Self {
            context: context(settings)?,
            // Checked with the rest of the configuration.
            profile: settings
                .context
                .profile
                .as_deref()
                .and_then(|name| ProfileName::new(name).ok()),
        })
    }

    /// Whether there are any.
    pub fn exist(&self) -> bool {
        self.context.is_some() || self.profile.is_some()
    }
}

fn context(settings: &Settings) -> Result<Option<PrivateContext>, StartError> {
    let context = &settings.context;
    let text = match (&context.text, &context.file) {
        (Some(text), _) => text.expose_secret().to_owned(),
        (None, Some(file)) => std::fs::read_to_string(file).map_err(|source| StartError::ContextFile {
            path: file.into(),
            source,
        })?,
        (None, None) => return Ok(None),
    };
    Ok(Some(PrivateContext::new(text)).filter(|context| !context.is_blank()))
}
