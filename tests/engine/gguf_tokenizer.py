"""The tokenizer files that belong beside a GGUF file, from what the file itself says."""
import json
from pathlib import Path

import gguf

# How SmolLM2 cuts text before its merges apply: digits one by one, the rest as GPT-2 does.
PRE_TOKENIZERS = {
    "smollm": [
        {"type": "Digits", "individual_digits": True},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    ]
}


def write(reader: gguf.GGUFReader, directory: Path) -> None:
    """Writes tokenizer.json and tokenizer_config.json."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in (("tokenizer.json", tokenizer(reader)), ("tokenizer_config.json", configuration(reader))):
        (directory / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def field(reader: gguf.GGUFReader, name: str):
    return reader.fields[f"tokenizer.{name}"].contents()


def tokenizer(reader: gguf.GGUFReader) -> dict:
    tokens = field(reader, "ggml.tokens")
    controls = [row for row, kind in enumerate(field(reader, "ggml.token_type")) if kind == gguf.TokenType.CONTROL]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": row, "content": tokens[row], **flags} for row in controls],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": PRE_TOKENIZERS[field(reader, "ggml.pre")]},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {token: row for row, token in enumerate(tokens)},
            "merges": [merge.split(" ") for merge in field(reader, "ggml.merges")],
        },
    }


def configuration(reader: gguf.GGUFReader) -> dict:
    tokens = field(reader, "ggml.tokens")
    names = {"bos_token": "bos", "eos_token": "eos", "pad_token": "padding", "unk_token": "unknown"}
    texts = {name: tokens[field(reader, f"ggml.{key}_token_id")] for name, key in names.items()}
    return {
        **texts,
        "add_bos_token": field(reader, "ggml.add_bos_token"),
        "chat_template": field(reader, "chat_template"),
        "model_max_length": reader.fields["llama.context_length"].contents(),
        "tokenizer_class": "GPT2Tokenizer",
    }
