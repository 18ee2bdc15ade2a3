use axum::response::sse::{Event, KeepAlive};
use serde_json::{Value, json};

use super::envelope::{message, stop_reason, text, thinking, tool_use};
use crate::decode::{Finish, Report};
use crate::http::ApiError;
use crate::http::answer::call::AnswerCall;
use crate::http::answer::event::AnswerEvent;
use crate::http::answer::piece::Piece;
use crate::http::answer::stream::StreamWriter;
use crate::http::answer::trace;
use crate::service::Options;
use crate::wire::Usage;

/// Writes a message as the events that lead to it.
pub struct MessagesStream {
    options: Options,
    /// Blocks that are complete.
    blocks: usize,
    open: Option<Kind>,
    /// Blanks that no block has been begun for.
    unsaid: String,
    has_called: bool,
    ended: Option<(Finish, Option<String>)>,
    /// How the tokens were picked, where that was asked for.
    settings: Option<Value>,
    positions: Vec<Value>,
}

/// What the block that is being written holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Thinking,
    Text,
}

impl MessagesStream {
    /// For the answer to a request with these options.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            blocks: 0,
            open: None,
            unsaid: String::new(),
            has_called: false,
            ended: None,
            settings: None,
            positions: Vec::new(),
        }
    }

    fn say(&mut self, kind: Kind, said: &str, events: &mut Vec<Event>) {
        if said.is_empty() {
            return;
        }
        if self.open != Some(kind) {
            self.close(events);
            self.open = Some(kind);
            let block = match kind {
                Kind::Thinking => thinking(""),
                Kind::Text => text(""),
            };
            events.push(event(
                "content_block_start",
                json!({"index": self.blocks, "content_block": block}),
            ));
        }
        let delta = match kind {
            Kind::Thinking => json!({"type": "thinking_delta", "thinking": said}),
            Kind::Text => json!({"type": "text_delta", "text": said}),
        };
        events.push(event(
            "content_block_delta",
            json!({"index": self.blocks, "delta": delta}),
        ));
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        if self.open.take().is_some() {
            events.push(event("content_block_stop", json!({"index": self.blocks})));
            self.blocks += 1;
        }
    }

    fn more(&mut self, piece: Piece, events: &mut Vec<Event>) {
        self.positions.extend(piece.position);
        self.say(Kind::Thinking, &piece.reasoning, events);
        self.unsaid.push_str(&piece.text);
        // Anthropic takes back no block of blanks alone.
        if self.open == Some(Kind::Text) || !self.unsaid.trim().is_empty() {
            self.say_all(events);
        }
        for call in &piece.calls {
            self.call(call, events);
        }
    }

    /// Says what has waited for a word.
    fn say_all(&mut self, events: &mut Vec<Event>) {
        let text = std::mem::take(&mut self.unsaid);
        self.say(Kind::Text, &text, events);
    }

    fn call(&mut self, call: &AnswerCall, events: &mut Vec<Event>) {
        self.close(events);
        self.unsaid.clear();
        self.has_called = true;
        let index = self.blocks;
        let block = tool_use(call, &json!({}));
        events.push(event(
            "content_block_start",
            json!({"index": index, "content_block": block}),
        ));
        let delta = json!({"type": "input_json_delta", "partial_json": call.arguments});
        events.push(event("content_block_delta", json!({"index": index, "delta": delta})));
        events.push(event("content_block_stop", json!({"index": index})));
        self.blocks += 1;
    }

    fn end(&mut self, usage: Usage, report: &Report) -> Event {
        let (finish, stop) = self.ended.take().unzip();
        let stop = stop.flatten();
        let mut delta = json!({
            "delta": {
                "stop_reason": finish.map(|finish| stop_reason(finish, stop.as_ref())),
                "stop_sequence": stop,
            },
            "usage": {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens},
            "costeer": report,
        });
        if let Some(settings) = self.settings.take() {
            let positions = std::mem::take(&mut self.positions);
            delta["costeer"]["trace"] = json!([trace::part(0, Some(settings), positions)]);
        }
        event("message_delta", delta)
    }
}

fn event(name: &str, fields: Value) -> Event {
    let mut data = json!({"type": name});
    if let (Some(data), Value::Object(fields)) = (data.as_object_mut(), fields) {
        data.extend(fields);
    }
    Event::default().event(name).data(data.to_string())
}

impl StreamWriter for MessagesStream {
    fn write(&mut self, what: AnswerEvent) -> Vec<Event> {
        let mut events = Vec::new();
        match what {
            AnswerEvent::Begin {
                prompt_tokens,
                settings,
                ..
            } => {
                self.settings = settings;
                let message = message(&self.options, Vec::new(), prompt_tokens);
                events.push(event("message_start", json!({"message": message})));
                events.push(event("ping", json!({})));
            }
            AnswerEvent::More { piece, .. } => self.more(piece, &mut events),
            AnswerEvent::Finish { finish, stop, .. } => {
                if !self.has_called {
                    self.say_all(&mut events);
                }
                self.close(&mut events);
                self.ended = Some((finish, stop));
            }
            AnswerEvent::End { usage, report } => {
                events.push(self.end(usage, &report));
                events.push(event("message_stop", json!({})));
            }
        }
        events
    }

    fn failed(&mut self, error: &ApiError) -> Vec<Event> {
        vec![Event::default().event("error").data(error.anthropic().to_string())]
    }

    fn keep_alive(&self) -> KeepAlive {
        KeepAlive::new().event(event("ping", json!({})))
    }
}
