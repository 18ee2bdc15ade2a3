//! Calls as each family writes them.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

static TOKENIZER: LazyLock<Tokenizer> =
    LazyLock::new(|| Tokenizer::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/llm")).unwrap());

/// What may be called, in OpenAI's form.
pub fn tools() -> [Value; 1] {
    [
        json!({"type": "function", "function": {"name": "weather", "parameters": {"properties": {
            "town": {"type": "string"}, "days": {"type": "integer"},
        }}}}),
    ]
}

/// One call as each family writes it, with the family's name.
pub const WRITTEN: [(&str, &str); 22] = [
    (
        "hermes",
        "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"town\": \"</tool_call>\", \"days\": 2}}\n</tool_call>",
    ),
    (
        "hermes",
        "<tool_call>[{\"name\": \"weather\", \"arguments\": \"{\\\"town\\\": \\\"</tool_call>\\\", \\\"days\\\": 2}\"}]</tool_call>",
    ),
    (
        "qwen coder",
        "<tool_call>\n<function=weather>\n<parameter=town>\n</tool_c\n</parameter>\n<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>",
    ),
    (
        "qwen coder",
        "<function=weather>\n<parameter=town>\n</tool_c\n</parameter>\n<parameter=days>2</parameter></function>",
    ),
    (
        "seed",
        "<seed:tool_call>\n<function=weather>\n<parameter=town>Oslo</parameter>\n<parameter=days>2</parameter>\n</function>\n</seed:tool_call>",
    ),
    (
        "functionary",
        "<function=weather>{\"town\": \"Oslo\", \"days\": 2}</function>",
    ),
    (
        "glm",
        "<tool_call>weather\n<arg_key>town</arg_key>\n<arg_value>Oslo</arg_value>\n<arg_key>days</arg_key>\n<arg_value>2</arg_value>\n</tool_call>",
    ),
    (
        "glm",
        "<tool_call>weather<arg_key>town</arg_key><arg_value>Oslo</arg_value><arg_key>days</arg_key><arg_value>2</arg_value></tool_call>",
    ),
    (
        "minimax",
        "<minimax:tool_call>\n<invoke name=\"weather\">\n<parameter name=\"town\">Oslo</parameter>\n<parameter name=\"days\">2</parameter>\n</invoke>\n</minimax:tool_call>",
    ),
    (
        "deepseek",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>weather<｜tool▁sep｜>{\"town\": \"Oslo\", \"days\": 2}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    ),
    (
        "deepseek",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n{\"town\": \"Oslo\", \"days\": 2}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    ),
    (
        "kimi",
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>{\"town\": \"Oslo\", \"days\": 2}<|tool_call_end|><|tool_calls_section_end|>",
    ),
    (
        "cohere",
        "<|START_ACTION|>[\n  {\"tool_call_id\": \"0\", \"tool_name\": \"weather\", \"parameters\": {\"town\": \"Oslo\", \"days\": 2}}\n]<|END_ACTION|>",
    ),
    (
        "mistral",
        "[TOOL_CALLS][{\"name\": \"weather\", \"arguments\": {\"town\": \"Oslo\", \"days\": 2}}]",
    ),
    ("mistral", "[TOOL_CALLS]weather[ARGS]{\"town\": \"Oslo\", \"days\": 2}"),
    (
        "nemotron",
        "<TOOLCALL>[{\"name\": \"weather\", \"arguments\": {\"town\": \"Oslo\", \"days\": 2}}]</TOOLCALL>",
    ),
    (
        "granite 3",
        "<|tool_call|>[{\"name\": \"weather\", \"arguments\": {\"town\": \"Oslo\", \"days\": 2}}]",
    ),
    (
        "phi",
        "<|tool_call|>[{\"name\": \"weather\", \"arguments\": {\"town\": \"Oslo\", \"days\": 2}}]<|/tool_call|>",
    ),
    (
        "tool_calls tags",
        "<tool_calls>[{\"name\": \"weather\", \"arguments\": {\"town\": \"Oslo\", \"days\": 2}}]</tool_calls>",
    ),
    (
        "llama 3",
        "{\"type\": \"function\", \"name\": \"weather\", \"parameters\": {\"town\": \"Oslo\", \"days\": 2}}",
    ),
    (
        "llama 3",
        "<|python_tag|>{\"name\": \"weather\", \"parameters\": {\"town\": \"Oslo\", \"days\": 2}}",
    ),
    (
        "harmony (gpt-oss)",
        "<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{\"town\": \"Oslo\", \"days\": 2}",
    ),
];

/// How the family of this name writes calls.
pub fn calling(name: &str) -> Calling {
    let family = FAMILIES.iter().find(|family| family.name == name).unwrap();
    Calling::of(&TOKENIZER, *family)
}

#[test]
fn each_familys_calls_are_read() {
    let mut known: Vec<&str> = WRITTEN.iter().map(|(name, _)| *name).collect();
    known.dedup();
    assert!(Calling::families().all(|name| known.contains(&name)));
    for (name, text) in WRITTEN {
        let parts = calling(name)
            .read(text, &tools())
            .unwrap_or_else(|| panic!("{name}: {text}"));
        let [Part::Call(call)] = parts.as_slice() else {
            panic!("{name}: {parts:?}");
        };
        assert_eq!(call.name, "weather");
        let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
        assert_eq!(arguments["days"], 2, "{name}: {arguments}");
        assert!(
            ["Oslo", "</tool_c", "</tool_call>"].contains(&arguments["town"].as_str().unwrap()),
            "{arguments}"
        );
    }
}

#[test]
fn several_calls_come_one_after_the_other() {
    for (name, text) in [
        (
            "mistral",
            "[TOOL_CALLS]a[ARGS]{}[TOOL_CALLS]b[CALL_ID]x1[ARGS]{\"c\": 1}",
        ),
        (
            "llama 3",
            "<|python_tag|>{\"name\": \"a\", \"parameters\": {}}; {\"name\": \"b\", \"parameters\": {\"c\": 1}}",
        ),
        (
            "tool_calls tags",
            "<tool_calls>\n{\"name\": \"a\"}\n{\"name\": \"b\", \"arguments\": {\"c\": 1}}\n</tool_calls>",
        ),
        (
            "harmony (gpt-oss)",
            "<|channel|>commentary to=functions.a<|message|>{}<|end|><|start|>assistant<|channel|>commentary to=functions.b <|constrain|>json<|message|>{\"c\": 1}",
        ),
    ] {
        let parts = calling(name).read(text, &tools()).unwrap();
        let call = |name: &str, arguments: &str| {
            Part::Call(ToolCall {
                name: name.to_owned(),
                arguments: arguments.to_owned(),
            })
        };
        assert_eq!(parts, [call("a", "{}"), call("b", "{\"c\": 1}")], "{name}");
    }
    let preamble = "<|channel|>commentary<|message|>Let me look.<|end|><|start|>assistant<|channel|>commentary to=functions.a<|message|>{}";
    let parts = calling("harmony (gpt-oss)").read(preamble, &tools()).unwrap();
    assert_eq!(parts[0], Part::Text("Let me look.".to_owned()));
}

#[test]
fn calls_are_read_where_their_end_is_cut_off_or_left_out() {
    for (name, text, arguments) in [
        ("hermes", "<tool_call>\n{\"name\": \"weather\"}\n</tool_", "{}"),
        (
            "kimi",
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls",
            "{}",
        ),
        (
            "qwen coder",
            "<tool_call>\n<function=weather>\n<parameter=town>\n</tool_c\n<parameter=days>\n2\n</function>\n</tool_call>",
            "{\"town\": \"</tool_c\", \"days\": 2}",
        ),
        (
            "qwen coder",
            "<tool_call>\n<function=weather>\n<parameter=\"town\">\nOslo\n</parameter>\n</tool_call>",
            "{\"town\": \"Oslo\"}",
        ),
    ] {
        let call = ToolCall {
            name: "weather".to_owned(),
            arguments: arguments.to_owned(),
        };
        let parts = calling(name).read(text, &tools());
        assert_eq!(parts, Some(vec![Part::Call(call)]), "{text}");
    }
}

#[test]
fn an_answer_may_go_on_after_calls_that_no_mark_ends() {
    for (name, text) in [
        (
            "llama 3",
            "{\"name\": \"weather\", \"parameters\": {\"town\": \"[TOOL_CALLS]\"}}\n\nI look {it} up.",
        ),
        (
            "granite 3",
            "<|tool_call|>[{\"name\": \"weather\", \"arguments\": {\"town\": \"[TOOL_CALLS]\"}}] I look {it} up.",
        ),
        (
            "mistral",
            "[TOOL_CALLS]weather[ARGS]{\"town\": \"[TOOL_CALLS]\"}I look {it} up.",
        ),
        (
            "mistral",
            "[TOOL_CALLS][{\"name\": \"weather\", \"arguments\": {\"town\": \"[TOOL_CALLS]\"}}]\nI look {it} up.",
        ),
    ] {
        let parts = calling(name).read(text, &tools()).unwrap();
        let call = ToolCall {
            name: "weather".to_owned(),
            arguments: "{\"town\": \"[TOOL_CALLS]\"}".to_owned(),
        };
        let [Part::Call(found), Part::Text(said)] = parts.as_slice() else {
            panic!("{text}: {parts:?}");
        };
        assert_eq!((found, said.trim()), (&call, "I look {it} up."), "{text}");
    }
}

#[test]
fn what_is_no_call_is_none() {
    for (name, text) in [
        ("hermes", "<tool_call>weather in Oslo</tool_call>"),
        (
            "hermes",
            "<tool_call>{\"name\": \"weather\", \"arguments\": [1]}</tool_call>",
        ),
        ("hermes", "<tool_call></tool_call>"),
        ("qwen coder", "<tool_call>{\"name\": \"weather\"}</tool_call>"),
        ("glm", "<tool_call>{\"name\": \"weather\"}</tool_call>"),
        // Cut off, there may be more to come.
        ("glm", "<tool_call>weather"),
        (
            "glm",
            "<tool_call>weather<arg_key>days</arg_key><arg_value>2</arg_value></tool_",
        ),
        ("qwen coder", "<tool_call>\n<function=weather>\n<parameter=town>\nOs"),
        (
            "qwen coder",
            "<tool_call>\n<function=weather>\n<parameter=days>\n2\n</parameter>\n",
        ),
        ("mistral", "[TOOL_CALLS] are written in brackets"),
        ("deepseek", "<｜tool▁calls▁begin｜>weather<｜tool▁calls▁end｜>"),
        // Its tools are others.
        ("llama 3", "{\"name\": \"Ada\", \"parameters\": {}}"),
        ("llama 3", "<|python_tag|>weather.call(town=\"Oslo\")"),
    ] {
        assert_eq!(calling(name).read(text, &tools()), None, "{text}");
    }
}

#[test]
fn a_model_with_a_token_for_a_mark_does_not_spell_it() {
    let spelled = calling("hermes");
    assert!(spelled.begins(b"a <", false) && spelled.begins(b"<tool", false) && !spelled.begins(b"a < b", false));
    assert!(spelled.begins(b"<tool_call>", false));
    let llama = calling("llama 3");
    assert!(llama.begins(b"\n{\"na", true) && !llama.begins(b"{\"na", false) && !llama.begins(b"{\"a", true));
}

#[test]
fn every_known_template_is_of_the_family_it_should_be() {
    let Some(folder) = std::env::var_os("COSTEER_TEMPLATES") else {
        eprintln!("skipped: COSTEER_TEMPLATES names no folder of chat templates");
        return;
    };
    let wanted = [
        ("Qwen-Qwen2.5-7B-Instruct", "hermes"),
        ("Qwen-Qwen3-0.6B", "hermes"),
        ("NousResearch-Hermes-3-Llama-3.1-8B-tool_use", "hermes"),
        ("ibm-granite-granite-4.0", "hermes"),
        ("Bielik-11B-v3.0-Instruct", "hermes"),
        ("MiMo-VL", "hermes"),
        ("Reka-Edge", "hermes"),
        ("Qwen3-Coder", "qwen coder"),
        ("Qwen3.5-4B", "qwen coder"),
        ("NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "qwen coder"),
        ("StepFun3.5-Flash", "qwen coder"),
        ("ByteDance-Seed-OSS", "seed"),
        ("GLM-4.6", "glm"),
        ("GLM-4.7-Flash", "glm"),
        ("MiniMax-M2", "minimax"),
        ("deepseek-ai-DeepSeek-V3.1", "deepseek"),
        ("deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "deepseek"),
        ("Kimi-K2-Instruct", "kimi"),
        ("CohereForAI-c4ai-command-r7b-12-2024-tool_use", "cohere"),
        ("mistralai-Mistral-Nemo-Instruct-2407", "mistral"),
        ("Mistral-Small-3.2-24B-Instruct-2506", "mistral"),
        ("NVIDIA-Nemotron-Nano-v2", "nemotron"),
        ("ibm-granite-granite-3.3-2B-Instruct", "granite 3"),
        ("Apriel-1.6-15b-Thinker-fixed", "tool_calls tags"),
        ("MiniMax-M1", "tool_calls tags"),
        ("meta-llama-Llama-3.1-8B-Instruct", "llama 3"),
        ("meta-llama-Llama-3.2-3B-Instruct", "llama 3"),
        ("meetkai-functionary-medium-v3.1", "functionary"),
        ("openai-gpt-oss-120b", "harmony (gpt-oss)"),
        // Not known.
        ("meetkai-functionary-medium-v3.2", ""),
        ("google-gemma-4-31B-it", ""),
        ("MiniMax-M3", ""),
        ("LFM2.5-8B-A1B", ""),
        ("deepseek-ai-DeepSeek-V3.2", ""),
        ("fireworks-ai-llama-3-firefunction-v2", ""),
        // No tools.
        ("google-gemma-2-2b-it", ""),
        ("microsoft-Phi-3.5-mini-instruct", ""),
    ];
    for (name, family) in wanted {
        let template = std::fs::read_to_string(Path::new(&folder).join(format!("{name}.jinja"))).unwrap();
        assert_eq!(Family::of(&template).map_or("", |found| found.name), family, "{name}");
    }
}

proptest! {
    #[test]
    fn anything_may_be_read(
        family in 0..FAMILIES.len(),
        text in "(<tool_call>|</tool_call>|<function=a>|</function>|<parameter=b>|</parameter>|<arg_key>|</arg_key>|<arg_value>|\\[ARGS\\]|\\{\"name\": \"a\", \"arguments\": \\{\\}\\}|[\\[\\]{}\",:a]){0,12}",
    ) {
        let calling = Calling::of(&TOKENIZER, FAMILIES[family]);
        for marks in FAMILIES[family].marks {
            let written = [marks.open, text.as_str(), marks.close].concat();
            for part in calling.read(&written, &tools()).into_iter().flatten() {
                if let Part::Call(call) = part {
                    prop_assert!(!call.name.is_empty());
                    prop_assert!(serde_json::from_str::<serde_json::Map<String, Value>>(&call.arguments).is_ok());
                }
            }
        }
    }
}
