use axum::response::sse::Event;
use serde_json::{Value, json};

use super::frame::{Frame, id, status};
use super::items::{Kind, call};
use crate::decode::{Finish, Report};
use crate::http::ApiError;
use crate::http::answer::call::AnswerCall;
use crate::http::answer::event::AnswerEvent;
use crate::http::answer::openai::rows;
use crate::http::answer::piece::Piece;
use crate::http::answer::stream::StreamWriter;
use crate::http::answer::trace;
use crate::wire::Usage;

/// Writes a response as the events that lead to it.
pub struct ResponsesStream {
    frame: Frame,
    /// Events so far.
    sequence: u64,
    /// Items that are complete.
    output: Vec<Value>,
    open: Option<Open>,
    /// Text and log-probabilities that no message has been begun for.
    unsaid: (String, Vec<Value>),
    finish: Option<Finish>,
    /// How the tokens were picked, where that was asked for.
    settings: Option<Value>,
    positions: Vec<Value>,
}

/// The item that is being written.
struct Open {
    kind: Kind,
    id: String,
    text: String,
    logprobs: Vec<Value>,
}

impl ResponsesStream {
    /// Within this frame.
    pub fn new(frame: Frame) -> Self {
        Self {
            frame,
            sequence: 0,
            output: Vec::new(),
            open: None,
            unsaid: Default::default(),
            finish: None,
            settings: None,
            positions: Vec::new(),
        }
    }

    fn event(&mut self, name: &str, fields: Value) -> Event {
        let mut data = json!({"type": name, "sequence_number": self.sequence});
        self.sequence += 1;
        if let (Some(data), Value::Object(fields)) = (data.as_object_mut(), fields) {
            data.extend(fields);
        }
        Event::default().event(name).data(data.to_string())
    }

    /// An event of the item that is being written.
    fn item_event(&mut self, name: &str, id: &str, mut fields: Value) -> Event {
        fields["item_id"] = id.into();
        fields["output_index"] = self.output.len().into();
        fields["content_index"] = 0.into();
        self.event(name, fields)
    }

    fn more(&mut self, piece: Piece, events: &mut Vec<Event>) {
        self.positions.extend(piece.position);
        if !piece.reasoning.is_empty() {
            self.say(Kind::Reasoning, &piece.reasoning, Vec::new(), events);
        }
        self.unsaid.0.push_str(&piece.text);
        self.unsaid.1.extend(rows(&piece.tokens));
        // Blanks alone begin no message, and neither do tokens without a text: a call may be all that comes.
        let is_message = self.open.as_ref().is_some_and(|open| open.kind == Kind::Message);
        if is_message || !self.unsaid.0.trim().is_empty() {
            self.say_all(events);
        }
        for call in &piece.calls {
            self.unsaid = Default::default();
            self.call(call, events);
        }
    }

    /// Says what has waited for a word.
    fn say_all(&mut self, events: &mut Vec<Event>) {
        let (text, logprobs) = std::mem::take(&mut self.unsaid);
        if !text.is_empty() || !logprobs.is_empty() {
            self.say(Kind::Message, &text, logprobs, events);
        }
    }

    fn call(&mut self, one: &AnswerCall, events: &mut Vec<Event>) {
        self.close("completed", events);
        let (id, index) = (id("fc"), self.output.len());
        let added = json!({"output_index": index, "item": call(&id, one, "", "in_progress")});
        events.push(self.event("response.output_item.added", added));
        let delta = json!({"item_id": id, "output_index": index, "delta": one.arguments});
        events.push(self.event("response.function_call_arguments.delta", delta));
        let done = json!({"item_id": id, "output_index": index, "name": one.name, "arguments": one.arguments});
        events.push(self.event("response.function_call_arguments.done", done));
        let item = call(&id, one, &one.arguments, "completed");
        let done = json!({"output_index": index, "item": item});
        events.push(self.event("response.output_item.done", done));
        self.output.push(item);
    }

