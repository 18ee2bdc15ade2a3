use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::renamed::Renamed;
use crate::context::Placement;
use crate::decode::{BypassMode, BypassRule, Exactness, Lookahead};
use crate::local::Precision;
use crate::steering::{Ftrl, Strength};
use crate::store::{self, KeySource, StoreError};
use crate::upstream::Driver;
use crate::vocabulary::AlignmentChoice;

/// The whole configuration. `config/default.toml` says what each key means.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `[server]`
    pub server: Server,
    /// `[upstream]`
    pub upstream: Upstream,
    /// `[local]`
    pub local: Local,
    /// `[vocabulary]`
    pub vocabulary: Vocabulary,
    /// `[steering]`
    pub steering: Steering,
    /// `[context]`
    pub context: Context,
    /// `[store]`
    pub store: Store,
    /// `[log]`
    pub log: Log,
    /// Keys that were given under a former name.
    #[serde(skip)]
    pub renamed: Vec<Renamed>,
}

/// `[server]`: how the proxy listens.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port.
    pub listen: SocketAddr,
    /// What clients must bring; `None` when empty.
    #[serde(deserialize_with = "optional_secret")]
    pub api_key: Option<SecretString>,
    /// Where the metrics are served by themselves; `None` when empty: among the other routes.
    #[serde(deserialize_with = "optional_address")]
    pub metrics_listen: Option<SocketAddr>,
    /// Whether a listener that others can reach may be without a key.
    pub open: bool,
    /// Names under which it may be asked for, beside those of this machine.
    #[serde(deserialize_with = "none_or_many")]
    pub hosts: Vec<String>,
    /// Origins whose pages may call.
    #[serde(deserialize_with = "none_or_many")]
    pub cors_origins: Vec<String>,
    /// Bytes.
    pub max_body_bytes: usize,
    /// How long running answers get at the end.
    #[serde(rename = "drain_ms", deserialize_with = "millis")]
    pub drain: Duration,
}

/// `[upstream]`: the big model's server.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Base addresses, ending in `/v1`; any of them can continue any answer.
    #[serde(rename = "url", deserialize_with = "one_or_many")]
    pub urls: Vec<String>,
    /// How they are spoken to.
    pub driver: Driver,
    /// `None` when empty.
    #[serde(deserialize_with = "optional_secret")]
    pub api_key: Option<SecretString>,
    /// `None` when empty: the local model's.
    #[serde(deserialize_with = "optional")]
    pub tokenizer: Option<String>,
    /// The header that says to which session a request belongs; `None` when empty.
    #[serde(deserialize_with = "optional")]
    pub affinity_header: Option<String>,
    /// Headers of clients that it may see beside the usual ones.
    #[serde(deserialize_with = "none_or_many")]
    pub pass_headers: Vec<String>,
    /// How often all addresses are tried again when none answers.
    pub retries: usize,
    /// Candidates a position.
    pub top_k: usize,
    /// Positions a request; `None` where it adapts.
    #[serde(deserialize_with = "adaptive_or_number")]
    lookahead: Option<usize>,
    /// The most positions a request where it adapts.
    max_lookahead: usize,
    /// Positions computed for nothing where it adapts, as a share of those used.
    max_waste: f64,
    /// For a connection.
    #[serde(rename = "connect_timeout_ms", deserialize_with = "millis")]
    pub connect_timeout: Duration,
    /// For the first token.
    #[serde(rename = "first_token_timeout_ms", deserialize_with = "millis")]
    pub first_token_timeout: Duration,
    /// Between tokens.
    #[serde(rename = "idle_timeout_ms", deserialize_with = "millis")]
    pub idle_timeout: Duration,
    /// For an answer that passes through in one piece.
    #[serde(rename = "answer_timeout_ms", deserialize_with = "millis")]
    pub answer_timeout: Duration,
}

impl Upstream {
    /// Positions to ask for in one request.
    pub fn lookahead(&self) -> Lookahead {
        match self.lookahead {
            Some(positions) => Lookahead::Fixed(positions),
            None => Lookahead::Adaptive {
                most: self.max_lookahead,
                waste: self.max_waste,
            },
        }
    }
}

/// `[local]`: the small model.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Local {
    /// Directory, GGUF file or hub id.
    pub model: String,
    /// `None` when empty: the model's own.
    #[serde(deserialize_with = "optional")]
    pub tokenizer: Option<String>,
    /// Number format.
    pub dtype: Precision,
    /// `None` when empty.
    #[serde(deserialize_with = "optional")]
    pub quantisation: Option<String>,
    /// Where to compute.
    pub device: Device,
    /// Sessions at the same time.
    pub slots: usize,
    /// Sessions that may wait.
    pub queue: usize,
    /// How long they may wait.
    #[serde(rename = "queue_timeout_ms", deserialize_with = "millis")]
    pub queue_timeout: Duration,
}

/// `[vocabulary]`: how the small model's tokens and the upstream's are brought together.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// By what.
    pub alignment: AlignmentChoice,
}

/// Where the small model computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// An accelerator where one was compiled in.
    Auto,
    /// The CPU.
    Cpu,
}

