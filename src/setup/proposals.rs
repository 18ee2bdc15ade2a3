use std::path::{Path, PathBuf};

use super::error::SetupError;
use super::estimate::{Engine, Estimate};
use super::families::{Family, SmallModel, family_of};
use super::files::{HereModel, model_at, models_in};
use crate::local::{FileSet, Wanted, free_memory, hub_cached, is_hub_id};
use crate::vocabulary::resolve_path;

/// The small model of the pair that comes along.
const SHIPPED: &str = "models/tiny/slm";
/// More parameters than this are not a small model's, in millions.
const MOST_MILLIONS: u64 = 4000;
/// Fewer than this run well in 32 bits, in millions.
const SMALL_MILLIONS: u64 = 200;
/// Milliseconds a token that are too many to wait for.
const SLOW: f64 = 150.0;
/// How many are shown.
const MOST: usize = 5;

/// A small model to take.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// For people to read.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// Bytes on disk; `None` where they are not known before it is fetched.
    pub bytes: Option<u64>,
    /// What it takes here; `None` for one of which nothing is known yet.
    pub estimate: Option<Estimate>,
    /// Whether it has the big model's vocabulary, as far as names say.
    pub is_same_vocabulary: bool,
    /// What `local.quantisation` should be; empty where nothing.
    pub quantisation: &'static str,
}

/// Where a small model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On this machine; what `local.model` takes.
    Here(String),
    /// On the hub, and not fetched yet.
    Hub {
        /// Its id.
        id: String,
        /// The file that is wanted; `None` for a directory of weights.
        file: Option<&'static str>,
    },
}

/// What is looked for, and where.
pub struct Search<'a> {
    /// The big model's.
    pub family: &'static Family,
    /// Folders that are looked into.
    pub folders: &'a [PathBuf],
}

/// Small models for it, the one to take first. Those that lie here go before others, and those with its vocabulary before all.
pub fn proposals(search: &Search<'_>) -> Vec<Proposal> {
    let family = search.family;
    let mut found: Vec<(u8, Proposal)> = Vec::new();
    if family.is_shipped() {
        found.extend(model_at(&resolve_path(Path::new(SHIPPED))).map(|model| (0, shipped(&model))));
    }
    let here = models_in(search.folders).into_iter();
    let here = here.filter(|model| model.millions <= MOST_MILLIONS);
    found.extend(here.filter_map(|model| {
        let own = family_of(model.names.iter().map(String::as_str));
        let is_small_one = || {
            family
                .small
                .iter()
                .any(|small| model.names.iter().any(|name| name == small.id))
        };
        let is_kin = own.is_known() && (own == family || is_small_one());
        is_kin.then(|| (model.coarseness, of_here(&model, own == family)))
    }));
    for (rank, small) in (0..).zip(family.small) {
        let proposal = of_hub(small, family.is_same_vocabulary);
        if !found.iter().any(|(_, other)| other.place == proposal.place) {
            found.push((rank, proposal));
        }
    }
    let free = free_memory();
    found.sort_by_key(|(rank, proposal)| {
        let estimate = proposal.estimate;
        let does_not_fit = estimate
            .zip(free)
            .is_some_and(|(estimate, free)| estimate.memory > free);
        let is_slow = estimate.is_some_and(|estimate| estimate.token_ms > SLOW);
        let is_elsewhere = matches!(proposal.place, Place::Hub { .. });
        let bytes = proposal.bytes.unwrap_or(0);
        (
            does_not_fit,
            !proposal.is_same_vocabulary,
            is_elsewhere,
            is_slow,
            *rank,
            bytes,
        )
    });
    found.into_iter().map(|(_, proposal)| proposal).take(MOST).collect()
}

/// The model that a person has named: a path or a hub id.
///
/// # Errors
/// [`SetupError::NoModel`].
pub fn given(value: &str, family: &Family) -> Result<Proposal, SetupError> {
    let path = resolve_path(Path::new(value));
    if path.exists() {
        let model = model_at(&path).ok_or_else(|| SetupError::NoModel {
            value: value.to_owned(),
            reason: "it is neither a GGUF file with a chat template, nor a directory with config.json, tokenizer.json, a chat template and \
                     *.safetensors"
                .to_owned(),
        })?;
        let own = family_of(model.names.iter().map(String::as_str));
        return Ok(of_here(&model, own == family));
    }
    if !is_hub_id(value) {
        return Err(SetupError::NoModel {
            value: value.to_owned(),
            reason: "there is no such file or directory, and a hub id looks like Qwen/Qwen2.5-0.5B-Instruct".to_owned(),
        });
    }
    if let Some(known) = family.small.iter().find(|small| small.id == value) {
        return Ok(directory_of_hub(known, family.is_same_vocabulary));
    }
    Ok(Proposal {
        name: value.to_owned(),
        place: hub_place(value),
        bytes: None,
        estimate: None,
        is_same_vocabulary: family_of([value]) == family,
        quantisation: "",
    })
}

