//! Servers and hosts that take text, and what is peculiar to each of them. Drivers read this table, and have no cases of their own.
//!
//! Sources: mlx-lm 0.32's server, which the conformity tests run on; KoboldCpp's, TabbyAPI's, mistral.rs' and TensorRT-LLM's sources; the API
//! references of Together, Fireworks, DeepSeek and OpenRouter.

use serde_json::{Map, Value};

use super::Driver;

/// A kind of server, or a host.
pub struct Host {
    /// What people call it.
    pub name: &'static str,
    /// What it is known by; all of them must show.
    pub signs: &'static [Sign],
    /// How it is spoken to.
    pub driver: Driver,
    /// Its longest list.
    pub longest: usize,
    /// How lists are asked for.
    pub asking: Asking,
    /// Whether streams have the lists, too. Where they have none, answers come in blocks.
    pub streams: bool,
    /// Whether an entry says which token was sampled, and not only which are likely.
    pub names_sampled: bool,
    /// Whether a prompt ends it that is exactly a prompt and the answer that it gave to that (mlx-lm 0.32: "generation thread died").
    pub fears_its_words: bool,
    /// Whether a request must name a model.
    pub wants_model: bool,
    /// Fields that switch off what would change the sampled token, beside those of OpenAI's API.
    pub neutral: &'static [(&'static str, f64)],
    /// What must be configured.
    pub demand: Option<Demand>,
}

/// What a server shows of itself.
#[derive(Clone, Copy)]
pub enum Sign {
    /// The owner of the first model that it lists.
    Owner(&'static str),
    /// It names no owner of its models.
    NoOwner,
    /// How its header `Server` begins.
    Header(&'static str),
    /// The name of its address is this or ends in it, after a dot. Nobody else has that.
    Domain(&'static str),
    /// A route, and fields of what it answers.
    Route(&'static str, &'static [&'static str]),
}

/// How a server is asked for lists.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// `logprobs` is the number of candidates.
    Number,
    /// `logprobs` is true, and `top_logprobs` is the number.
    Flag,
}

/// What a host wants of the configuration.
#[derive(Clone, Copy)]
pub enum Demand {
    /// The address ends in this path.
    Path(&'static str),
    /// `upstream.extra_body` has this field.
    Field(&'static str),
}

impl Demand {
    /// Why nothing can be asked of a host at `url`, to whose requests `extra` is added; `None` where it has what it wants.
    pub fn unmet(self, url: &str, extra: &Map<String, Value>) -> Option<String> {
        match self {
            Self::Path(path) => (!url.trim_end_matches('/').ends_with(path)).then(|| {
                format!("it goes on with a message below an address that ends in {path} alone; add that to upstream.url")
            }),
            Self::Field(field) => (!extra.contains_key(field)).then(|| {
                format!(
                    "it spreads requests over machines with different numbers; keep it at one with the field {field} in upstream.extra_body"
                )
            }),
        }
    }
}

/// A server of which nothing is known but that it has text completions.
pub static UNKNOWN: Host = Host {
    name: "an OpenAI-compatible host",
    signs: &[],
    driver: Driver::Completions,
    longest: 20,
    asking: Asking::Number,
    streams: false,
    names_sampled: true,
    fears_its_words: false,
    wants_model: true,
    neutral: &[],
    demand: None,
};

/// All that are known.
pub static HOSTS: [Host; 9] = [
    Host {
        name: "KoboldCpp",
        signs: &[
            Sign::Owner("koboldcpp"),
            Sign::Route("/api/extra/version", &["result", "version"]),
        ],
        longest: 10,
        wants_model: false,
        neutral: &[
            ("rep_pen", 1.0),
            ("top_k", 0.0),
            ("min_p", 0.0),
            ("typical", 1.0),
            ("tfs", 1.0),
        ],
        ..UNKNOWN
    },
    Host {
        name: "mlx-lm's server",
        signs: &[
            Sign::Header("BaseHTTP/"),
            Sign::NoOwner,
            Sign::Route("/health", &["status"]),
        ],
        longest: 11,
        asking: Asking::Flag,
        names_sampled: false,
        fears_its_words: true,
        wants_model: false,
        neutral: &[("repetition_penalty", 0.0), ("top_k", 0.0), ("min_p", 0.0)],
        ..UNKNOWN
    },
    Host {
        name: "TabbyAPI",
        signs: &[
            Sign::Owner("tabbyAPI"),
            Sign::Route("/.well-known/serviceinfo", &["software"]),
        ],
        streams: true,
        wants_model: false,
        neutral: &[("repetition_penalty", 1.0), ("top_k", 0.0), ("min_p", 0.0)],
        ..UNKNOWN
    },
    Host {
        name: "mistral.rs' server",
        signs: &[
            Sign::Owner("local"),
            Sign::Route("/api-doc/openapi.json", &["openapi", "info"]),
        ],
        streams: true,
        neutral: &[("repetition_penalty", 1.0), ("min_p", 0.0)],
        ..UNKNOWN
    },
    Host {
        name: "TensorRT-LLM",
        signs: &[Sign::Owner("tensorrt_llm"), Sign::Route("/version", &["version"])],
        streams: true,
        ..UNKNOWN
    },
    Host {
        name: "Together",
        signs: &[Sign::Domain("together.xyz")],
        neutral: &[("repetition_penalty", 1.0)],
        ..UNKNOWN
    },
    Host {
        name: "Fireworks",
        signs: &[Sign::Domain("fireworks.ai")],
        longest: 5,
        streams: true,
        neutral: &[("repetition_penalty", 1.0)],
        ..UNKNOWN
    },
    Host {
        name: "DeepSeek",
        signs: &[Sign::Domain("api.deepseek.com")],
        driver: Driver::OpenaiChat,
        demand: Some(Demand::Path("/beta")),
        ..UNKNOWN
    },
    Host {
        name: "OpenRouter",
        signs: &[Sign::Domain("openrouter.ai")],
        driver: Driver::OpenaiChat,
        demand: Some(Demand::Field("provider")),
        ..UNKNOWN
    },
];
