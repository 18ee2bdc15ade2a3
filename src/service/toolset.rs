use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::context::Chat;
use crate::decode::Calls;
use crate::upstream::Driver;
use crate::vocabulary::{Alignment, Calling, Role, Tokenizer};

/// What the two models do with tools.
pub struct Toolset {
    upstream: Writes,
    local: Writes,
    /// How the upstream's model writes calls; `None` where no known family does so.
    calling: Option<Arc<Calling>>,
}

/// What a chat template writes.
#[derive(Clone, Copy)]
struct Writes {
    /// Which tools there are.
    tools: bool,
    /// Calls, and what tools say.
    calls: bool,
}

impl Writes {
    fn of(tokenizer: &Tokenizer) -> Self {
        Self {
            tools: tokenizer.writes_tools(),
            calls: tokenizer.writes_calls(),
        }
    }
}

impl Toolset {
    /// As the chat templates say.
    pub fn find(alignment: &Alignment) -> Self {
        Self {
            upstream: Writes::of(alignment.upstream()),
            local: Writes::of(alignment.local()),
            calling: Calling::find(alignment.upstream()).map(Arc::new),
        }
    }

    /// Whether the upstream's model is told of tools, and nobody knows how it calls them.
    pub fn has_unknown_calls(&self) -> bool {
        self.upstream.tools && self.calling.is_none()
    }

    /// What may be called where these are the tools; `None` where there are none.
    pub fn calls(&self, tools: &Arc<[Value]>, parallel: bool) -> Option<Calls> {
        let calling = self.calling.as_ref().filter(|_| !tools.is_empty())?;
        Some(Calls {
            calling: Arc::clone(calling),
            tools: Arc::clone(tools),
            parallel,
        })
    }

    /// Which field of `chat` has tools that the upstream's model cannot be asked with, and why.
    pub fn refusal(&self, chat: &Chat, driver: Driver) -> Option<(String, &'static str)> {
        if !chat.tools.is_empty() {
            let reason = match (driver, self.upstream.tools, &self.calling) {
                (Driver::OpenaiChat, _, _) => "the upstream takes chats alone, and reads calls itself",
                (_, false, _) => "the chat template of the upstream's model knows no tools",
                (_, true, None) => "it is not known how the upstream's model marks calls",
                (_, true, Some(_)) => return self.unwritten(chat),
            };
            return Some(("tools".to_owned(), reason));
        }
        self.unwritten(chat)
    }

    fn unwritten(&self, chat: &Chat) -> Option<(String, &'static str)> {
        if self.upstream.calls {
            return None;
        }
        let field = chat.messages.iter().enumerate().find_map(|(index, message)| {
            let field = match (message.role, message.calls()) {
                (Role::Tool, _) => "role",
                (_, Some(_)) => "tool_calls",
                _ => return None,
            };
            Some(format!("messages[{index}].{field}"))
        })?;
        Some((
            field,
            "the chat template of the upstream's model writes no calls of tools",
        ))
    }
}

impl fmt::Display for Toolset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.calling, self.upstream.tools) {
            (Some(calling), true) => write!(
                formatter,
                "the upstream's model calls them as {} do, after {:?}",
                calling.family(),
                calling.open()
            ),
            (None, true) => write!(
                formatter,
                "the upstream's model has them, and it is not known how it marks calls"
            ),
            (_, false) => write!(formatter, "the upstream's chat template knows none"),
        }?;
        let local = match (self.local.tools, self.local.calls) {
            (true, true) => "knows them, too",
            (true, false) => "knows which there are, and writes no calls",
            (false, true) => "writes calls, and not which there are",
            (false, false) => "knows none, so both branches go without",
        };
        write!(formatter, "; the local model's {local}")
    }
}
