use serde_json::Value;
use zeroize::Zeroize;

use super::tools::{self, CallForm, FORMS};
use super::{ChatTemplate, Messages, RenderRequest};
use super::{begun, roles};
use crate::vocabulary::{ChatMessage, Role, TemplateOptions};

/// Writes chats of any order of roles, whatever its template takes.
pub struct ChatWriter {
    template: ChatTemplate,
    /// What the configuration sets.
    options: TemplateOptions,
    system: SystemRole,
    /// Whether it writes which tools there are.
    writes_tools: bool,
    /// How it takes calls and what tools say; `None` where it does not write them.
    calls: Option<CallForm>,
}

/// How a template treats what the system says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemRole {
    /// A chat may have a system message.
    Taken,
    /// A chat must have one.
    Needed,
    /// It refuses or drops them.
    Refused,
}

/// Texts that no template contains.
const SYSTEM: &str = "Instructions to be looked for.";
const USER: &str = "A question to be looked for.";

impl ChatWriter {
    /// Tries what the template takes. `options` are rendered into every prompt.
    ///
    /// # Errors
    /// Why the template can write no chat at all, as text.
    pub fn new(template: ChatTemplate, options: TemplateOptions) -> Result<Self, String> {
        let mut writer = Self {
            template,
            options,
            system: SystemRole::Taken,
            writes_tools: false,
            calls: None,
        };
        let [alone, instructed] = [writer.question(), writer.instructed()].map(|chat| writer.exactly(&chat));
        let says = |prompt: &Result<String, String>, text| prompt.as_ref().is_ok_and(|prompt| prompt.contains(text));
        let takes_system = says(&instructed, SYSTEM) && says(&instructed, USER);
        writer.system = match (says(&alone, USER), takes_system) {
            (true, true) => SystemRole::Taken,
            (false, true) => SystemRole::Needed,
            (true, false) => SystemRole::Refused,
            (false, false) => {
                let lost = "what the user says is not in the prompt".to_owned();
                return Err(alone.err().or(instructed.err()).unwrap_or(lost));
            }
        };
        let asked = match writer.system {
            SystemRole::Needed => writer.instructed(),
            SystemRole::Taken | SystemRole::Refused => writer.question(),
        };
        let called: Vec<ChatMessage> = asked.iter().cloned().chain(tools::exchange()).collect();
        let tool = tools::tool();
        let options = TemplateOptions::default();
        let asked = writer.written(&asked, &tool, &options, FORMS[0], true);
        writer.writes_tools = asked.is_ok_and(|prompt| prompt.contains(tools::NAME));
        let takes = |form: &CallForm| {
            let prompt = writer.written(&called, &tool, &options, *form, true);
            prompt.is_ok_and(|prompt| tools::is_written(&prompt))
        };
        writer.calls = FORMS.into_iter().find(takes);
        Ok(writer)
    }

    /// Whether the template writes which tools there are.
    pub fn writes_tools(&self) -> bool {
        self.writes_tools
    }

    /// Whether the template writes calls and what tools say.
    pub fn writes_calls(&self) -> bool {
        self.calls.is_some()
    }

    /// The template as it is written in the model's files.
    pub fn source(&self) -> &str {
        self.template.source()
    }

    /// What is rendered into every prompt.
    pub fn options(&self) -> &TemplateOptions {
        &self.options
    }

    /// How the template treats what the system says.
    pub fn system_role(&self) -> SystemRole {
        self.system
    }

    /// The system message that the template writes by itself into a chat that has none.
    pub fn own_system(&self, options: &TemplateOptions) -> Option<String> {
        if self.system != SystemRole::Taken {
            return None;
        }
        let alone = self.render(&self.question(), options, true).ok()?;
        let instructed = self.render(&self.instructed(), options, true).ok()?;
        let (before, after) = instructed.split_once(SYSTEM)?;
        let own = alone.strip_prefix(before)?.strip_suffix(after)?;
        (!own.trim().is_empty()).then(|| own.to_owned())
    }

