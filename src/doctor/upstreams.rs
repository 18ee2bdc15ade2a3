use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use rand::seq::IndexedRandom;

use super::check::Check;
use super::sample::sample;
use crate::decode::Exactness;
use crate::service::Vocabularies;
use crate::settings::Settings;
use crate::upstream::{
    Caller, CandidateQuery, CandidateRequest, Description, Driver, Position, PositionRequest, Prefix, Problem,
    Replicas, Server, Upstream, UpstreamError,
};
use crate::vocabulary::{TokenId, Tokenizer};

/// Numbers of one model on one machine differ by less than this, whatever they were computed beside.
const SAME: f64 = 0.05;

/// Every server by itself, then all together.
pub async fn examine(
    replicas: &Replicas,
    settings: &Settings,
    vocabularies: &Vocabularies,
    caller: &Caller,
) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut lists = Vec::new();
    for server in replicas.servers() {
        let examination = Examination {
            server,
            settings,
            tokenizer: &vocabularies.upstream,
            caller,
        };
        let (found, list) = examination.run().await;
        checks.extend(found);
        lists.extend(list);
    }
    if let Some((first, others)) = lists.split_first().filter(|(_, others)| !others.is_empty()) {
        let name = "replicas";
        checks.push(if others.iter().all(|other| distance(first, other) < SAME) {
            Check::ok(name, format!("all {} give the same numbers", lists.len()))
        } else {
            let finding = "they give different numbers for the same prompt";
            let advice =
                "serve the same model in the same precision everywhere: an answer may move from one to another";
            Check::failed(name, finding, advice)
        });
    }
    checks
}

type List = Vec<(TokenId, f64)>;

struct Examination<'a> {
    server: &'a Server,
    settings: &'a Settings,
    tokenizer: &'a Tokenizer,
    caller: &'a Caller,
}

