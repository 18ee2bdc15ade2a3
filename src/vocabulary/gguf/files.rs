//! A GGUF file's metadata as the small JSON files of a Hugging Face directory would have them.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::GgufMetadata;

/// Whether `path` leads to a GGUF file, by its name.
pub fn is_gguf(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gguf") && path.is_file()
}

/// Tokens that end a turn in known families, whatever the file's metadata names.
const ENDS: [&str; 8] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<end_of_turn>",
    "<turn|>",
];

/// What `config.json` would say.
pub fn config(gguf: &GgufMetadata) -> Value {
    let named = ["eos", "eot", "eom"].map(|name| gguf.number(&format!("tokenizer.ggml.{name}_token_id")));
    let mut ends: Vec<u64> = named.into_iter().flatten().collect();
    let tokens = gguf.texts("tokenizer.ggml.tokens").unwrap_or_default();
    // Where an answer may have several messages, this one ends a message and not the turn.
    let only_message = tokens.contains(&"<|return|>");
    let is_end = |text: &&str| ENDS.contains(text) && !(only_message && *text == "<|end|>");
    ends.extend((0..).zip(&tokens).filter_map(|(id, text)| is_end(text).then_some(id)));
    json!({"max_position_embeddings": gguf.context_length(), "eos_token_id": ends})
}

/// What `tokenizer_config.json` would say.
pub fn tokenizer_config(gguf: &GgufMetadata) -> Value {
    let tokens = gguf.texts("tokenizer.ggml.tokens").unwrap_or_default();
    let mut config = Map::new();
    for (name, key) in [
        ("bos_token", "bos"),
        ("eos_token", "eos"),
        ("unk_token", "unknown"),
        ("sep_token", "seperator"),
        ("pad_token", "padding"),
        ("mask_token", "mask"),
    ] {
        let id = gguf.number(&format!("tokenizer.ggml.{key}_token_id"));
        let text = id.and_then(|id| tokens.get(usize::try_from(id).ok()?));
        config.extend(text.map(|text| (name.to_owned(), Value::from(*text))));
    }
    let template = gguf.text("tokenizer.chat_template");
    config.extend(template.map(|template| ("chat_template".to_owned(), Value::from(template))));
    Value::Object(config)
}
