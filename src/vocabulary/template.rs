use minijinja::{Environment, Error, ErrorKind, context};

use super::{ChatMessage, ModelFiles, Role, VocabularyError};

/// A chat template, compiled once, that renders messages the way `transformers` does.
///
/// Source of the conventions: the "Chat templates" page of the transformers documentation (`trim_blocks`,
/// `lstrip_blocks`, `raise_exception`, Python string methods).
pub struct ChatTemplate {
    environment: Environment<'static>,
    bos_token: String,
    eos_token: String,
}

const NAME: &str = "chat";

/// An answer that no template contains.
const ANSWER: &str = "An answer of the assistant's.";

impl ChatTemplate {
    /// Compiles the template of a model directory.
    ///
    /// # Errors
    /// [`VocabularyError::Broken`] when the directory has none, or one that does not parse.
    pub fn compile(files: &ModelFiles) -> Result<Self, VocabularyError> {
        let broken = |reason: String| VocabularyError::Broken {
            path: files.directory.join("tokenizer_config.json"),
            reason,
        };
        let source = files.chat_template.clone().ok_or_else(|| {
            broken(
                "it has no chat_template, and there is no chat_template.jinja beside it; use an instruction-tuned model"
                    .into(),
            )
        })?;
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment
            .add_template_owned(NAME, source)
            .map_err(|error| broken(format!("its chat template does not parse: {error:#}")))?;
        Ok(Self {
            environment,
            bos_token: files.special_text("bos_token").unwrap_or_default(),
            eos_token: files.special_text("eos_token").unwrap_or_default(),
        })
    }

    /// The prompt text for `messages`, ending where the assistant's answer begins.
    ///
    /// # Errors
    /// The template's own refusal, as text (roles that must alternate, for instance).
    pub fn render(&self, messages: &[ChatMessage]) -> Result<String, String> {
        self.environment
            .get_template(NAME)
            .and_then(|template| {
                template.render(context! {
                    messages => messages,
                    add_generation_prompt => true,
                    bos_token => self.bos_token,
                    eos_token => self.eos_token,
                })
            })
            // The default display of a rendering error can quote its input; the kind and detail alone cannot.
            .map_err(|error| match error.detail() {
                Some(detail) => format!("{} ({detail})", error.kind()),
                None => error.kind().to_string(),
            })
    }

    /// What the template puts between the prompt and the answer that follows: empty, or the space that some families begin their
    /// answers with.
    pub fn lead(&self) -> Vec<u8> {
        let question = ChatMessage::new(Role::User, "Q");
        let answer = ChatMessage::new(Role::Assistant, ANSWER);
        let prompt = self.render(std::slice::from_ref(&question));
        let whole = self.render(&[question, answer]);
        let between = prompt.ok().zip(whole.ok()).and_then(|(prompt, whole)| {
            let (between, _) = whole.strip_prefix(&prompt)?.split_once(ANSWER)?;
            between.trim().is_empty().then(|| between.as_bytes().to_vec())
        });
        between.unwrap_or_default()
    }
}
