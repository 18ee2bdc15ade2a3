use std::collections::BTreeMap;

use axum::response::sse::Event;
use serde_json::{Value, json};

use super::calls::deltas;
use super::shared::{envelope, finish_reason, logprobs_of};
use crate::http::ApiError;
use crate::http::answer::event::AnswerEvent;
use crate::http::answer::piece::Piece;
use crate::http::answer::stream::StreamWriter;
use crate::http::answer::trace;
use crate::service::Options;
use crate::wire::{DONE, Envelope, Shape};

/// Writes chat completions or completions in parts.
pub struct OpenaiStream {
    envelope: Envelope,
    options: Options,
    /// Of the answers by their numbers, until they have been written.
    settings: BTreeMap<usize, Value>,
}

impl OpenaiStream {
    /// For an answer of this kind.
    pub fn new(shape: Shape, options: Options) -> Self {
        Self {
            envelope: envelope(shape, &options),
            options,
            settings: BTreeMap::new(),
        }
    }

    fn more(&mut self, index: usize, piece: Piece) -> Value {
        let shape = self.envelope.shape();
        let logprobs = logprobs_of(&self.options, shape, &piece.tokens);
        let text = (!piece.text.is_empty()).then_some(piece.text.as_str());
        let mut choice = shape.part_choice(index, text, logprobs, None);
        shape.add_reasoning(&mut choice, &piece.reasoning);
        let mut part = self.part(vec![choice]);
        if let Some(position) = piece.position {
            part["costeer"] = json!({"trace": trace::part(index, self.settings.remove(&index), vec![position])});
        }
        part
    }

    fn part(&self, choices: Vec<Value>) -> Value {
        let mut part = self.envelope.part(choices);
        if self.options.include_usage {
            // OpenAI: null on every part but the last.
            part["usage"] = Value::Null;
        }
        part
    }
}

impl StreamWriter for OpenaiStream {
    fn write(&mut self, event: AnswerEvent) -> Vec<Event> {
        let shape = self.envelope.shape();
        match event {
            AnswerEvent::Begin { index, settings, .. } => {
                self.settings.extend(settings.map(|settings| (index, settings)));
                let opening = shape.opening(index);
                opening
                    .map(|choice| data(&self.part(vec![choice])))
                    .into_iter()
                    .collect()
            }
            AnswerEvent::More { index, mut piece } => {
                let calls = std::mem::take(&mut piece.calls);
                let said = (!piece.is_empty()).then(|| self.more(index, piece));
                let called = calls.iter().flat_map(deltas).map(|delta| {
                    let mut choice = shape.part_choice(index, None, Value::Null, None);
                    choice["delta"] = delta;
                    self.part(vec![choice])
                });
                said.into_iter().chain(called).map(|part| data(&part)).collect()
            }
            AnswerEvent::Finish {
                index, finish, report, ..
            } => {
                let last = shape.part_choice(index, None, Value::Null, Some(finish_reason(finish)));
                let mut last = self.part(vec![last]);
                last["costeer"] = json!(report);
                vec![data(&last)]
            }
            AnswerEvent::End { usage, .. } => {
                let last = self.options.include_usage.then(|| {
                    let mut last = self.part(Vec::new());
                    last["usage"] = usage.openai();
                    data(&last)
                });
                last.into_iter().chain([Event::default().data(DONE)]).collect()
            }
        }
    }

    fn failed(&mut self, error: &ApiError) -> Vec<Event> {
        // No [DONE] after it: a cut answer must not look like a finished one.
        vec![data(&error.body())]
    }
}

fn data(part: &Value) -> Event {
    Event::default().data(part.to_string())
}
