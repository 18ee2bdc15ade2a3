/// How the models of one family mark a thought in their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// For people to read.
    pub name: &'static str,
    /// A chat template that has all of these texts is of this family.
    pub signs: &'static [&'static str],
    /// What begins a thought.
    pub open: &'static str,
    /// What ends it.
    pub close: &'static str,
    /// What begins an answer without a thought; empty where that is its first word.
    pub direct: &'static str,
    /// Tokens around an answer's text that are no part of it.
    pub wraps: &'static [&'static str],
    /// What stands before and after an answer's text behind a thought; empty where nothing does.
    pub around: [&'static str; 2],
    /// Whether an answer is a row of messages, each in a channel.
    pub has_channels: bool,
    /// What an answer begins with where the model is not to think; empty where it is a thought without words.
    pub unthinking: &'static str,
    /// Whether a model whose prompt says nothing of thoughts may think all the same.
    pub is_usual: bool,
}

/// Nothing special.
const PLAIN: Family = Family {
    name: "",
    signs: &[],
    open: "",
    close: "",
    direct: "",
    wraps: &[],
    around: ["", ""],
    has_channels: false,
    unthinking: "",
    is_usual: true,
};

/// Those that are known. The first that fits a template counts.
pub const FAMILIES: [Family; 13] = [
    Family {
        name: "harmony (gpt-oss)",
        signs: &["<|channel|>analysis<|message|>", "<|channel|>final<|message|>"],
        open: "<|channel|>analysis<|message|>",
        close: "<|end|><|start|>assistant<|channel|>final<|message|>",
        direct: "<|channel|>final<|message|>",
        unthinking: "<|channel|>final<|message|>",
        has_channels: true,
        ..PLAIN
    },
    Family {
        name: "gemma",
        signs: &["<|channel>thought", "<channel|>"],
        open: "<|channel>thought",
        close: "<channel|>",
        ..PLAIN
    },
    Family {
        name: "solar",
        signs: &["<|think|>", "<|begin|>assistant<|content|>"],
        open: "<|think|>",
        close: "<|end|><|begin|>assistant<|content|>",
        direct: "<|content|>",
        unthinking: "<|content|>",
        ..PLAIN
    },
    Family {
        name: "cohere",
        signs: &["<|START_THINKING|>", "<|END_THINKING|>"],
        open: "<|START_THINKING|>",
        close: "<|END_THINKING|>",
        wraps: &[
            "<|START_RESPONSE|>",
            "<|END_RESPONSE|>",
            "<|START_TEXT|>",
            "<|END_TEXT|>",
        ],
        ..PLAIN
    },
    Family {
        name: "mistral",
        signs: &["[THINK]", "[/THINK]"],
        open: "[THINK]",
        close: "[/THINK]",
        ..PLAIN
    },
    Family {
        name: "seed",
        signs: &["<seed:think>", "</seed:think>"],
        open: "<seed:think>",
        close: "</seed:think>",
        ..PLAIN
    },
    Family {
        name: "minimax",
        signs: &["<mm:think>", "</mm:think>"],
        open: "<mm:think>",
        close: "</mm:think>",
        ..PLAIN
    },
    Family {
        name: "hunyuan",
        signs: &["':opensource'", "'<think{}>'", "'</think{}>'"],
        open: "<think:opensource>",
        close: "</think:opensource>",
        ..PLAIN
    },
    Family {
        name: "apertus",
        signs: &["<|inner_prefix|>", "<|inner_suffix|>"],
        open: "<|inner_prefix|>",
        close: "<|inner_suffix|>",
        // Its template switches thinking on in words.
        is_usual: false,
        ..PLAIN
    },
    Family {
        name: "apriel",
        signs: &["Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"],
        open: "Here are my reasoning steps:",
        close: "[BEGIN FINAL RESPONSE]",
        ..PLAIN
    },
    Family {
        name: "granite",
        signs: &["<think></think>", "<response></response>"],
        open: "<think>",
        close: "</think>",
        direct: "<response>",
        around: ["<response>", "</response>"],
        // Its template switches thinking on in words.
        is_usual: false,
        ..PLAIN
    },
    Family {
        name: "kimi-k3",
        signs: &["'<|open|>' + tag", "open_tag('think'", "close_tag('response')"],
        open: "<|open|>think<|sep|>",
        close: "<|close|>think<|sep|>",
        direct: "<|open|>response<|sep|>",
        around: ["<|open|>response<|sep|>", "<|close|>response<|sep|>"],
        unthinking: "<|open|>think<|sep|><|close|>think<|sep|><|open|>response<|sep|>",
        ..PLAIN
    },
    Family {
        name: "think tags",
        signs: &["<think>", "</think>"],
        open: "<think>",
        close: "</think>",
        ..PLAIN
    },
];

impl Family {
    /// The family whose marks are tokens of their own in a vocabulary that `has` them, for models whose template is not known. It has to
    /// be one that may think without being told to.
    pub fn of_tokens(has: impl Fn(&str) -> bool) -> Option<Self> {
        let fits = |family: &&Self| family.is_usual && has(family.open) && has(family.close);
        FAMILIES.iter().rfind(fits).copied()
    }

    /// The family of a model with this chat template.
    pub fn of(template: &str) -> Option<Self> {
        let fits = |family: &&Self| family.signs.iter().all(|sign| template.contains(sign));
        FAMILIES.iter().find(fits).copied()
    }
}
