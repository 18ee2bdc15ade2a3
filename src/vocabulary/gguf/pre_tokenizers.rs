//! How texts are cut before tokens are looked for, by the names that GGUF files give these ways (`tokenizer.ggml.pre`).

use serde_json::{Value, json};

use super::patterns;

/// A way of cutting, in the terms of `tokenizer.json`.
pub struct PreTokenizer {
    /// The patterns that texts are cut by, one after the other.
    patterns: &'static [&'static str],
    /// Whether the usual pattern of GPT-2 comes after them.
    gpt2: bool,
    /// Whether characters are composed first (Unicode's form C).
    pub composes: bool,
    /// Whether a piece that is a token as a whole is that token, whatever its parts would merge to.
    pub whole_first: bool,
    /// Whether texts begin with the token that begins a sequence where the file says nothing of it.
    pub begins: bool,
}

const GPT2: PreTokenizer = PreTokenizer {
    patterns: &[],
    gpt2: true,
    composes: false,
    whole_first: false,
    begins: false,
};

impl PreTokenizer {
    /// The way called `name`; `None` for one that is not known here.
    pub fn named(name: &str) -> Option<Self> {
        let by = |patterns| Self {
            patterns,
            gpt2: false,
            ..GPT2
        };
        Some(match name {
            "default" | "gpt-2" | "gpt2" | "mpt" | "olmo" | "jais" | "phi-2" | "gigachat" | "a.x-4.0" | "mellum"
            | "exaone4" | "trillion" | "granite-docling" => GPT2,
            "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" | "exaone" | "minerva-7b" | "mellum2" => {
                Self {
                    patterns: &[patterns::DIGITS],
                    ..GPT2
                }
            }
            "falcon" => by(&[patterns::FALCON, patterns::GPT2, "[0-9][0-9][0-9]"]),
            "llama3" | "llama-v3" | "llama-bpe" | "falcon3" | "falcon-h1" | "pixtral" | "midm-2.0" | "lfm2" => Self {
                whole_first: true,
                begins: true,
                ..by(&[patterns::LLAMA3])
            },
            "dbrx" | "smaug-bpe" | "chatglm-bpe" | "glm4" => by(&[patterns::LLAMA3]),
            "jais-2" => by(&[patterns::JAIS2]),
            "minicpm5" => Self {
                whole_first: true,
                ..by(&[patterns::UP_TO_THREE, patterns::MINICPM5])
            },
            "qwen2" | "deepseek-r1-qwen" | "megrez" | "kormo" => Self {
                composes: true,
                ..by(&[patterns::QWEN2])
            },
            "stablelm2" | "hunyuan" | "solar-open" | "grok-2" => by(&[patterns::QWEN2]),
            "qwen35" => Self {
                composes: true,
                ..by(&[patterns::QWEN35])
            },
            "ufakzeka" => by(&[patterns::QWEN2_WITHOUT_ENGLISH]),
            "laguna" => by(&[patterns::LINES, patterns::QWEN2]),
            "seed-coder" => by(&[patterns::SEED_CODER]),
            "bailingmoe" | "bailingmoe2" | "llada-moe" => by(&[patterns::BAILING]),
            "exaone-moe" => by(&[patterns::EXAONE_MOE]),
            "gpt-4o" | "llama4" | "kanana2" | "talkie" | "minimax-m2" => by(&[patterns::GPT4O]),
            "tiny_aya" | "cohere2moe" => by(&[patterns::THOUSANDS, patterns::GPT4O]),
            "tekken" => Self {
                whole_first: true,
                begins: true,
                ..by(&[patterns::TEKKEN])
            },
            "youtu" => Self {
                whole_first: true,
                ..by(&patterns::YOUTU)
            },
            "kimi-k2" => by(&[patterns::KIMI_K2]),
            "deepseek-llm" => by(&[
                patterns::NEWLINES,
                patterns::DEEPSEEK_LETTERS,
                patterns::DEEPSEEK_MARKS,
                r"\s+$",
                patterns::DEEPSEEK_SCRIPTS,
                patterns::NUMBERS,
            ]),
            "deepseek-coder" => by(&[
                patterns::NEWLINES,
                r"\s?\p{L}+",
                r"\s?\p{P}+",
                patterns::DEEPSEEK_SCRIPTS,
                patterns::DIGITS,
            ]),
            "deepseek-v3" | "hunyuan-dense" | "joyai-llm" | "hy_v4" => {
                by(&[patterns::UP_TO_THREE, patterns::CHINESE, patterns::DEEPSEEK3])
            }
            "spark2_5" => by(&[
                patterns::UP_TO_THREE,
                patterns::CHINESE,
                patterns::SPARK,
                patterns::DIGITS,
            ]),
            "poro-chat" | "bloom" | "gpt3-finnish" => by(&[patterns::WORDS]),
            "viking" => by(&[patterns::WORDS, patterns::DIGITS]),
            _ => return None,
        })
    }

    /// As `tokenizer.json` writes it.
    pub fn to_json(&self) -> Value {
        let splits = self.patterns.iter().map(
            |pattern| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false}),
        );
        let bytes =
            json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": self.gpt2});
        json!({"type": "Sequence", "pretokenizers": splits.chain([bytes]).collect::<Vec<_>>()})
    }
}
