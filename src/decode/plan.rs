use std::sync::Arc;

use super::bypass::BypassRule;
use super::phases::{Calls, Phase, Reasoning, Tools};
use super::pick::{Exactness, Listing};
use super::trace::Trace;
use super::window::Lookahead;
use crate::steering::{Penalties, Rule, Sampling};
use crate::structure::{ForcedCall, Grammar};
use crate::upstream::{Caller, Prefix};
use crate::vocabulary::{Thinking, TokenId, ToolCall};

/// How far a session may go.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Tokens of the answer, the end of turn not counted.
    pub max_tokens: usize,
    /// Positions to ask of the upstream in one request.
    pub lookahead: Lookahead,
    /// Candidates to ask for at each position.
    pub top_k: usize,
}

/// Everything that defines a steered generation.
pub struct Plan {
    /// On whose behalf the upstream is asked.
    pub caller: Caller,
    /// The upstream's prompt.
    pub prompt: Prefix,
    /// Strength and its companions.
    pub rule: Rule,
    /// Greedy or drawn.
    pub sampling: Sampling,
    /// What is asked of single tokens.
    pub penalties: Penalties,
    /// How many of the steered policy's best tokens to list at each position; `None` where the request asks for none.
    pub list: Option<usize>,
    /// Whether each pick comes with its [`Trace`].
    pub traced: bool,
    /// What to do about tokens the upstream does not list.
    pub exactness: Exactness,
    /// The answer ends where the upstream gives a token that ends it more than this probability, even if steering would go on.
    /// `None`: ends are steered like all tokens.
    pub forced_stop: Option<f64>,
    /// Where not to steer at all.
    pub bypass: BypassRule,
    /// How the upstream's model marks its thoughts; `None` where it has none, or where nothing is to be known of them.
    pub thinking: Option<Arc<Thinking>>,
    /// What is done about its thoughts.
    pub reasoning: Reasoning,
    /// What the answer must look like; `None` where it may be anything.
    pub grammar: Option<Arc<Grammar>>,
    /// What the answer calls, which is written in the grammar; `None` where it is the answer itself.
    pub forced_call: Option<ForcedCall>,
    /// What may be called; `None` where there are no tools.
    pub calls: Option<Calls>,
    /// What is steered of an answer with calls.
    pub tools: Tools,
    /// Bounds.
    pub limits: SessionLimits,
    /// Tokens of the small model's that each of its branches can take after its prompt.
    pub local_room: usize,
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The end-of-turn token was picked.
    Stop,
    /// The same, in an answer that calls tools.
    Calls,
    /// The token limit or a model's window was reached.
    Length,
}

/// A token that was picked.
#[derive(Clone, Debug)]
pub struct Picked {
    /// The token.
    pub token: TokenId,
    /// The upstream's own likeliest token there.
    pub upstream_best: TokenId,
    /// What the steered policy thought of it, where that was asked for.
    pub listing: Option<Listing>,
}

/// What a session yields.
#[derive(Clone, Debug)]
pub struct Event {
    /// The token of this position.
    pub picked: Picked,
    /// The text that became certain with it, in whole characters; often empty inside a character.
    pub text: String,
    /// The same of the thought before the answer.
    pub reasoning: String,
    /// Calls that ended with it.
    pub calls: Vec<ToolCall>,
    /// What the token belongs to. Those before it that were undecided belong there, too.
    pub phase: Phase,
    /// How the token came to be picked, where that was asked for.
    pub trace: Option<Box<Trace>>,
    /// Set on the last event.
    pub finish: Option<Finish>,
}
