use zeroize::Zeroize;

use super::{ChatTemplate, RenderRequest};
use super::{begun, roles};
use crate::vocabulary::{ChatMessage, Role, TemplateOptions};

/// Writes chats of any order of roles, whatever its template takes.
pub struct ChatWriter {
    template: ChatTemplate,
    /// What the configuration sets.
    options: TemplateOptions,
    system: SystemRole,
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
        Ok(writer)
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

    /// The prompt for `chat`, ending where the assistant's answer begins. Options of the request win over configured ones.
    ///
    /// # Errors
    /// Why the template refuses the chat, in words that quote nothing of it.
    pub fn prompt(&self, chat: &[ChatMessage], options: &TemplateOptions) -> Result<String, String> {
        self.written(chat, options, true)
    }

    /// The prompt for `chat`, ending where its last message does, which is one of the assistant's.
    ///
    /// # Errors
    /// As for [`Self::prompt`], or that the template does not write that message as it is.
    pub fn begun(&self, chat: &[ChatMessage], options: &TemplateOptions) -> Result<String, String> {
        let mut marked = begun::marked(chat);
        let written = self.written(&marked, options, false);
        marked.iter_mut().for_each(|message| message.content.zeroize());
        begun::cut(written?)
    }

    fn written(&self, chat: &[ChatMessage], options: &TemplateOptions, generates: bool) -> Result<String, String> {
        let fitted = match self.system {
            SystemRole::Refused => roles::without_system(chat),
            SystemRole::Taken | SystemRole::Needed => None,
        };
        let fitted = fitted.as_deref().unwrap_or(chat);
        self.render(fitted, options, generates).or_else(|refusal| {
            let merged = roles::merged(fitted);
            if *merged == *fitted {
                return Err(refusal);
            }
            // What it says of the chat as it came is nearer to what was asked.
            self.render(&merged, options, generates).map_err(|_| refusal)
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
        self.template.render(&RenderRequest {
            add_generation_prompt: generates,
            options: &self.options.overridden_by(options).0,
            ..RenderRequest::chat(chat)
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
