use super::normal::normal;

/// Models of one vocabulary, and small ones among them.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// For people to read.
    pub name: &'static str,
    /// A model's name that has one of these in it, as [`normal`] writes it, is of this family. One with = before it must be the whole name.
    signs: &'static [&'static str],
    /// Small models for it, the one to take first where nothing speaks against it.
    pub small: &'static [SmallModel],
    /// Whether they have the family's own vocabulary. Otherwise they are aligned to it by the bytes of their tokens.
    pub is_same_vocabulary: bool,
}

/// A small model of the hub's.
#[derive(Debug, PartialEq, Eq)]
pub struct SmallModel {
    /// Its directory on the hub.
    pub id: &'static str,
    /// Where the hub has it as a GGUF file: id and file.
    pub gguf: Option<(&'static str, &'static str)>,
    /// Millions of parameters.
    pub millions: u64,
    /// Layers, heads of keys and values, and numbers of a head.
    pub shape: (usize, usize, usize),
}

impl SmallModel {
    /// Numbers that are kept of each token.
    pub fn numbers_per_token(&self) -> usize {
        let (layers, heads, width) = self.shape;
        2 * layers * heads * width
    }
}

const SMOLLM2_135M: SmallModel = SmallModel {
    id: "HuggingFaceTB/SmolLM2-135M-Instruct",
    gguf: Some(("bartowski/SmolLM2-135M-Instruct-GGUF", "SmolLM2-135M-Instruct-f16.gguf")),
    millions: 135,
    shape: (30, 3, 64),
};
const SMOLLM2_360M: SmallModel = SmallModel {
    id: "HuggingFaceTB/SmolLM2-360M-Instruct",
    gguf: Some(("bartowski/SmolLM2-360M-Instruct-GGUF", "SmolLM2-360M-Instruct-f16.gguf")),
    millions: 362,
    shape: (32, 5, 64),
};
const QWEN25_HALF: SmallModel = SmallModel {
    id: "Qwen/Qwen2.5-0.5B-Instruct",
    gguf: Some(("Qwen/Qwen2.5-0.5B-Instruct-GGUF", "qwen2.5-0.5b-instruct-q8_0.gguf")),
    millions: 494,
    shape: (24, 2, 64),
};
const QWEN3_SMALL: SmallModel = SmallModel {
    id: "Qwen/Qwen3-0.6B",
    gguf: Some(("Qwen/Qwen3-0.6B-GGUF", "Qwen3-0.6B-Q8_0.gguf")),
    millions: 596,
    shape: (28, 8, 128),
};
/// Meta's own copy is given to those alone who have agreed to its licence there.
const LLAMA32_1B: SmallModel = SmallModel {
    id: "unsloth/Llama-3.2-1B-Instruct",
    gguf: Some((
        "bartowski/Llama-3.2-1B-Instruct-GGUF",
        "Llama-3.2-1B-Instruct-Q8_0.gguf",
    )),
    millions: 1236,
    shape: (16, 8, 64),
};
const GEMMA3_SMALL: SmallModel = SmallModel {
    id: "unsloth/gemma-3-270m-it",
    gguf: Some(("unsloth/gemma-3-270m-it-GGUF", "gemma-3-270m-it-F16.gguf")),
    millions: 268,
    shape: (18, 1, 256),
};
const GEMMA2_2B: SmallModel = SmallModel {
    id: "unsloth/gemma-2-2b-it",
    gguf: Some(("bartowski/gemma-2-2b-it-GGUF", "gemma-2-2b-it-Q8_0.gguf")),
    millions: 2614,
    shape: (26, 4, 256),
};