impl Examination<'_> {
    /// The checks, and a list of candidates to compare with other servers'.
    async fn run(&self) -> (Vec<Check>, Option<List>) {
        let url = self.server.connection().url();
        let name = format!("upstream {url}");
        let description = match self.server.describe(self.caller).await {
            Ok(description) => description,
            Err(error) => {
                return (vec![failure(name, &error)], None);
            }
        };
        let mut checks = vec![
            Check::ok(name, description.to_string()),
            Check::ok("  recognised by", description.signs.clone()),
            Check::ok("  driver", description.driver.terms()),
        ];
        let ids = match self.tokenizer.chat_prompt(&sample()) {
            Ok(ids) => ids,
            Err(error) => {
                checks.push(Check::failed("  prompt", error.to_string(), "set upstream.tokenizer"));
                return (checks, None);
            }
        };
        let mut prefix = Prefix::new(sample(), ids);
        match self.server.own_prompt(sample(), self.caller).await {
            Ok(Some(written)) => {
                let finding = "the server writes chats otherwise than local.model's template does, so each chat is written by the server";
                checks.push(Check::ok("  prompt", finding));
                prefix = Prefix::new(sample(), written);
            }
            Ok(None) => checks.extend(self.prompt(&prefix).await),
            Err(error) => {
                checks.push(failure("  prompt", &error));
                return (checks, None);
            }
        }
        let drafted = match self.positions(&prefix, DRAFT).await {
            Ok(drafted) => drafted,
            Err(error) => {
                checks.push(failure("  logprobs", &error));
                return (checks, None);
            }
        };
        checks.push(self.length(&drafted, &description));
        checks.push(self.raw(&prefix).await);
        checks.push(self.continuation(prefix, &drafted).await);
        checks.extend(self.cache(&description).await);
        checks.extend(self.by_id(&description));
        (checks, drafted.into_iter().next().map(|position| position.candidates))
    }

    /// Whether the server writes a chat as we do.
    async fn prompt(&self, prefix: &Prefix) -> Option<Check> {
        let name = "  prompt";
        match self.server.prompt(Arc::clone(&prefix.chat), self.caller.clone()).await {
            Ok(Some(theirs)) if theirs == prefix.ids => Some(Check::ok(
                name,
                if self.settings.upstream.tokenizer.is_none() {
                    "the server writes chats in the same ids, and has the local model's vocabulary"
                } else {
                    "the server writes a chat in the same ids"
                },
            )),
            Ok(Some(theirs)) => {
                let same = theirs
                    .iter()
                    .zip(&prefix.ids)
                    .take_while(|(theirs, ours)| theirs == ours)
                    .count();
                let (ours, theirs) = (prefix.ids.len(), theirs.len());
                let finding = format!("ours has {ours} tokens, the server's {theirs}; they part after {same}");
                let advice = "set upstream.tokenizer to the served model's tokenizer and chat template";
                Some(Check::warning(name, finding, advice))
            }
            Ok(None) => None,
            Err(error) => Some(Check::warning(name, error.problem.to_string(), "")),
        }
    }

    fn length(&self, drafted: &[Position], description: &Description) -> Check {
        let given = drafted.first().map_or(0, |position| position.candidates.len());
        let finding = match description.limits.longest_list {
            Some(longest) => format!("{given} a position; the server gives up to {longest}"),
            None => format!("{given} a position; the server gives any number"),
        };
        Check::ok("  candidates", finding)
    }

    /// Raw numbers do not depend on the temperature.
    async fn raw(&self, prefix: &Prefix) -> Check {
        let name = "  raw logprobs";
        let lists = (self.list(prefix, 0.0).await, self.list(prefix, 0.5).await);
        match lists {
            (Ok(cold), Ok(warm)) if distance(&cold, &warm) < SAME => {
                Check::ok(name, "they do not depend on the temperature")
            }
            (Ok(_), Ok(_)) => Check::failed(
                name,
                "they change with the temperature, so they are processed",
                "vLLM: start it with --logprobs-mode raw_logprobs",
            ),
            (Err(error), _) | (_, Err(error)) => failure(name, &error),
        }
    }

    /// What follows a draft must follow its first half, too.
    async fn continuation(&self, mut prefix: Prefix, drafted: &[Position]) -> Check {
        let name = "  continuation";
        let (begun, rest) = drafted.split_at(drafted.len() / 2);
        prefix.ids.extend(begun.iter().map(|position| position.draft));
        let continued = match self.positions(&prefix, rest.len().max(1)).await {
            Ok(continued) => continued,
            Err(error) => return failure(name, &error),
        };
        let same = rest.iter().zip(&continued).all(|(rest, continued)| {
            // Where two tokens are about as likely, either may come first.
            rest.draft == continued.draft || distance(&rest.candidates, &continued.candidates) < SAME
        });
        if same && !rest.is_empty() {
            Check::ok(name, "a prefix is continued where it ends")
        } else {
            let finding = "an answer that is sent back half way goes on differently";
            let advice =
                "set upstream.tokenizer to the served model's tokenizer, and upstream.driver to what the server is";
            Check::failed(name, finding, advice)
        }
    }

    /// A long prefix must be quicker the second time.
    async fn cache(&self, description: &Description) -> Option<Check> {
        let name = "  prefix cache";
        if description.driver == Driver::OpenaiChat {
            return None;
        }
        let context = description
            .model(self.caller.model.as_deref())
            .and_then(|model| model.context_length);
        let length = (context.unwrap_or(2048) / 2).min(LONG);
        let ids = never_seen(self.tokenizer, length);
        let prefix = Prefix::new(Arc::default(), ids);
        let mut seconds = [0.0; 2];
        for second in &mut seconds {
            let start = Instant::now();
            if let Err(error) = self.list(&prefix, 0.0).await {
                return Some(Check::warning(name, error.problem.to_string(), advice(&error.problem)));
            }
            *second = start.elapsed().as_secs_f64();
        }
        let [first, again] = seconds;
        let finding = format!(
            "{length} tokens took {:.0} ms, and {:.0} ms again",
            1e3 * first,
            1e3 * again
        );
        Some(if again < EFFECTIVE * first {
            Check::ok(name, finding)
        } else {
            let advice =
                "if it is off, switch it on: every request sends the whole prefix (vLLM: --enable-prefix-caching)";
            Check::warning(name, finding, advice)
        })
    }

    fn by_id(&self, description: &Description) -> Option<Check> {
        let wanted = self.settings.steering.exactness == Exactness::RefetchIds;
        (wanted && !description.limits.by_id).then(|| {
            let advice = "set steering.exactness to \"refetch\" or \"certify\"";
            Check::failed("  tokens by id", "the server cannot be asked for single tokens", advice)
        })
    }

    async fn positions(&self, prefix: &Prefix, window: usize) -> Result<Vec<Position>, UpstreamError> {
        let request = PositionRequest {
            caller: self.caller.clone(),
            prefix: prefix.clone(),
            window,
            top_k: self.settings.upstream.top_k,
        };
        let positions = self.server.positions(request).await?;
        positions.collect::<Vec<_>>().await.into_iter().collect()
    }

    async fn list(&self, prefix: &Prefix, temperature: f64) -> Result<List, UpstreamError> {
        let request = CandidateRequest {
            caller: self.caller.clone(),
            prefix: prefix.clone(),
            wanted: CandidateQuery::Likeliest(self.settings.upstream.top_k),
            temperature,
        };
        self.server.candidates(request).await
    }
}

