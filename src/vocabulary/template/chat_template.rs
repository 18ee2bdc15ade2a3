use minijinja::{Environment, Value};

use super::environment::environment;
use super::error::refusal;
use super::request::{Messages, RenderRequest};
use super::rewrite::rewritten;
use super::tools::CallForm;
use super::values::{self, Dictionary};
use crate::vocabulary::ChatMessage;

/// A chat template, compiled once, that renders chats the way transformers does.
pub struct ChatTemplate {
    environment: Environment<'static>,
    /// As the model's files have it.
    source: String,
    /// Names and texts of the special tokens, such as `bos_token`.
    specials: Vec<(String, String)>,
}

const NAME: &str = "chat";

impl ChatTemplate {
    /// Compiles a template. `specials` are the names and texts of the special tokens that it may write.
    ///
    /// # Errors
    /// What is wrong with the source, as text.
    pub fn compile(source: String, specials: Vec<(String, String)>) -> Result<Self, String> {
        let mut environment = environment();
        environment
            .add_template_owned(NAME, rewritten(&source))
            .map_err(|error| format!("its chat template does not parse: {error:#}"))?;
        Ok(Self {
            environment,
            source,
            specials,
        })
    }

    /// As it is written in the model's files.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The prompt's text.
    ///
    /// # Errors
    /// Why the template refuses the chat, in words that quote nothing of it.
    pub fn render(&self, request: &RenderRequest) -> Result<String, String> {
        let messages: Vec<Value> = match request.messages {
            Messages::Chat(chat, form) => chat.iter().map(|one| message(one, form)).collect(),
            Messages::Json(chat) => chat.iter().map(values::of).collect(),
        };
        let fixed = [
            ("messages", Value::from(messages)),
            ("tools", values::of(request.tools)),
            ("documents", Value::from(())),
            ("add_generation_prompt", Value::from(request.add_generation_prompt)),
        ];
        let specials = self
            .specials
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str().into()));
        let options = request.options.iter().filter(|(name, _)| *name != "messages");
        let variables = specials
            .chain(fixed)
            .chain(options.map(|(name, value)| (name.as_str(), values::of(value))))
            .map(|(name, value)| (Value::from(name), value));
        self.environment
            .get_template(NAME)
            .and_then(|template| template.render(Dictionary::new(variables).into_value()))
            .map_err(|error| refusal(&error, &self.source))
    }
}

/// A message as templates see it.
fn message(message: &ChatMessage, form: CallForm) -> Value {
    let own = [
        ("role", Value::from(message.role.name())),
        ("content", values::of(&form.content(message))),
    ];
    let fields = form.fields(message);
    let further = fields.iter().map(|(name, value)| (name.as_str(), values::of(value)));
    Dictionary::new(
        own.into_iter()
            .chain(further)
            .map(|(name, value)| (Value::from(name), value)),
    )
    .into_value()
}
