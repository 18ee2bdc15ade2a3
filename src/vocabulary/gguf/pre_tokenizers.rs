//! How texts are cut before tokens are looked for, by the names that GGUF files give these ways (`tokenizer.ggml.pre`).

use serde_json::{Value, json};

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
}

const GPT2: PreTokenizer = PreTokenizer {
    patterns: &[],
    gpt2: true,
    composes: false,
    whole_first: false,
};
const DIGITS: &str = r"\p{N}";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN35: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK3: [&str; 3] = [
    r"\p{N}{1,3}",
    "[一-龥\u{3040}-ゟ゠-ヿ]+",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
];

impl PreTokenizer {
    /// The way called `name`; `None` for one that is not known here.
    pub fn named(name: &str) -> Option<Self> {
        let by = |patterns| Self {
            patterns,
            gpt2: false,
            ..GPT2
        };
        Some(match name {
            "default" | "gpt-2" | "gpt2" | "mpt" | "olmo" | "jais" | "phi-2" => GPT2,
            "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" | "exaone" | "minerva-7b" => Self {
                patterns: &[DIGITS],
                ..GPT2
            },
            "llama3" | "llama-v3" | "llama-bpe" | "falcon3" | "falcon-h1" | "pixtral" | "midm-2.0" | "lfm2" => Self {
                whole_first: true,
                ..by(&[LLAMA3])
            },
            "dbrx" | "smaug-bpe" | "chatglm-bpe" | "glm4" => by(&[LLAMA3]),
            "qwen2" | "deepseek-r1-qwen" | "megrez" => Self {
                composes: true,
                ..by(&[QWEN2])
            },
            "stablelm2" => by(&[QWEN2]),
            "qwen35" => Self {
                composes: true,
                ..by(&[QWEN35])
            },
            "gpt-4o" | "llama4" => by(&[GPT4O]),
            "tekken" => Self {
                whole_first: true,
                ..by(&[TEKKEN])
            },
            "deepseek-v3" => by(&DEEPSEEK3),
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
