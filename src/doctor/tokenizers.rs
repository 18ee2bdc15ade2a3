use super::check::Check;
use super::sample::sample;
use crate::service::{Thoughts, Toolset, Vocabularies};
use crate::settings::Settings;
use crate::vocabulary::{AlignmentKind, SystemRole, TemplateOptions, Tokenizer};

/// How much of the upstream's vocabulary must be steerable for steering to be worth anything, in per cent.
const ENOUGH: usize = 50;

/// How the two vocabularies are brought together, and whether both models write a chat in the same way.
pub fn compare(settings: &Settings, vocabularies: &Vocabularies) -> Vec<Check> {
    let Vocabularies { local, upstream, .. } = vocabularies;
    let mut checks = vec![system_role(settings, local)];
    let name = "tokenizers";
    let alignment = match vocabularies.alignment(settings) {
        Ok(alignment) => alignment,
        Err(error) => {
            let advice = "set vocabulary.alignment to \"auto\", or take both models from one family";
            checks.push(Check::failed(name, error.to_string(), advice));
            return checks;
        }
    };
    let thinking = thinking(&Thoughts::find(settings, &alignment));
    let tools = tools(&Toolset::find(&alignment));
    let (kind, overlap) = (alignment.kind(), alignment.overlap());
    if kind != AlignmentKind::Identical {
        let finding = format!(
            "{kind}: {overlap}; the maps take {:.1} MB",
            alignment.memory() as f64 / 1e6
        );
        let enough = 100 * overlap.steered >= ENOUGH * overlap.upstream;
        checks.push(if enough {
            Check::ok(name, finding)
        } else {
            let advice = "take a local model whose vocabulary has more in common with the upstream's, or set vocabulary.alignment to \
                          \"bytes\"";
            Check::warning(name, finding, advice)
        });
        checks.extend([thinking, tools]);
        return checks;
    }
    let finding = format!("identical, {} tokens", local.selectable().len());
    checks.extend([Check::ok(name, finding), thinking, tools]);
    let prompts = (local.chat_prompt(&sample()), upstream.chat_prompt(&sample()));
    checks.push(match prompts {
        (Ok(ours), Ok(theirs)) if ours == theirs => Check::ok("chat templates", "both write a chat in the same way"),
        (Ok(_), Ok(_)) => Check::warning(
            "chat templates",
            "the local model's differs from the upstream's",
            "nothing, if each model was trained with its own; otherwise set local.tokenizer",
        ),
        (Err(error), _) | (_, Err(error)) => Check::failed(
            "chat templates",
            error.to_string(),
            "set local.tokenizer or upstream.tokenizer",
        ),
    });
    checks
}

/// What the small model's chat template does with what the system says, for that is where the context usually goes.
fn system_role(settings: &Settings, local: &Tokenizer) -> Check {
    let name = "system messages";
    let finding = match local.system_role() {
        SystemRole::Taken if local.own_system(&TemplateOptions::default()).is_some() => {
            "the local model's template has one of its own, and the private branch gets it before the context"
        }
        SystemRole::Taken => "the local model's template takes them",
        SystemRole::Refused => {
            "the local model's template takes none; what the system says stands before the first message of the user"
        }
        SystemRole::Needed if settings.context.default_system.is_empty() => {
            let finding = "the local model's template cannot do without one, and context.default_system is empty";
            return Check::failed(name, finding, "set context.default_system");
        }
        SystemRole::Needed => {
            "the local model's template cannot do without one; chats that lack it get context.default_system"
        }
    };
    Check::ok(name, finding)
}

/// What is known of the models' thoughts.
fn thinking(thoughts: &Thoughts) -> Check {
    let (name, found) = ("thinking", thoughts.to_string());
    if thoughts.has_unknown_marks() {
        let advice = "name what begins and ends a thought in upstream.thinking_markers, or switch thinking off";
        return Check::warning(name, format!("{found}; its chat template speaks of reasoning"), advice);
    }
    Check::ok(name, found)
}

/// What is known of the models' tools.
fn tools(toolset: &Toolset) -> Check {
    let (name, found) = ("tools", toolset.to_string());
    if toolset.has_unknown_calls() {
        let advice = "nothing, where no client sends tools; steering.on_unsteerable says what becomes of those that do";
        return Check::warning(name, found, advice);
    }
    Check::ok(name, found)
}
