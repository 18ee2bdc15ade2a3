#!/usr/bin/env python3
"""Writes a Hugging Face Qwen2 directory as one GGUF file for llama.cpp, with every tensor in F32.

    python make_gguf.py models/tiny/llm tiny-llm.gguf

F32 holds bfloat16 weights exactly, so llama.cpp computes with the very numbers of the directory. Needs gguf and numpy.
"""
import argparse
import json
from pathlib import Path

import gguf
import numpy as np

ARCHITECTURE = gguf.MODEL_ARCH.QWEN2


def read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def add_sizes(writer: gguf.GGUFWriter, config: dict) -> None:
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def add_tokenizer(writer: gguf.GGUFWriter, source: Path, rows: int) -> None:
    """The vocabulary, padded to the `rows` of the embedding: llama.cpp wants a token for each of them."""
    tokenizer = read_json(source / "tokenizer.json")
    tokens = [f"[PAD{row}]" for row in range(rows)]
    kinds = [gguf.TokenType.UNUSED] * rows
    for text, row in tokenizer["model"]["vocab"].items():
        tokens[row], kinds[row] = text, gguf.TokenType.NORMAL
    for added in tokenizer["added_tokens"]:
        kind = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
        tokens[added["id"]], kinds[added["id"]] = added["content"], kind
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    # Without a BOS of the model's own llama.cpp would take token 11 for it; nothing is ever prepended either way.
    writer.add_add_bos_token(False)
    special = gguf.SpecialVocab(source, load_merges=True, n_vocab=rows)
    special.special_token_ids.setdefault("bos", special.special_token_ids["pad"])
    special.add_to_gguf(writer)


def add_tensors(writer: gguf.GGUFWriter, weights: Path, blocks: int) -> None:
    """A tied output layer needs no tensor: where it is absent llama.cpp takes the embedding."""
    names = gguf.get_tensor_name_map(ARCHITECTURE, blocks)
    with gguf.SafetensorsLocal(weights) as tensors:
        for name, tensor in tensors.items():
            target = names.get_name(name, try_suffixes=(".weight", ".bias"))
            if target is None:
                raise SystemExit(f"{weights}: no place in a Qwen2 model for the tensor {name}")
            values = gguf.dequantize(tensor.mmap_bytes(), gguf.GGMLQuantizationType[tensor.dtype])
            writer.add_tensor(target, np.ascontiguousarray(values, np.float32).reshape(tensor.shape))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, metavar="HF_DIR")
    parser.add_argument("target", type=Path, metavar="OUT.gguf")
    arguments = parser.parse_args()

    config = read_json(arguments.source / "config.json")
    writer = gguf.GGUFWriter(arguments.target, gguf.MODEL_ARCH_NAMES[ARCHITECTURE])
    add_sizes(writer, config)
    add_tokenizer(writer, arguments.source, config["vocab_size"])
    add_tensors(writer, arguments.source / "model.safetensors", config["num_hidden_layers"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
