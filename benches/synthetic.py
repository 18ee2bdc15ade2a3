"""Writes a model of random weights in a real one's shape, for what only depends on shapes: `python synthetic.py OUT SHAPE TOKENIZER`.

TOKENIZER is a directory with tokenizer.json and tokenizer_config.json, or `train`, which trains a byte-level BPE of the shape's size on the
Python installation's own sources. Needs numpy, safetensors and tokenizers.
"""
import argparse
import json
import shutil
import sysconfig
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

SHAPES = {
    "smollm-135m": {"type": "llama", "layers": 30, "hidden": 576, "heads": 9, "kv_heads": 3, "feed_forward": 1536, "vocabulary": 49152},
    "qwen2.5-0.5b": {"type": "qwen2", "layers": 24, "hidden": 896, "heads": 14, "kv_heads": 2, "feed_forward": 4864, "vocabulary": 152064},
}
END = "<|im_end|>"
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def train(folder: Path, size: int) -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = [AddedToken(text, special=True) for text in ("<|endoftext|>", "<|im_start|>", END)]
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), min_frequency=2, show_progress=False
    )
    sources = Path(sysconfig.get_path("stdlib")).rglob("*.py")
    tokenizer.train_from_iterator((path.read_text(errors="ignore") for path in sources), trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"chat_template": CHATML, "eos_token": END, "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 4096}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def weights(shape: dict) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    hidden, wide = shape["hidden"], shape["feed_forward"]
    keys = hidden // shape["heads"] * shape["kv_heads"]

    def matrix(rows: int, columns: int) -> np.ndarray:
        return (random.standard_normal((rows, columns), dtype=np.float32) / columns**0.5).astype(np.float16)

    named = {"model.embed_tokens.weight": matrix(shape["vocabulary"], hidden), "model.norm.weight": np.ones(hidden, np.float16)}
    for layer in range(shape["layers"]):
        at = f"model.layers.{layer}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            named[f"{at}{norm}.weight"] = np.ones(hidden, np.float16)
        for part, rows in (("q", hidden), ("k", keys), ("v", keys)):
            named[f"{at}self_attn.{part}_proj.weight"] = matrix(rows, hidden)
            if shape["type"] == "qwen2":
                named[f"{at}self_attn.{part}_proj.bias"] = np.zeros(rows, np.float16)
        named[f"{at}self_attn.o_proj.weight"] = matrix(hidden, hidden)
        named[f"{at}mlp.gate_proj.weight"], named[f"{at}mlp.up_proj.weight"] = matrix(wide, hidden), matrix(wide, hidden)
        named[f"{at}mlp.down_proj.weight"] = matrix(hidden, wide)
    return named


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("tokenizer")
    arguments = parser.parse_args()
    out, shape = arguments.out, SHAPES[arguments.shape]
    out.mkdir(parents=True, exist_ok=True)
    if arguments.tokenizer == "train":
        train(out, shape["vocabulary"])
    else:
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(Path(arguments.tokenizer) / name, out / name)
    end = Tokenizer.from_file(str(out / "tokenizer.json")).token_to_id(END)
    config = {
        "architectures": ["LlamaForCausalLM" if shape["type"] == "llama" else "Qwen2ForCausalLM"], "model_type": shape["type"],
        "hidden_act": "silu", "hidden_size": shape["hidden"], "intermediate_size": shape["feed_forward"], "max_position_embeddings": 4096,
        "num_attention_heads": shape["heads"], "num_hidden_layers": shape["layers"], "num_key_value_heads": shape["kv_heads"],
        "rms_norm_eps": 1e-6, "rope_theta": 1e4, "tie_word_embeddings": True, "vocab_size": shape["vocabulary"], "bos_token_id": None,
        "eos_token_id": end, "torch_dtype": "float16", "sliding_window": None, "use_sliding_window": False,
        "max_window_layers": shape["layers"], "attention_bias": False,
    }
    (out / "config.json").write_text(json.dumps(config))
    (out / "generation_config.json").write_text(json.dumps({"eos_token_id": end}))
    save_file(weights(shape), str(out / "model.safetensors"), metadata={"format": "pt"})


if __name__ == "__main__":
    main()