impl Proposal {
    /// What of the hub's files is wanted, where it is not here.
    pub fn wanted(&self) -> Option<(&str, Wanted<'static>)> {
        match &self.place {
            Place::Here(_) => None,
            Place::Hub { id, file: Some(file) } => Some((id, Wanted::File(file))),
            Place::Hub { id, file: None } => Some((id, Wanted::Set(FileSet::Model))),
        }
    }
}

fn shipped(model: &HereModel) -> Proposal {
    Proposal {
        name: "the shipped pair's small model".to_owned(),
        place: Place::Here(SHIPPED.to_owned()),
        ..of_here(model, true)
    }
}

fn of_here(model: &HereModel, is_same_vocabulary: bool) -> Proposal {
    let is_gguf = model.path.is_file();
    let (engine, quantisation) = if is_gguf {
        (gguf_engine(), "")
    } else {
        numbers(model.millions)
    };
    let numbers = model.numbers_per_token;
    let whole = std::path::absolute(&model.path).unwrap_or_else(|_| model.path.clone());
    let mut names = model.names.iter().map(String::as_str).filter(|name| !name.is_empty());
    let name = names.next().unwrap_or_default();
    let file = names
        .next()
        .filter(|_| is_gguf)
        .map_or_else(String::new, |file| format!(", {file}"));
    Proposal {
        name: format!("{name}{file}"),
        place: Place::Here(whole.to_string_lossy().into_owned()),
        bytes: Some(model.bytes),
        estimate: Some(Estimate::new(
            engine,
            model.millions,
            model.bytes,
            numbers,
            model.context_length,
        )),
        is_same_vocabulary,
        quantisation,
    }
}

/// As a GGUF file where llama.cpp is built in, and otherwise as a directory, which mistral.rs can quantise.
fn of_hub(small: &SmallModel, is_same_vocabulary: bool) -> Proposal {
    let Some((id, file)) = small.gguf.filter(|_| cfg!(feature = "llamacpp")) else {
        return directory_of_hub(small, is_same_vocabulary);
    };
    let cached = hub_cached(id, file);
    let is_whole = file.to_lowercase().contains("f16");
    let bytes = small.millions * 1_000_000 * if is_whole { 32 } else { 17 } / 16;
    Proposal {
        name: file.to_owned(),
        place: match &cached {
            Some(path) => Place::Here(path.to_string_lossy().into_owned()),
            None => Place::Hub {
                id: id.to_owned(),
                file: Some(file),
            },
        },
        bytes: Some(bytes),
        estimate: Some(Estimate::new(
            gguf_engine(),
            small.millions,
            bytes,
            small.numbers_per_token(),
            None,
        )),
        is_same_vocabulary,
        quantisation: "",
    }
}

fn directory_of_hub(small: &SmallModel, is_same_vocabulary: bool) -> Proposal {
    let (engine, quantisation) = numbers(small.millions);
    let bytes = small.millions * 2_000_000;
    Proposal {
        name: small.id.to_owned(),
        place: hub_place(small.id),
        bytes: Some(bytes),
        estimate: Some(Estimate::new(
            engine,
            small.millions,
            bytes,
            small.numbers_per_token(),
            None,
        )),
        is_same_vocabulary,
        quantisation,
    }
}

/// A directory of the hub's stays known by its id: it may be fetched already.
fn hub_place(id: &str) -> Place {
    let weights = ["model.safetensors", "model.safetensors.index.json"];
    let is_here =
        hub_cached(id, "tokenizer.json").is_some() && weights.iter().any(|file| hub_cached(id, file).is_some());
    if is_here {
        return Place::Here(id.to_owned());
    }
    Place::Hub {
        id: id.to_owned(),
        file: None,
    }
}

fn gguf_engine() -> Engine {
    if cfg!(feature = "llamacpp") {
        Engine::LlamaCpp
    } else {
        Engine::MistralGguf
    }
}

/// How mistral.rs should hold so many millions of parameters.
fn numbers(millions: u64) -> (Engine, &'static str) {
    if millions < SMALL_MILLIONS {
        (Engine::MistralF32, "")
    } else {
        (Engine::MistralQ8, "q8_0")
    }
}
