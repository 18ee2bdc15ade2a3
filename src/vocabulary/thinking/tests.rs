use std::path::Path;

use proptest::prelude::*;

use super::*;

/// The shipped model's tokenizer with these names for two more tokens, and this end of its chat template.
fn tokenizer(names: [&str; 2], special: bool, template: &str) -> Tokenizer {
    tokenizer_of(names, special, |own| own + template)
}

fn tokenizer_of(names: [&str; 2], special: bool, template: impl FnOnce(String) -> String) -> Tokenizer {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny/llm");
    let folder = std::env::temp_dir().join(format!("costeer-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&folder).unwrap();
    for name in ["config.json", "generation_config.json"] {
        std::fs::copy(shipped.join(name), folder.join(name)).unwrap();
    }
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(shipped.join(name)).unwrap()).unwrap()
    };
    let mut file = read("tokenizer.json");
    let added = file["added_tokens"].as_array_mut().unwrap();
    for (id, name) in (3454..).zip(names) {
        added.push(serde_json::json!({
            "id": id, "content": name, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            "special": special,
        }));
    }
    std::fs::write(folder.join("tokenizer.json"), file.to_string()).unwrap();
    let mut configuration = read("tokenizer_config.json");
    let own = configuration["chat_template"].as_str().unwrap().to_owned();
    configuration["chat_template"] = template(own).into();
    std::fs::write(folder.join("tokenizer_config.json"), configuration.to_string()).unwrap();
    let tokenizer = Tokenizer::load(&folder).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    tokenizer
}

const OFF: &str = "{% if off %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}";

#[test]
fn a_prompt_is_closed_as_the_template_closes_it() {
    for special in [false, true] {
        let tokenizer = tokenizer(["<think>", "</think>"], special, OFF);
        let thinking = Thinking::find(&tokenizer).unwrap();
        assert_eq!(thinking.family, "think tags");
        assert_eq!(thinking.markup().count(), if special { 2 } else { 0 });
        let head = "<|im_start|>assistant\n";
        let wanted = tokenizer.encode(&format!("{head}<think>\n\n</think>\n\n")).unwrap();
        for begun in ["", "<think>", "<think>\n", "<think>\n\n</think>\n\n"] {
            let prompt = tokenizer.encode(&format!("{head}{begun}")).unwrap();
            let (kept, more) = thinking.closed(&tokenizer, &prompt).unwrap();
            assert_eq!([&prompt[..kept], &more[..]].concat(), wanted, "{begun:?}");
            assert!(more.len() <= thinking.most_added());
        }
    }
}

#[test]
fn the_end_of_a_prompt_says_how_the_answer_begins() {
    let tokenizer = tokenizer(["<think>", "</think>"], true, OFF);
    let thinking = Thinking::find(&tokenizer).unwrap();
    let opening = |text: &str| thinking.opening(&tokenizer, &tokenizer.encode(text).unwrap());
    assert_eq!(opening("<|im_start|>assistant\n"), Opening::Free);
    assert_eq!(opening("<|im_start|>assistant\n<think>\n"), Opening::Thought);
    assert_eq!(opening("<|im_start|>assistant\n</think>"), Opening::Answer);
    // What somebody has written before says nothing.
    assert_eq!(opening("<think><|im_end|>\n<|im_start|>assistant\n"), Opening::Free);
}

#[test]
fn markers_may_be_named_and_need_no_tokens_of_their_own() {
    let tokenizer = tokenizer(["<a>", "<b>"], true, "");
    assert_eq!(Thinking::find(&tokenizer), None);
    let thinking = Thinking::named(&tokenizer, "[[", "]]");
    assert_eq!((thinking.family.as_str(), thinking.markup().count()), ("configured", 0));
    assert_eq!(thinking.unthinking, "[[\n\n]]\n\n");
    let prompt = tokenizer.encode("<|im_start|>assistant\n[[\n").unwrap();
    assert_eq!(thinking.opening(&tokenizer, &prompt), Opening::Thought);
    let mistral = Thinking::named(&tokenizer, "[THINK]", "[/THINK]");
    assert_eq!(mistral.family, "mistral");
}

#[test]
fn a_model_that_is_told_to_think_in_words_gets_no_empty_thought() {
    let granite = "{# <think></think> <response></response> #}";
    let tokenizer = tokenizer(["<a>", "<b>"], true, granite);
    let thinking = Thinking::find(&tokenizer).unwrap();
    let prompt = tokenizer.encode("<|im_start|>assistant\n").unwrap();
    assert_eq!(
        thinking.closed(&tokenizer, &prompt).unwrap(),
        (prompt.len(), Vec::new())
    );
}