/// `[steering]`: the rule.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steering {
    /// T
    pub iterations: u32,
    /// α
    pub alpha: f64,
    /// β
    pub beta: f64,
    /// λ
    pub lambda: f64,
    /// η
    pub eta: f64,
    /// Replaces the five numbers.
    pub strength: Option<f64>,
    /// ε
    pub delta_floor: f64,
    /// Relative to the likeliest candidate.
    pub plausibility: f64,
    /// Nats; 0 is no cap.
    pub max_shift: f64,
    /// What to do about tokens the upstream does not list.
    pub exactness: Exactness,
    /// Whether steering is bypassed where the upstream is sure of itself.
    pub bypass: BypassMode,
    /// 1 − max p_LLM of a confident position is below it.
    pub bypass_threshold: f64,
    /// Confident positions in a row.
    pub bypass_positions: u32,
    /// End the answer where the upstream's end of turn is likelier than this; 0 is never.
    pub forced_stop: f64,
    /// What to do with requests that cannot be steered.
    pub on_unsteerable: OnUnsteerable,
    /// Tokens.
    pub max_tokens: usize,
    /// Answers of one request.
    pub max_answers: usize,
}

impl Steering {
    /// The mode and the numbers of a bypass together.
    pub fn bypass(&self) -> BypassRule {
        BypassRule {
            mode: self.bypass,
            threshold: self.bypass_threshold,
            positions: self.bypass_positions,
        }
    }

    /// The probability of an end of turn above which an answer ends; `None` where steering alone decides.
    pub fn forced_stop(&self) -> Option<f64> {
        Some(self.forced_stop).filter(|least| *least > 0.0)
    }

    /// The strength that `strength` or the five numbers amount to; `None` when out of range.
    pub fn default_strength(&self) -> Option<Strength> {
        match self.strength {
            Some(value) => Strength::new(value),
            None => Ftrl {
                iterations: self.iterations,
                alpha: self.alpha,
                beta: self.beta,
                lambda: self.lambda,
                eta: self.eta,
            }
            .strength(),
        }
    }
}

/// What to do with a request that has a private context but cannot be steered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnsteerable {
    /// Refuse it, naming the field.
    Error,
    /// Forward it without the context, naming the field in a header.
    Pass,
}

/// `[context]`: the private context and its place.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// `None` when empty. Private: never logged.
    #[serde(deserialize_with = "optional_secret")]
    pub text: Option<SecretString>,
    /// `None` when empty.
    #[serde(deserialize_with = "optional")]
    pub file: Option<String>,
    /// The profile of requests that name none; `None` when empty.
    #[serde(deserialize_with = "optional")]
    pub profile: Option<String>,
    /// Whether OpenAI's field `user` may name a profile.
    pub user_field: bool,
    /// Whether `<private>` marks what is for here alone.
    pub private_tags: bool,
    /// Where the context goes.
    pub placement: Placement,
    /// For chats without a system message.
    pub default_system: String,
    /// minijinja's syntax; `None` when empty: the usual one.
    #[serde(deserialize_with = "optional")]
    pub template: Option<String>,
    /// Documents of the history.
    pub history: usize,
    /// Tokens of the whole context.
    pub budget: usize,
    /// Tokens of one document.
    pub document_tokens: usize,
}

/// `[store]`: the file with the profiles.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// `None` when empty: in the person's data folder.
    #[serde(deserialize_with = "optional")]
    pub path: Option<String>,
    /// `None` when empty.
    #[serde(deserialize_with = "optional_secret")]
    key: Option<SecretString>,
    /// `None` when empty.
    #[serde(deserialize_with = "optional")]
    key_file: Option<String>,
    /// `None` when empty.
    #[serde(deserialize_with = "optional")]
    keyring: Option<String>,
}

impl Store {
    /// The file.
    ///
    /// # Errors
    /// [`StoreError::NoHome`] where neither the configuration nor the system says where.
    pub fn file(&self) -> Result<PathBuf, StoreError> {
        match &self.path {
            Some(path) => Ok(path.into()),
            None => store::Store::usual_path(),
        }
    }

    /// Where the key of an encrypted file is; the configuration names one place at most.
    pub fn key_source(&self) -> KeySource {
        match (&self.key, &self.key_file, &self.keyring) {
            (Some(key), _, _) => KeySource::Given(key.clone()),
            (None, Some(file), _) => KeySource::File(file.into()),
            (None, None, Some(name)) => KeySource::Keyring(name.clone()),
            (None, None, None) => KeySource::None,
        }
    }

    /// How many places it names.
    pub(super) fn key_sources(&self) -> usize {
        let named = [self.key.is_some(), self.key_file.is_some(), self.keyring.is_some()];
        named.into_iter().filter(|named| *named).count()
    }
}

/// `[log]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// tracing-subscriber's filter syntax.
    pub filter: String,
    /// Lines for people or for machines.
    pub format: LogFormat,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(|text| Some(text).filter(|text| !text.is_empty()))
}

fn optional_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    optional(deserializer).map(|text| text.map(SecretString::from))
}

fn optional_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = optional(deserializer)?;
    let address = text.map(|text| {
        text.parse()
            .map_err(|_| D::Error::custom(format!("\"{text}\" is no address and port")))
    });
    address.transpose()
}

fn none_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let mut texts = one_or_many(deserializer)?;
    texts.retain(|text| !text.is_empty());
    Ok(texts)
}

/// A list, or one text with commas (variables are text).
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    let trimmed = |text: &str| text.trim().trim_end_matches('/').to_owned();
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(text) => text.split(',').map(trimmed).collect(),
        OneOrMany::Many(texts) => texts.iter().map(|text| trimmed(text)).collect(),
    })
}

/// "adaptive", or a number in digits or in quotes (variables are text).
fn adaptive_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "adaptive" {
        return Ok(None);
    }
    let number = text.parse().map(Some);
    number.map_err(|_| D::Error::custom(format!("\"{text}\" is neither \"adaptive\" nor a number of positions")))
}
