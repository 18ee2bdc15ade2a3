use super::check::Check;
use super::{local, store, tokenizers, upstreams};
use crate::service::{Vocabularies, replicas};
use crate::settings::{Settings, exposures};
use crate::upstream::Caller;

/// All checks, in the order a request meets what they look at. What cannot be looked at because something before it is wrong
/// is left out.
pub async fn examine(settings: &Settings, caller: &Caller) -> Vec<Check> {
    let mut checks = renamed(settings);
    checks.extend(exposure(settings));
    checks.push(store::examine(settings).await);
    let vocabularies = match Vocabularies::load(settings).await {
        Ok(vocabularies) => vocabularies,
        Err(error) => {
            let advice = "set local.model and upstream.tokenizer to instruction-tuned models: a directory with tokenizer.json, or a GGUF file";
            checks.push(Check::failed("tokenizers", error.to_string(), advice));
            return checks;
        }
    };
    checks.extend(tokenizers::compare(settings, &vocabularies));
    match replicas(settings, &vocabularies.upstream) {
        Ok(replicas) => checks.extend(upstreams::examine(&replicas, settings, &vocabularies, caller).await),
        Err(error) => {
            let advice = "correct the setting it names";
            checks.push(Check::failed("upstream", error.to_string(), advice));
        }
    }
    checks.extend(local::examine(settings, &vocabularies).await);
    checks
}

/// Who else can see or reach something.
fn exposure(settings: &Settings) -> Vec<Check> {
    let server = &settings.server;
    if server.is_open_by_mistake() {
        let finding = format!(
            "server.listen = \"{}\" can be reached from other machines, and there is no key",
            server.listen
        );
        let advice = "set server.api_key, listen on 127.0.0.1, or set server.open = true; it does not start like this";
        return vec![Check::failed("exposure", finding, advice)];
    }
    let found = exposures(settings);
    if found.is_empty() {
        return vec![Check::ok("exposure", "only programs of this machine reach the proxy")];
    }
    let warning = |found| Check::warning("exposure", found, "nothing, if that is meant");
    found.into_iter().map(warning).collect()
}

/// Keys that are called otherwise now.
fn renamed(settings: &Settings) -> Vec<Check> {
    let found = settings.renamed.iter();
    found
        .map(|renamed| Check::warning("settings", renamed.to_string(), "give the key its new name"))
        .collect()
}