/// Positions that are drafted to be continued.
const DRAFT: usize = 6;
/// Tokens of a prefix that takes noticeably long.
const LONG: usize = 1500;
/// Share of the first time that the second may take.
const EFFECTIVE: f64 = 0.7;

/// The largest difference of a token's ln p; infinite where the likeliest are not the same at all.
fn distance(left: &List, right: &List) -> f64 {
    let differences = left.iter().filter_map(|(id, ours)| {
        let (_, theirs) = right.iter().find(|(other, _)| other == id)?;
        Some((ours - theirs).abs())
    });
    let (count, largest) = differences.fold((0, 0.0_f64), |(count, largest), difference| {
        (count + 1, largest.max(difference))
    });
    if 2 * count >= left.len() {
        largest
    } else {
        f64::INFINITY
    }
}

/// Ids that no cache can hold, because they have never been sent.
fn never_seen(tokenizer: &Tokenizer, length: usize) -> Vec<TokenId> {
    let usable: Vec<TokenId> = (0..tokenizer.selectable().len() as u32)
        .map(TokenId)
        // Some servers take text only.
        .filter(|id| std::str::from_utf8(tokenizer.bytes().get(*id)).is_ok_and(|text| !text.is_empty()))
        .collect();
    let mut random = rand::rng();
    (0..length)
        .filter_map(|_| usable.choose(&mut random).copied())
        .collect()
}

/// A check that an upstream made fail.
fn failure(name: impl Into<String>, error: &UpstreamError) -> Check {
    Check::failed(name, error.problem.to_string(), advice(&error.problem))
}

fn advice(problem: &Problem) -> &'static str {
    match problem {
        Problem::Unreachable { .. } => "start the server, or correct upstream.url",
        Problem::TimedOut { .. } => "find out what keeps the server, or raise the limit",
        Problem::OtherVocabulary { .. } => "set upstream.tokenizer to the tokenizer of the served model",
        Problem::Refused { status: 401 | 403, .. } => "set upstream.api_key to a key the server accepts",
        Problem::Refused { status: 404, .. } => "name a model the server has (--model), or correct upstream.url",
        Problem::Refused { status: 400, .. } | Problem::TooFewCandidates { .. } => {
            "lower upstream.top_k, or raise the server's limit (vLLM: --max-logprobs)"
        }
        _ => "correct what it says",
    }
}
