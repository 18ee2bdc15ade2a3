/// How the models of one family write calls of tools in their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// For people to read.
    pub name: &'static str,
    /// A chat template that has all of these texts is of this family.
    pub signs: &'static [&'static str],
    /// What begins and ends calls; the end is empty where it is that of the answer.
    pub marks: &'static [Marks],
    /// What begins calls where it is the answer's beginning.
    pub starts: &'static [&'static str],
    /// Further marks within calls. Some are tokens that stand for no text.
    pub inner: &'static [&'static str],
    /// What is between the marks.
    pub form: Form,
}

/// What stands around calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Before the first.
    pub open: &'static str,
    /// After the last; empty where that is the end of the answer.
    pub close: &'static str,
    /// What may stand behind the end all the same: the end of marks whose beginning was left out.
    pub stray: &'static str,
}

/// How a call is written between the marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON: one object with a name and arguments after the other, or lists of them.
    Json,
    /// `<function=NAME>` with a `<parameter=NAME>` for each argument, or with the arguments as JSON.
    Functions,
    /// The name, and an `<arg_key>` and an `<arg_value>` for each argument.
    Pairs,
    /// `<invoke name="NAME">` with a `<parameter name="NAME">` for each argument.
    Invocations,
    /// DeepSeek's tokens around each call.
    DeepSeek,
    /// Kimi's tokens around each call.
    Kimi,
    /// `NAME[ARGS]` and JSON, or as [`Form::Json`].
    Mistral,
    /// Messages to functions in harmony's commentary channel.
    Harmony,
}

const fn marks(open: &'static str, close: &'static str) -> Marks {
    Marks { open, close, stray: "" }
}

/// Nothing special.
const PLAIN: Family = Family {
    name: "",
    signs: &[],
    marks: &[],
    starts: &[],
    inner: &[],
    form: Form::Json,
};

/// Those that are known. The first that fits a template counts.
pub const FAMILIES: [Family; 16] = [
    Family {
        name: "harmony (gpt-oss)",
        signs: &["<|channel|>commentary", "functions."],
        // The machine for messages hands over those to functions, with headers in this form.
        marks: &[marks("<|channel|>commentary to=functions.", "")],
        inner: &["<|constrain|>", "<|message|>", "<|end|>", "<|start|>", "<|channel|>"],
        form: Form::Harmony,
        ..PLAIN
    },
    Family {
        name: "deepseek",
        signs: &["<｜tool▁calls▁begin｜>", "<｜tool▁sep｜>"],
        marks: &[marks("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>")],
        inner: &["<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>"],
        form: Form::DeepSeek,
        ..PLAIN
    },
    Family {
        name: "kimi",
        signs: &["<|tool_calls_section_begin|>", "<|tool_call_argument_begin|>"],
        marks: &[marks("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>")],
        inner: &[
            "<|tool_call_begin|>",
            "<|tool_call_argument_begin|>",
            "<|tool_call_end|>",
        ],
        form: Form::Kimi,
        ..PLAIN
    },
    Family {
        name: "minimax",
        signs: &["<minimax:tool_call>", "<invoke name="],
        marks: &[marks("<minimax:tool_call>", "</minimax:tool_call>")],
        form: Form::Invocations,
        ..PLAIN
    },
    Family {
        name: "seed",
        signs: &["<seed:tool_call>", "<function="],
        marks: &[marks("<seed:tool_call>", "</seed:tool_call>")],
        form: Form::Functions,
        ..PLAIN
    },
    Family {
        name: "qwen coder",
        signs: &["<tool_call>", "<function=", "<parameter="],
        // Some leave the outer marks out, or the first of them alone.
        marks: &[
            marks("<tool_call>", "</tool_call>"),
            Marks {
                stray: "</tool_call>",
                ..marks("<function=", "</function>")
            },
        ],
        form: Form::Functions,
        ..PLAIN
    },
    Family {
        name: "glm",
        signs: &["<tool_call>", "<arg_key>", "<arg_value>"],
        marks: &[marks("<tool_call>", "</tool_call>")],
        inner: &["<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"],
        form: Form::Pairs,
        ..PLAIN
    },
    Family {
        name: "functionary",
        signs: &["<function=", "</function>", "<|python_tag|>"],
        marks: &[marks("<function=", "</function>")],
        form: Form::Functions,
        ..PLAIN
    },
    Family {
        name: "cohere",
        signs: &["<|START_ACTION|>", "<|END_ACTION|>", "\"tool_name\""],
        marks: &[marks("<|START_ACTION|>", "<|END_ACTION|>")],
        ..PLAIN
    },
    Family {
        name: "mistral",
        signs: &["[TOOL_CALLS]"],
        marks: &[marks("[TOOL_CALLS]", "")],
        inner: &["[ARGS]", "[CALL_ID]"],
        form: Form::Mistral,
        ..PLAIN
    },
    Family {
        name: "nemotron",
        signs: &["<TOOLCALL>", "</TOOLCALL>"],
        marks: &[marks("<TOOLCALL>", "</TOOLCALL>")],
        ..PLAIN
    },
    Family {
        name: "granite 3",
        signs: &["<|tool_call|> followed by"],
        marks: &[marks("<|tool_call|>", "")],
        ..PLAIN
    },
    Family {
        name: "phi",
        signs: &["<|tool_call|>", "<|/tool_call|>"],
        marks: &[marks("<|tool_call|>", "<|/tool_call|>")],
        ..PLAIN
    },
    Family {
        name: "tool_calls tags",
        signs: &["<tool_calls>", "</tool_calls>", "arguments"],
        marks: &[marks("<tool_calls>", "</tool_calls>")],
        ..PLAIN
    },
    Family {
        name: "hermes",
        signs: &["<tool_call>", "</tool_call>", "\"arguments"],
        marks: &[marks("<tool_call>", "</tool_call>")],
        ..PLAIN
    },
    Family {
        name: "llama 3",
        signs: &["\"parameters\": dictionary of argument name and its value"],
        marks: &[marks("<|python_tag|>", "")],
        starts: &[
            "{\"name\"",
            "{ \"name\"",
            "{\n  \"name\"",
            "{\n    \"name\"",
            "{\"type\": \"function\"",
        ],
        ..PLAIN
    },
];

impl Family {
    /// The family of a model with this chat template.
    pub fn of(template: &str) -> Option<Self> {
        let fits = |family: &&Self| family.signs.iter().all(|sign| template.contains(sign));
        FAMILIES.iter().find(fits).copied()
    }
}
