use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::ask::Asking;
use super::rest::spread;
use super::{Cost, Listed, Place, Question, Record, TuneError};
use crate::context::{Chat, PrivateContext, PublicPrompt, Sources};
use crate::decode::{DecodeError, Given, ProjectedPair};
use crate::local::{LocalModel, Owner};
use crate::service::{Prompts, Vocabularies, load_model, replicas};
use crate::settings::Settings;
use crate::steering::Delta;
use crate::upstream::{Affinity, Caller, Position, ServedModel, Upstream};
use crate::vocabulary::{ChatMessage, Role, TokenId};

/// Floors that are tried.
const FLOORS: [f64; 5] = [0.0, 1e-5, 1e-4, 1e-3, 1e-2];

/// The two models that are tuned.
pub struct Pair {
    prompts: Arc<Prompts>,
    upstream: Arc<dyn Upstream>,
    local: Arc<dyn LocalModel>,
    caller: Caller,
    top_k: usize,
    tokens: usize,
    floors: Vec<f64>,
    /// The upstream's model and the small one, for people to read.
    names: [String; 2],
    key: String,
}

impl Pair {
    /// Loads the small model and asks the upstream what it is. `set` is the text of the questions.
    ///
    /// # Errors
    /// What is missing or does not fit.
    pub async fn load(settings: &Settings, caller: Caller, tokens: usize, set: &str) -> Result<Self, TuneError> {
        let vocabularies = Vocabularies::load(settings).await?;
        let alignment = vocabularies.alignment(settings)?;
        let replicas = replicas(settings, &vocabularies.upstream)?;
        // Before the small model, which may take long to load.
        let description = replicas.describe(&caller).await?;
        let served = description.model(caller.model.as_deref());
        let local = load_model(settings, &vocabularies).await?;
        let floors = floors(settings);
        let key = key(settings, &vocabularies.files, served, tokens, set);
        Ok(Self {
            prompts: Arc::new(Prompts::new(settings, alignment, local.context_length())?),
            upstream: Arc::new(replicas),
            names: [description.to_string(), local.description()],
            local,
            caller,
            top_k: settings.upstream.top_k,
            tokens,
            floors,
            key,
        })
    }

    /// What distinguishes it, with everything that results depend on, from others: a hash.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The upstream's model and the small one, for people to read.
    pub fn names(&self) -> &[String; 2] {
        &self.names
    }

    /// The floors that Δ is looked at with, 0 the first of them.
    pub fn floors(&self) -> &[f64] {
        &self.floors
    }

    /// Asks the question with this number.
    ///
    /// # Errors
    /// A [`TuneError`] that names the question.
    pub async fn ask(&self, number: usize, question: &Question) -> Result<Record, TuneError> {
        let started = Instant::now();
        let failed = |source| TuneError::Answer {
            question: number + 1,
            source,
        };
        let chat = Chat::new([ChatMessage::new(Role::User, question.question.clone())]);
        let prompt = PublicPrompt::Chat(chat.clone());
        let context = PrivateContext::new(question.context.clone());
        let sources = Sources::asked(&question.question, Some(context), Vec::new());
        let composed = self.prompts.compose(&prompt, &sources, Some(self.tokens))?;
        let room = self.prompts.room(composed.public.len(), composed.private.ids().len())?;
        let plain = self.prompts.unthinking(&chat)?;
        let shown = self.prompts.openly(&chat, &question.context)?;
        let shown = self.prompts.unthinking(&shown)?;
        let mut cost = Cost {
            local_prompt_tokens: composed.public.len() + composed.private.ids().len(),
            ..Cost::default()
        };
        // Each of the two prompts stays with one server, and has a place of its own there.
        let callers = [(); 2].map(|()| Caller {
            affinity: Affinity::default(),
            ..self.caller.clone()
        });
        let [first, second] = callers.each_ref().map(|caller| Asking {
            upstream: &self.upstream,
            tokenizer: self.prompts.alignment().upstream(),
            caller,
            top_k: self.top_k,
        });
        let wanted = first
            .own(shown, self.tokens.min(room), &mut cost)
            .await
            .map_err(failed)?;
        let answer: Vec<TokenId> = wanted.iter().map(|position| position.draft).collect();
        let slot = self.local.slot(Owner::default()).await?;
        let prompts = [composed.public.as_slice(), composed.private.ids()];
        let given = Given::open(slot, self.prompts.alignment(), prompts, room, answer.clone()).await?;
        let (plain, pairs) = tokio::join!(second.along(plain, &answer, &mut cost), all(given));
        let (plain, pairs) = (plain.map_err(failed)?, pairs.map_err(failed)?);
        cost.local_positions = pairs.len();
        let places = plain.iter().zip(&wanted).zip(&pairs);
        let places = places.map(|((plain, wanted), pair)| self.place(plain, wanted, pair));
        let places = places.collect::<Result<_, _>>().map_err(failed)?;
        cost.seconds = started.elapsed().as_secs_f64();
        Ok(Record {
            question: number,
            places,
            cost,
        })
    }