/// Those that are known; the first whose sign fits counts.
const FAMILIES: [Family; 9] = [
    Family {
        name: "the shipped pair",
        signs: &["=llm", "=tinyllm"],
        small: &[],
        is_same_vocabulary: true,
    },
    // Later Qwens have a vocabulary of their own.
    Family {
        name: "Qwen3.5",
        signs: &["qwen3.", "qwen4"],
        small: &[QWEN3_SMALL],
        is_same_vocabulary: false,
    },
    Family {
        name: "Qwen3",
        signs: &["qwen3"],
        small: &[QWEN3_SMALL, QWEN25_HALF],
        is_same_vocabulary: true,
    },
    Family {
        name: "Qwen2.5",
        signs: &["qwen2", "qwq", "distillqwen"],
        small: &[QWEN25_HALF],
        is_same_vocabulary: true,
    },
    // SmolLM3 writes in Llama 3's tokens.
    Family {
        name: "Llama 3",
        signs: &["llama3", "distillllama", "smollm3"],
        small: &[LLAMA32_1B],
        is_same_vocabulary: true,
    },
    Family {
        name: "SmolLM2",
        signs: &["smollm"],
        small: &[SMOLLM2_135M, SMOLLM2_360M],
        is_same_vocabulary: true,
    },
    Family {
        name: "Gemma 3",
        signs: &["gemma3"],
        small: &[GEMMA3_SMALL],
        is_same_vocabulary: true,
    },
    Family {
        name: "Gemma 2",
        signs: &["gemma2"],
        small: &[GEMMA2_2B],
        is_same_vocabulary: true,
    },
    Family {
        name: "Mistral",
        signs: &["mistral", "mixtral", "ministral", "codestral", "devstral", "magistral"],
        small: &[SMOLLM2_360M, QWEN25_HALF],
        is_same_vocabulary: false,
    },
];

/// What is taken for a model of no known family.
const UNKNOWN: Family = Family {
    name: "unknown",
    signs: &[],
    small: &[QWEN25_HALF, SMOLLM2_360M],
    is_same_vocabulary: false,
};

/// The family of the first of these names that has one.
pub fn family_of<'a>(names: impl IntoIterator<Item = &'a str>) -> &'static Family {
    let known = names.into_iter().map(normal).find_map(|name| {
        let fits = |family: &&Family| {
            family.signs.iter().any(|sign| match sign.strip_prefix('=') {
                Some(whole) => name == whole,
                None => name.contains(*sign),
            })
        };
        FAMILIES.iter().find(fits)
    });
    known.unwrap_or(&UNKNOWN)
}

impl Family {
    /// Whether it is the pair that comes along.
    pub fn is_shipped(&self) -> bool {
        self.name == FAMILIES[0].name
    }

    /// Whether it is known.
    pub fn is_known(&self) -> bool {
        self.name != UNKNOWN.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_however_they_are_written() {
        for (name, family) in [
            ("Qwen/Qwen2.5-7B-Instruct", "Qwen2.5"),
            ("qwen2.5:7b-instruct-q4_K_M", "Qwen2.5"),
            ("/models/Qwen2-57B.gguf", "Qwen2.5"),
            ("qwen3:8b", "Qwen3"),
            ("Qwen3.5-27B", "Qwen3.5"),
            ("deepseek-r1-distill-qwen-7b", "Qwen2.5"),
            ("meta-llama/Meta-Llama-3.1-8B-Instruct", "Llama 3"),
            ("llama3.2:3b", "Llama 3"),
            ("SmolLM3-3B", "Llama 3"),
            ("smollm2", "SmolLM2"),
            ("google/gemma-3-12b-it", "Gemma 3"),
            ("gemma2:9b", "Gemma 2"),
            ("mistralai/Mistral-7B-Instruct-v0.3", "Mistral"),
            ("tiny-llm", "the shipped pair"),
            ("C:\\models\\gemma-3-4b-it.gguf", "Gemma 3"),
            ("gpt-oss:20b", "unknown"),
            ("llama-4-scout", "unknown"),
            ("my-llm", "unknown"),
        ] {
            assert_eq!(family_of([name]).name, family, "{name}");
        }
        assert_eq!(family_of(["default", "/m/SmolLM2-135M.gguf"]).name, "SmolLM2");
    }
}
