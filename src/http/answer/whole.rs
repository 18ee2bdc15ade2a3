use serde_json::Value;

use super::call::AnswerCall;
use super::event::AnswerEvent;
use super::piece::AnswerToken;
use super::run::Events;
use crate::decode::{Finish, Report};
use crate::http::ApiError;
use crate::wire::Usage;

/// An answer that has come to its end.
#[derive(Default)]
pub struct Answer {
    /// What it says.
    pub text: String,
    /// What the model has thought before.
    pub reasoning: String,
    /// The tools that it calls.
    pub calls: Vec<AnswerCall>,
    /// Its tokens, where log-probabilities were asked for.
    pub tokens: Vec<AnswerToken>,
    /// Why it ended.
    pub finish: Option<Finish>,
    /// The text that ended it, where the request named one that did.
    pub stop: Option<String>,
    /// How its tokens were picked, where that was asked for.
    pub settings: Option<Value>,
    /// The same of each.
    pub positions: Vec<Value>,
}

/// All answers to a request.
#[derive(Default)]
pub struct Whole {
    /// In their order.
    pub answers: Vec<Answer>,
    /// Tokens of all of them.
    pub usage: Usage,
    /// What they cost together.
    pub report: Report,
}

impl Whole {
    /// Waits for all of it.
    ///
    /// # Errors
    /// An [`ApiError`] when one fails anywhere: half an answer is none.
    pub async fn collect(mut events: Events) -> Result<Self, ApiError> {
        let mut whole = Self::default();
        while let Some(event) = events.recv().await {
            whole.take(event?);
        }
        Ok(whole)
    }

    fn take(&mut self, event: AnswerEvent) {
        match event {
            AnswerEvent::Begin { index, settings, .. } => {
                // They run side by side.
                let count = self.answers.len().max(index + 1);
                self.answers.resize_with(count, Answer::default);
                if let Some(answer) = self.answers.get_mut(index) {
                    answer.settings = settings;
                }
            }
            AnswerEvent::More { index, piece } => {
                if let Some(answer) = self.answers.get_mut(index) {
                    answer.text.push_str(&piece.text);
                    answer.reasoning.push_str(&piece.reasoning);
                    answer.calls.extend(piece.calls);
                    answer.tokens.extend(piece.tokens);
                    answer.positions.extend(piece.position);
                }
            }
            AnswerEvent::Finish {
                index, finish, stop, ..
            } => {
                if let Some(answer) = self.answers.get_mut(index) {
                    (answer.finish, answer.stop) = (Some(finish), stop);
                }
            }
            AnswerEvent::End { usage, report } => (self.usage, self.report) = (usage, report),
        }
    }
}
