//! What a chat template writes where the assistant speaks.

use serde_json::{Map, Value, json};

use super::{ChatWriter, Messages, RenderRequest};

/// Text of the assistant's that no template contains.
const SAID: &str = "Something that was said.";
const THOUGHT: &str = "Something that was thought.";

impl ChatWriter {
    /// The assistant's turns as the template writes them, from where the prompt would end: with an answer, with a thought before it,
    /// and with calls of a function. Those that the template refuses are left out.
    pub fn assistant_turns(&self) -> Vec<String> {
        let user = json!({"role": "user", "content": "A question."});
        let system = json!({"role": "system", "content": "An instruction."});
        let function = json!({
            "name": "look", "description": "Looks.",
            "parameters": {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]},
        });
        let tools = json!([{"type": "function", "function": function}]);
        let mut turns = Vec::new();
        for begun in [vec![user.clone()], vec![system, user]] {
            for (message, tools) in [answers(), calls(&tools)].concat() {
                let whole = [begun.clone(), vec![message]].concat();
                let written = |chat: &[Value], add_generation_prompt| {
                    self.render_request(&RenderRequest {
                        messages: Messages::Json(chat),
                        add_generation_prompt,
                        tools: &tools,
                        options: &Map::new(),
                    })
                };
                if let (Ok(prompt), Ok(whole)) = (written(&begun, true), written(&whole, false)) {
                    turns.push(after_common(&prompt, &whole).to_owned());
                }
            }
        }
        turns.sort_unstable();
        turns.dedup();
        turns
    }
}

/// Answers without a call, and what the request says of functions.
fn answers() -> Vec<(Value, Value)> {
    let plain = json!({"role": "assistant", "content": SAID});
    let thought = json!({"role": "assistant", "content": SAID, "reasoning_content": THOUGHT, "reasoning": THOUGHT, "thinking": THOUGHT});
    vec![(plain, Value::Null), (thought, Value::Null)]
}

/// Calls of a function, in the forms that templates want them in.
fn calls(tools: &Value) -> Vec<(Value, Value)> {
    let mut messages = Vec::new();
    for arguments in [json!({"at": "it"}), json!("{\"at\": \"it\"}")] {
        for content in [json!(""), Value::Null, json!(SAID)] {
            let call =
                json!({"id": "a1b2c3d4e", "type": "function", "function": {"name": "look", "arguments": &arguments}});
            let message = json!({"role": "assistant", "content": content, "tool_calls": [call]});
            messages.push((message, tools.clone()));
        }
    }
    messages
}

/// What `whole` has after what both begin with.
fn after_common<'a>(prompt: &str, whole: &'a str) -> &'a str {
    let same = prompt
        .chars()
        .zip(whole.chars())
        .take_while(|(left, right)| left == right);
    let length: usize = same.map(|(left, _)| left.len_utf8()).sum();
    whole.get(length..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::ChatTemplate;
    use super::*;
    use crate::vocabulary::TemplateOptions;

    fn turns(template: &str) -> Vec<String> {
        let specials =
            [("bos_token", "<s>"), ("eos_token", "</s>")].map(|(name, text)| (name.to_owned(), text.to_owned()));
        let template = ChatTemplate::compile(template.to_owned(), specials.to_vec()).unwrap();
        ChatWriter::new(template, TemplateOptions::default())
            .unwrap()
            .assistant_turns()
    }

    #[test]
    fn what_stands_in_the_assistants_turn_is_found() {
        let template = "{% for m in messages %}<|{{ m.role }}|>{% if m.tool_calls %}[CALL]{{ m.tool_calls[0].function.name }}{% endif %}\
                        {% if m.thinking %}[T]{{ m.thinking }}[/T]{% endif %}{{ m.content }}<|end|>{% endfor %}\
                        {% if add_generation_prompt %}<|assistant|>{% endif %}";
        let turns = turns(template);
        assert!(turns.contains(&format!("{SAID}<|end|>")), "{turns:?}");
        assert!(turns.contains(&format!("[T]{THOUGHT}[/T]{SAID}<|end|>")));
        assert!(turns.contains(&"[CALL]look<|end|>".to_owned()));
        assert!(
            turns
                .iter()
                .all(|turn| !turn.contains("<|user|>") && !turn.contains("<|assistant|>"))
        );
    }

    #[test]
    fn the_marks_of_known_templates_are_in_their_turns() {
        let Some(folder) = std::env::var_os("COSTEER_TEMPLATES") else {
            eprintln!("skipped: COSTEER_TEMPLATES names no folder of chat templates");
            return;
        };
        for (name, marks) in [
            (
                "openai-gpt-oss-120b",
                &["<|channel|>", "<|message|>", "<|start|>", "<|call|>"] as &[&str],
            ),
            ("Qwen-Qwen2.5-7B-Instruct", &["<tool_call>", "</tool_call>"]),
            ("HuggingFaceTB-SmolLM3-3B", &["<|im_end|>"]),
            ("mistralai-Mistral-Nemo-Instruct-2407", &["[TOOL_CALLS]"]),
            ("Mistral-Small-3.2-24B-Instruct-2506", &["[TOOL_CALLS]"]),
            ("mistralai-Ministral-3-14B-Reasoning-2512", &["[TOOL_CALLS]"]),
            (
                "CohereForAI-c4ai-command-r7b-12-2024-tool_use",
                &["<|START_RESPONSE|>", "<|START_ACTION|>", "<|END_ACTION|>"],
            ),
            ("google-gemma-4-31B-it", &["<|tool_call>", "<tool_call|>"]),
            (
                "deepseek-ai-DeepSeek-V3.1",
                &["<｜tool▁calls▁begin｜>", "<｜tool▁call▁end｜>"],
            ),
            ("upstage-Solar-Open-100B", &["<|content|>", "<|tool_calls|>"]),
        ] {
            let template =
                std::fs::read_to_string(std::path::Path::new(&folder).join(format!("{name}.jinja"))).unwrap();
            let written = turns(&template).concat();
            for mark in marks {
                assert!(written.contains(mark), "{name} lacks {mark}: {written}");
            }
        }
    }
}