    fn place(&self, plain: &Position, wanted: &Position, pair: &ProjectedPair) -> Result<Place, DecodeError> {
        let deltas = self.floors.iter().map(|floor| pair.delta(*floor));
        let deltas = deltas.collect::<Result<Vec<Delta<'_>>, _>>()?;
        let selectable = self.prompts.alignment().upstream().selectable();
        let may_be_picked = |id: &TokenId| selectable.get(id.index()).copied().unwrap_or(false);
        let shown: Vec<_> = plain.candidates.iter().filter(|(id, _)| may_be_picked(id)).collect();
        let indexes: Vec<usize> = shown.iter().map(|(id, _)| id.index()).collect();
        let listed = shown.iter().map(|(id, logprob)| Listed {
            plain: *logprob,
            wanted: wanted
                .candidates
                .iter()
                .find(|(other, _)| other == id)
                .map(|(_, logprob)| *logprob),
            delta: deltas
                .iter()
                .map(|delta| within(delta.of(id.index()) - delta.zero()))
                .collect(),
        });
        Ok(Place {
            listed: listed.collect(),
            rest: spread(&deltas, &indexes),
            answer: shown.iter().position(|(id, _)| *id == wanted.draft),
        })
    }
}

/// A Δ that is no infinity: one of a token that a branch holds impossible.
fn within(delta: f64) -> f64 {
    delta.clamp(-100.0, 100.0)
}

/// What the branches say at all positions.
async fn all(mut given: Given) -> Result<Vec<Arc<ProjectedPair>>, DecodeError> {
    let mut pairs = Vec::new();
    while let Some(pair) = given.next().await? {
        pairs.push(pair);
    }
    Ok(pairs)
}

/// The floors that are tried with these settings, 0 the first of them.
pub fn floors(settings: &Settings) -> Vec<f64> {
    let mut floors = FLOORS.to_vec();
    let configured = settings.steering.delta_floor;
    if !floors.contains(&configured) {
        floors.push(configured);
    }
    floors
}

/// A hash of everything that a result depends on: `files` is where the small model's tokenizer is, and `served` the upstream's model.
pub fn key(settings: &Settings, files: &Path, served: Option<&ServedModel>, tokens: usize, set: &str) -> String {
    let served = served.map_or_else(String::new, |served| format!("{} {}", served.id, served.identity));
    let (upstream, local, context) = (&settings.upstream, &settings.local, &settings.context);
    let file = std::fs::metadata(&local.model).ok();
    let file = file.map(|file| (file.len(), file.modified().ok()));
    let parts = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "set": set,
        "tokens": tokens,
        "floors": floors(settings),
        "upstream": [json!(upstream.urls), json!(served), json!(upstream.tokenizer), json!(upstream.top_k)],
        "templates": [json!(upstream.template_kwargs.0), json!(local.template_kwargs.0)],
        "markers": [json!(upstream.thinking_markers), json!(local.thinking_markers)],
        "local": [json!(local.model), json!(format!("{file:?}")), json!(files), json!(local.quantisation)],
        "engine": format!("{:?} {:?} {:?}", local.engine, local.dtype, local.kv_type),
        "alignment": format!("{:?}", settings.vocabulary.alignment),
        "context": [json!(context.template), json!(context.default_system), json!(context.budget)],
        "placement": format!("{:?} {:?}", context.placement, settings.steering.reasoning),
    });
    let mut text = String::new();
    for byte in Sha256::digest(parts.to_string()).iter().take(16) {
        // Writing to a string does not fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}
