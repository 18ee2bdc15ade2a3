use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::StartError;
use crate::local::{ModelSource, tokenizer_source};
use crate::settings::Settings;
use crate::vocabulary::{Alignment, ModelFiles, TemplateOptions, Tokenizer};

/// The two vocabularies a session speaks in, and where the local one was found.
pub struct Vocabularies {
    /// The local model's files.
    pub source: ModelSource,
    /// Where its tokenizer is.
    pub files: PathBuf,
    /// Of the local model.
    pub local: Arc<Tokenizer>,
    /// Of the upstream's model.
    pub upstream: Arc<Tokenizer>,
}

impl Vocabularies {
    /// Reads both tokenizers.
    ///
    /// # Errors
    /// A [`StartError`] naming the setting and the file.
    pub async fn load(settings: &Settings) -> Result<Self, StartError> {
        let local = &settings.local;
        let source = ModelSource::locate("local.model", &local.model).await?;
        let files = match &local.tokenizer {
            Some(value) => tokenizer_source("local.tokenizer", value).await?,
            None => source.tokenizer(),
        };
        let local = tokenizer("local.model", &files, &local.template_kwargs)?;
        let upstream = match &settings.upstream.tokenizer {
            Some(value) => {
                let setting = "upstream.tokenizer";
                tokenizer(
                    setting,
                    &tokenizer_source(setting, value).await?,
                    &settings.upstream.template_kwargs,
                )?
            }
            // The same model's, with the upstream's options.
            None if settings.upstream.template_kwargs != settings.local.template_kwargs => {
                tokenizer("local.model", &files, &settings.upstream.template_kwargs)?
            }
            None => Arc::clone(&local),
        };
        Ok(Self {
            source,
            files,
            local,
            upstream,
        })
    }

    /// Brings the two together as configured.
    ///
    /// # Errors
    /// [`StartError::DifferentVocabularies`].
    pub fn alignment(&self, settings: &Settings) -> Result<Arc<Alignment>, StartError> {
        let (upstream, local) = (Arc::clone(&self.upstream), Arc::clone(&self.local));
        let alignment = Alignment::new(settings.vocabulary.alignment, upstream, local);
        alignment.map(Arc::new).ok_or(StartError::DifferentVocabularies)
    }

    /// What the local model's own files say of it.
    ///
    /// # Errors
    /// [`StartError::Vocabulary`].
    pub fn model_files(&self) -> Result<ModelFiles, StartError> {
        ModelFiles::read(&self.files).map_err(|source| StartError::Vocabulary {
            setting: "local.model",
            source,
        })
    }
}

fn tokenizer(setting: &'static str, files: &Path, options: &TemplateOptions) -> Result<Arc<Tokenizer>, StartError> {
    let loaded = Tokenizer::load_with(files, options.clone());
    loaded
        .map(Arc::new)
        .map_err(|source| StartError::Vocabulary { setting, source })
}
