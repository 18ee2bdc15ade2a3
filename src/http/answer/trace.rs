//! How the tokens of an answer were picked, as JSON: openapi.yaml has the schema.

use serde_json::{Value, json};

use crate::decode::{Picking, Plan, Trace, in_seconds};
use crate::service::SteeredRequest;
use crate::steering::Weighed;
use crate::vocabulary::TokenId;

/// What is the same for all tokens of the answer with this number.
pub fn settings(plan: &Plan) -> Value {
    let (rule, sampling, penalties) = (&plan.rule, &plan.sampling, &plan.penalties);
    json!({
        "strength": rule.strength.value(),
        "delta_floor": rule.delta_floor,
        "plausibility": rule.plausibility,
        "max_shift": rule.cap.map(|cap| cap.nats()),
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        // As the request would have to say it.
        "seed": sampling.seed.cast_signed(),
        "presence_penalty": penalties.presence,
        "frequency_penalty": penalties.frequency,
        "repetition_penalty": penalties.repetition,
        "exactness": plan.exactness,
        "bypass": plan.bypass.mode,
        "reasoning": plan.reasoning,
        "tools": plan.tools,
    })
}

impl SteeredRequest {
    /// One position of a trace.
    pub(super) fn position(&self, trace: &Trace) -> Value {
        let certainty = match trace.picking {
            Picking::Passed | Picking::Own | Picking::Stopped | Picking::Forced => None,
            Picking::Steered(certainty) => certainty,
        };
        let candidates: Vec<Value> = trace
            .candidates
            .iter()
            .map(|(id, one)| self.candidate(*id, one))
            .collect();
        json!({
            "position": trace.position,
            "id": trace.token,
            "text": self.shown(trace.token),
            "bytes": self.token_bytes().get(trace.token),
            "upstream": {"id": trace.upstream_best, "text": self.shown(trace.upstream_best)},
            "phase": trace.phase,
            "steered": matches!(trace.picking, Picking::Steered(_)),
            "forced": trace.picking == Picking::Forced,
            "certainty": certainty,
            "request": trace.request,
            "candidates": candidates,
            "seconds": {
                "at": in_seconds(trace.at),
                "upstream_wait": in_seconds(trace.time.upstream_wait),
                "local_wait": in_seconds(trace.time.local_wait),
                "local_compute": in_seconds(trace.time.local_compute),
                "arithmetic": in_seconds(trace.time.arithmetic),
            },
        })
    }

    fn candidate(&self, id: TokenId, one: &Weighed) -> Value {
        json!({
            "id": id,
            "text": self.shown(id),
            "logprob": one.candidate.logprob,
            "delta": one.delta,
            "shift": one.shift,
            "score": one.score,
            "probability": one.probability,
            "noise": one.noise,
        })
    }
}

/// A part of the trace of the answer with this number. Put together, the parts are the whole.
pub fn part(index: usize, settings: Option<Value>, positions: Vec<Value>) -> Value {
    let mut part = json!({"index": index});
    if let Some(settings) = settings {
        part["settings"] = settings;
    }
    part["positions"] = positions.into();
    part
}
