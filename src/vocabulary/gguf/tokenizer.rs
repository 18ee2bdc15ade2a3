//! The tokenizer that a GGUF file describes, in the terms of `tokenizer.json`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::GgufMetadata;
use super::merges::merges;
use super::pre_tokenizers::PreTokenizer;

/// Kinds of tokens, by their numbers in the file.
const NORMAL: f64 = 1.0;
const CONTROL: f64 = 3.0;
const USER_DEFINED: f64 = 4.0;
const UNUSED: f64 = 5.0;

/// The file's vocabulary.
struct Tokens<'a> {
    texts: Vec<&'a str>,
    kinds: Vec<f64>,
}

/// `tokenizer.json` for the tokenizer of a GGUF file.
///
/// # Errors
/// What the file lacks, or what it has that is not known here.
pub fn to_json(gguf: &GgufMetadata) -> Result<Value, String> {
    let lacks = |name: &str| format!("it has no {name}; is it a whole model?");
    let texts = gguf
        .texts("tokenizer.ggml.tokens")
        .ok_or_else(|| lacks("tokenizer.ggml.tokens"))?;
    let mut kinds = gguf.numbers("tokenizer.ggml.token_type").unwrap_or_default();
    kinds.resize(texts.len(), NORMAL);
    let tokens = Tokens { texts, kinds };
    match gguf.text("tokenizer.ggml.model") {
        Some("gpt2") => {
            let merges = gguf
                .texts("tokenizer.ggml.merges")
                .ok_or_else(|| lacks("tokenizer.ggml.merges"))?;
            let name = gguf.text("tokenizer.ggml.pre").unwrap_or("default");
            let pre = PreTokenizer::named(name).ok_or_else(|| {
                format!("its way of cutting texts, tokenizer.ggml.pre = \"{name}\", is not known; {INSTEAD}")
            })?;
            Ok(byte_pairs(gguf, &tokens, &merges, &pre))
        }
        Some("llama") => {
            let scores = gguf
                .numbers("tokenizer.ggml.scores")
                .filter(|scores| scores.len() == tokens.texts.len())
                .ok_or_else(|| lacks("tokenizer.ggml.scores"))?;
            Ok(pieces(gguf, &tokens, &scores))
        }
        Some(other) => Err(format!(
            "its kind of tokenizer, tokenizer.ggml.model = \"{other}\", is not known; {INSTEAD}"
        )),
        None => Err(lacks("tokenizer.ggml.model")),
    }
}

const INSTEAD: &str = "put the model's tokenizer.json and tokenizer_config.json into the file's folder";

fn byte_pairs(gguf: &GgufMetadata, tokens: &Tokens, merges: &[&str], pre: &PreTokenizer) -> Value {
    let merges: Vec<(&str, &str)> = merges.iter().filter_map(|merge| merge.split_once(' ')).collect();
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    json!({
        "version": "1.0",
        "added_tokens": tokens.added(),
        "normalizer": if pre.composes { json!({"type": "NFC"}) } else { Value::Null },
        "pre_tokenizer": pre.to_json(),
        "post_processor": beginning(gguf, tokens, pre.begins),
        "decoder": bytes,
        "model": {
            "type": "BPE",
            "ignore_merges": pre.whole_first,
            "vocab": tokens.vocabulary(),
            "merges": merges,
        },
    })
}

fn pieces(gguf: &GgufMetadata, tokens: &Tokens, scores: &[f64]) -> Value {
    let known = tokens
        .texts
        .iter()
        .enumerate()
        .map(|(id, text)| (*text, id))
        .collect::<HashMap<_, _>>();
    let normal = |id: &usize| tokens.kinds[*id] == NORMAL;
    let scored: Vec<(&str, f64)> = (0..tokens.texts.len())
        .filter(normal)
        .map(|id| (tokens.texts[id], scores[id]))
        .collect();
    let space = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
    let has_space_before = gguf.flag("tokenizer.ggml.add_space_prefix").unwrap_or(true);
    let mut normalizers = vec![space];
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if has_space_before {
        normalizers.insert(0, json!({"type": "Prepend", "prepend": "▁"}));
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    let unknown = gguf.number("tokenizer.ggml.unknown_token_id").unwrap_or(0);
    json!({
        "version": "1.0",
        "added_tokens": tokens.added(),
        "normalizer": {"type": "Sequence", "normalizers": normalizers},
        "post_processor": beginning(gguf, tokens, true),
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": {
            "type": "BPE",
            "unk_token": usize::try_from(unknown).ok().and_then(|id| tokens.texts.get(id)),
            "fuse_unk": true,
            "byte_fallback": true,
            "vocab": tokens.vocabulary(),
            "merges": merges(&scored, &known),
        },
    })
}

/// What begins every text that is no chat: the token that begins a sequence, where the model wants it.
fn beginning(gguf: &GgufMetadata, tokens: &Tokens, usually: bool) -> Value {
    let wanted = gguf.flag("tokenizer.ggml.add_bos_token").unwrap_or(usually);
    let id = gguf.number("tokenizer.ggml.bos_token_id").filter(|_| wanted);
    let Some((id, text)) = id.and_then(|id| Some((id, tokens.texts.get(usize::try_from(id).ok()?)?))) else {
        return Value::Null;
    };
    let [first, second] = ["A", "B"].map(|name| json!({"Sequence": {"id": name, "type_id": 0}}));
    let begin = json!({"SpecialToken": {"id": text, "type_id": 0}});
    let mut specials = Map::new();
    specials.insert((*text).to_owned(), json!({"id": text, "ids": [id], "tokens": [text]}));
    json!({
        "type": "TemplateProcessing",
        "single": [begin, first],
        "pair": [begin, first, begin, second],
        "special_tokens": specials,
    })
}

impl Tokens<'_> {
    /// Texts and ids of all tokens but those that only fill a hole.
    fn vocabulary(&self) -> Map<String, Value> {
        let used = (0..self.texts.len()).filter(|id| self.kinds[*id] != UNUSED);
        used.map(|id| (self.texts[id].to_owned(), id.into())).collect()
    }

    /// Tokens that are found in a text before it is cut.
    fn added(&self) -> Vec<Value> {
        let added = (0..self.texts.len()).filter(|id| [CONTROL, USER_DEFINED].contains(&self.kinds[*id]));
        added
            .map(|id| {
                json!({
                    "id": id,
                    "content": self.texts[id],
                    "single_word": false,
                    "lstrip": false,
                    "rstrip": false,
                    "normalized": false,
                    "special": self.kinds[id] == CONTROL,
                })
            })
            .collect()
    }
}