    fn say(&mut self, kind: Kind, text: &str, logprobs: Vec<Value>, events: &mut Vec<Event>) {
        if self.open.as_ref().is_none_or(|open| open.kind != kind) {
            self.close("completed", events);
            self.begin(kind, events);
        }
        let Some(mut open) = self.open.take() else {
            return;
        };
        let mut fields = json!({"delta": text});
        if kind == Kind::Message {
            fields["logprobs"] = logprobs.clone().into();
        }
        events.push(self.item_event(&format!("response.{}.delta", kind.text()), &open.id, fields));
        open.text.push_str(text);
        open.logprobs.extend(logprobs);
        self.open = Some(open);
    }

    fn begin(&mut self, kind: Kind, events: &mut Vec<Event>) {
        let id = id(kind.prefix());
        let item = kind.item(&id, "in_progress", Vec::new());
        let added = json!({"output_index": self.output.len(), "item": item});
        events.push(self.event("response.output_item.added", added));
        let part = json!({"part": kind.part("", &[])});
        events.push(self.item_event("response.content_part.added", &id, part));
        self.open = Some(Open {
            kind,
            id,
            text: String::new(),
            logprobs: Vec::new(),
        });
    }

    fn close(&mut self, status: &str, events: &mut Vec<Event>) {
        let Some(Open {
            kind,
            id,
            text,
            logprobs,
        }) = self.open.take()
        else {
            return;
        };
        let part = kind.part(&text, &logprobs);
        let mut fields = json!({"text": text});
        if kind == Kind::Message {
            fields["logprobs"] = logprobs.into();
        }
        events.push(self.item_event(&format!("response.{}.done", kind.text()), &id, fields));
        let done = json!({"part": part});
        events.push(self.item_event("response.content_part.done", &id, done));
        let item = kind.item(&id, status, vec![part]);
        let done = json!({"output_index": self.output.len(), "item": item});
        events.push(self.event("response.output_item.done", done));
        self.output.push(item);
    }

    fn end(&mut self, usage: Usage, report: &Report) -> Event {
        let output = std::mem::take(&mut self.output);
        let mut response = self.frame.ended(output, self.finish, usage);
        response["costeer"] = json!(report);
        if let Some(settings) = self.settings.take() {
            let positions = std::mem::take(&mut self.positions);
            response["costeer"]["trace"] = json!([trace::part(0, Some(settings), positions)]);
        }
        let name = format!("response.{}", status(self.finish));
        self.event(&name, json!({"response": response}))
    }
}

impl StreamWriter for ResponsesStream {
    fn write(&mut self, event: AnswerEvent) -> Vec<Event> {
        let mut events = Vec::new();
        match event {
            AnswerEvent::Begin { settings, .. } => {
                self.settings = settings;
                for name in ["response.created", "response.in_progress"] {
                    let response = self.frame.begun();
                    events.push(self.event(name, json!({"response": response})));
                }
            }
            AnswerEvent::More { piece, .. } => self.more(piece, &mut events),
            AnswerEvent::Finish { finish, .. } => {
                self.finish = Some(finish);
                let has_called = self.output.iter().any(|item| item["type"] == "function_call");
                if !has_called {
                    self.say_all(&mut events);
                }
                if self.open.is_none() && self.output.is_empty() {
                    self.begin(Kind::Message, &mut events);
                }
                let status = match &self.open {
                    Some(open) if open.kind == Kind::Message => status(self.finish),
                    _ => "completed",
                };
                self.close(status, &mut events);
            }
            AnswerEvent::End { usage, report } => events.push(self.end(usage, &report)),
        }
        events
    }

    fn failed(&mut self, error: &ApiError) -> Vec<Event> {
        let output = std::mem::take(&mut self.output);
        let response = self.frame.failed(output, &error.body()["error"]["message"]);
        vec![self.event("response.failed", json!({"response": response}))]
    }
}
