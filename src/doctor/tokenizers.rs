use super::check::Check;
use super::sample::sample;
use crate::service::Vocabularies;
use crate::settings::Settings;
use crate::vocabulary::AlignmentKind;

/// How much of the upstream's vocabulary must be steerable for steering to be worth anything, in per cent.
const ENOUGH: usize = 50;

/// How the two vocabularies are brought together, and whether both models write a chat in the same way.
pub fn compare(settings: &Settings, vocabularies: &Vocabularies) -> Vec<Check> {
    let Vocabularies { local, upstream, .. } = vocabularies;
    let name = "tokenizers";
    let alignment = match vocabularies.alignment(settings) {
        Ok(alignment) => alignment,
        Err(error) => {
            let advice = "set vocabulary.alignment to \"auto\", or take both models from one family";
            return vec![Check::failed(name, error.to_string(), advice)];
        }
    };
    let (kind, overlap) = (alignment.kind(), alignment.overlap());
    if kind != AlignmentKind::Identical {
        let finding = format!(
            "{kind}: {overlap}; the maps take {:.1} MB",
            alignment.memory() as f64 / 1e6
        );
        let enough = 100 * overlap.steered >= ENOUGH * overlap.upstream;
        return vec![if enough {
            Check::ok(name, finding)
        } else {
            let advice = "take a local model whose vocabulary has more in common with the upstream's, or set vocabulary.alignment to \
                          \"bytes\"";
            Check::warning(name, finding, advice)
        }];
    }
    let mut checks = vec![Check::ok(
        name,
        format!("identical, {} tokens", local.selectable().len()),
    )];
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
