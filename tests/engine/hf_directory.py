"""A model of the Llama architecture as a directory in Hugging Face layout, in f32."""
import json
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import save_file

import gguf_tokenizer
from gguf_formats import weights

NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def write(reader: gguf.GGUFReader, directory: Path) -> None:
    gguf_tokenizer.write(reader, directory)
    config = configuration(reader)
    ends = {"bos_token_id": config["bos_token_id"], "eos_token_id": config["eos_token_id"]}
    (directory / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    (directory / "generation_config.json").write_text(json.dumps(ends, indent=2), encoding="utf-8")
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    tensors = {}
    for tensor in reader.tensors:
        part = tensor.name.split(".")[-2]
        values = weights(tensor)
        if part in heads:
            values = halves_apart(values, heads[part])
        tensors[renamed(tensor.name)] = np.ascontiguousarray(values)
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})


def renamed(name: str) -> str:
    if name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if name == "output_norm.weight":
        return "model.norm.weight"
    _, block, part, _ = name.split(".")
    return f"model.layers.{block}.{NAMES[part]}.weight"


def halves_apart(values: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp turns neighbouring rows of a head together, Hugging Face the first half with the second."""
    rows, columns = values.shape
    pairs = values.reshape(heads, rows // heads // 2, 2, columns)
    return pairs.swapaxes(1, 2).reshape(rows, columns)


def configuration(reader: gguf.GGUFReader) -> dict:
    def of(name: str):
        return reader.fields[name].contents()

    hidden, heads = of("llama.embedding_length"), of("llama.attention.head_count")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": of("llama.feed_forward_length"),
        "num_hidden_layers": of("llama.block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": of("llama.attention.head_count_kv"),
        "head_dim": hidden // heads,
        "max_position_embeddings": of("llama.context_length"),
        # The file holds it in 32 bits; its shortest name in those is the number that was meant.
        "rms_norm_eps": float(str(np.float32(of("llama.attention.layer_norm_rms_epsilon")))),
        "rope_theta": of("llama.rope.freq_base"),
        "rope_scaling": None,
        "vocab_size": of("llama.vocab_size"),
        # There is no output tensor in the file: llama.cpp takes the embedding for it.
        "tie_word_embeddings": True,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": of("tokenizer.ggml.bos_token_id"),
        "eos_token_id": of("tokenizer.ggml.eos_token_id"),
        "pad_token_id": of("tokenizer.ggml.padding_token_id"),
        "torch_dtype": "float32",
    }