    /// The prompt for `chat`, ending where the assistant's answer begins. `tools` are those that may be called, in OpenAI's form;
    /// a template that knows none writes neither them nor calls. Options of the request win over configured ones.
    ///
    /// # Errors
    /// Why the template refuses the chat, in words that quote nothing of it.
    pub fn prompt(&self, chat: &[ChatMessage], tools: &[Value], options: &TemplateOptions) -> Result<String, String> {
        self.fitting(chat, tools, options, true)
    }

    /// The prompt for `chat`, ending where its last message does, which is one of the assistant's.
    ///
    /// # Errors
    /// As for [`Self::prompt`], or that the template does not write that message as it is.
    pub fn begun(&self, chat: &[ChatMessage], tools: &[Value], options: &TemplateOptions) -> Result<String, String> {
        let mut marked = begun::marked(chat);
        let written = self.fitting(&marked, tools, options, false);
        marked.iter_mut().for_each(|message| message.content.zeroize());
        begun::cut(written?)
    }

    fn fitting(
        &self,
        chat: &[ChatMessage],
        tools: &[Value],
        options: &TemplateOptions,
        generates: bool,
    ) -> Result<String, String> {
        let tools = match tools {
            [_, ..] if self.writes_tools => Value::Array(tools.to_vec()),
            _ => Value::Null,
        };
        let known = match self.calls {
            Some(_) => None,
            None => roles::without_calls(chat),
        };
        let known = known.as_deref().unwrap_or(chat);
        let fitted = match self.system {
            SystemRole::Refused => roles::without_system(known),
            SystemRole::Taken | SystemRole::Needed => None,
        };
        let fitted = fitted.as_deref().unwrap_or(known);
        let form = self.calls.unwrap_or(FORMS[0]);
        self.written(fitted, &tools, options, form, generates)
            .or_else(|refusal| {
                let merged = roles::merged(fitted);
                if *merged == *fitted {
                    return Err(refusal);
                }
                // What it says of the chat as it came is nearer to what was asked.
                self.written(&merged, &tools, options, form, generates)
                    .map_err(|_| refusal)
            })
    }

    /// What the template puts between the prompt and the answer that follows: empty, or the space that some families begin their
    /// answers with.
    pub fn lead(&self) -> Vec<u8> {
        const ANSWER: &str = "An answer of the assistant's.";
        let chat = match self.system {
            SystemRole::Needed => self.instructed(),
            SystemRole::Taken | SystemRole::Refused => self.question(),
        };
        let answered = [chat.clone(), vec![ChatMessage::new(Role::Assistant, ANSWER)]].concat();
        let prompts = self.exactly(&chat).ok().zip(self.exactly(&answered).ok());
        let between = prompts.and_then(|(prompt, whole)| {
            let (between, _) = whole.strip_prefix(&prompt)?.split_once(ANSWER)?;
            between.trim().is_empty().then(|| between.as_bytes().to_vec())
        });
        between.unwrap_or_default()
    }

    fn question(&self) -> Vec<ChatMessage> {
        vec![ChatMessage::new(Role::User, USER)]
    }

    fn instructed(&self) -> Vec<ChatMessage> {
        vec![
            ChatMessage::new(Role::System, SYSTEM),
            ChatMessage::new(Role::User, USER),
        ]
    }

    fn exactly(&self, chat: &[ChatMessage]) -> Result<String, String> {
        self.render(chat, &TemplateOptions::default(), true)
    }

    fn render(&self, chat: &[ChatMessage], options: &TemplateOptions, generates: bool) -> Result<String, String> {
        self.written(chat, &Value::Null, options, FORMS[0], generates)
    }

    fn written(
        &self,
        chat: &[ChatMessage],
        tools: &Value,
        options: &TemplateOptions,
        form: CallForm,
        generates: bool,
    ) -> Result<String, String> {
        self.template.render(&RenderRequest {
            messages: Messages::Chat(chat, form),
            tools,
            options: &self.options.overridden_by(options).0,
            add_generation_prompt: generates,
        })
    }

    /// A request with configured options.
    pub(super) fn render_request(&self, request: &RenderRequest) -> Result<String, String> {
        self.template.render(&RenderRequest {
            options: &self.options.0,
            ..*request
        })
    }
}