#[test]
fn every_known_template_is_of_the_family_it_should_be() {
    let Some(folder) = std::env::var_os("COSTEER_TEMPLATES") else {
        eprintln!("skipped: COSTEER_TEMPLATES names no folder of chat templates");
        return;
    };
    let wanted = [
        ("openai-gpt-oss-120b", "harmony (gpt-oss)"),
        ("llm-jp-llm-jp-4.1-8b-thinking", "harmony (gpt-oss)"),
        ("google-gemma-4-31B-it", "gemma"),
        ("upstage-Solar-Open-100B", "solar"),
        ("Cohere2MoE", "cohere"),
        ("CohereForAI-c4ai-command-r7b-12-2024-tool_use", "cohere"),
        ("mistralai-Ministral-3-14B-Reasoning-2512", "mistral"),
        ("ByteDance-Seed-OSS", "seed"),
        ("MiniMax-M3", "minimax"),
        ("tencent-Hy3", "hunyuan"),
        ("Apertus-8B-Instruct", "apertus"),
        ("Apriel-1.6-15b-Thinker-fixed", "apriel"),
        ("ibm-granite-granite-3.3-2B-Instruct", "granite"),
        ("Qwen-Qwen3-0.6B", "think tags"),
        ("Qwen3.5-4B", "think tags"),
        ("GLM-4.6", "think tags"),
        ("HuggingFaceTB-SmolLM3-3B", "think tags"),
        ("deepseek-ai-DeepSeek-V3.1", "think tags"),
        ("deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "think tags"),
        ("Kimi-K2-Thinking", "think tags"),
        ("MiniMax-M2", "think tags"),
        ("NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "think tags"),
        ("Qwen-Qwen2.5-7B-Instruct", ""),
        ("meta-llama-Llama-3.3-70B-Instruct", ""),
        ("google-gemma-2-2b-it", ""),
    ];
    for (name, family) in wanted {
        let template = std::fs::read_to_string(Path::new(&folder).join(format!("{name}.jinja"))).unwrap();
        assert_eq!(Family::of(&template).map_or("", |found| found.name), family, "{name}");
    }
}

proptest! {
    #[test]
    fn any_source_may_be_searched(source in "(<think>|</think>|\\\\n|\n|[a ]){0,20}") {
        if let Some(empty) = empty_thought(&source, "<think>", "</think>") {
            let inside = empty.strip_prefix("<think>").unwrap().trim_end().strip_suffix("</think>").unwrap();
            prop_assert!(inside.trim().is_empty());
        }
    }
}

#[test]
fn special_tokens_of_the_assistants_turn_may_be_picked_and_others_never() {
    let calls = "{% if message.tool_calls %}[CALL]{{ message.tool_calls[0].function.name }}{% endif %}";
    let before = "{{ '<|im_start|>' + message['role'] + '\n' }}";
    let template = |_| {
        format!(
            "{{% for message in messages %}}{before}{calls}{{{{ message['content'] or '' }}}}{{{{ '<|im_end|>\n' }}}}{{% endfor %}}\
             {{% if add_generation_prompt %}}{{{{ '<|im_start|>assistant\n' }}}}{{% endif %}}{{# [OTHER] #}}"
        )
    };
    let tokenizer = tokenizer_of(["[CALL]", "[OTHER]"], true, template);
    let [call, other] = ["[CALL]", "[OTHER]"].map(|name| tokenizer.id_of(name).unwrap());
    assert_eq!(tokenizer.structure(), [call]);
    let thinking = Thinking::named(&tokenizer, "<a>", "</a>");
    let may = |id: TokenId| [tokenizer.selectable()[id.index()], thinking.selectable()[id.index()]];
    assert_eq!((may(call), may(other)), ([false, true], [false, false]));
    assert_eq!(may(tokenizer.id_of("<|im_start|>").unwrap()), [false, false]);
    assert_eq!(may(tokenizer.end()), [true, true]);
}

#[test]
fn a_vocabulary_says_what_its_model_may_write() {
    let with = |special| tokenizer(["<think>", "</think>"], special, "");
    for special in [false, true] {
        assert_eq!(Thinking::find(&with(special)), None);
        assert_eq!(Thinking::of_vocabulary(&with(special)).unwrap().family, "think tags");
    }
    assert_eq!(Thinking::of_vocabulary(&tokenizer(["<a>", "</a>"], true, "")), None);
}
