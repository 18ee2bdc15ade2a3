use super::{Check, sample};
use crate::http::Vocabularies;
use crate::vocabulary::{TokenId, Tokenizer};

/// Whether both models speak in the same tokens, and write a chat in the same way.
pub fn compare(vocabularies: &Vocabularies) -> Vec<Check> {
    let Vocabularies { local, upstream, .. } = vocabularies;
    let name = "tokenizers";
    let size = |tokenizer: &Tokenizer| tokenizer.selectable().len();
    if !local.same_vocabulary(upstream) {
        let shared = (0..size(upstream) as u32).map(TokenId).filter(|id| {
            let bytes = upstream.bytes().get(*id);
            !bytes.is_empty() && local.token_of(bytes).is_some()
        });
        let share = 100.0 * shared.count() as f64 / size(upstream).max(1) as f64;
        let finding = format!(
            "they differ: the upstream's has {} tokens, the local model's {}; {share:.1} % of the upstream's stand for \
             bytes that are a token of the other, too",
            size(upstream),
            size(local)
        );
        let advice = "take both models from one family, so that they share a vocabulary";
        return vec![Check::failed(name, finding, advice)];
    }
    let mut checks = vec![Check::ok(name, format!("identical, {} tokens", size(local)))];
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
