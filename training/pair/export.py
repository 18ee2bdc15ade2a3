"""Writes the trained models to models/tiny in the layouts that transformers, vLLM and mistral.rs load: `python -m pair.export [MODEL…]`."""
import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from . import families, gguf, pieces
from .model import Model, Shape
from .settings import MODELS, OUT, TRAININGS
from .tokenizer import CHAT_TEMPLATE, END, END_OF_TEXT, SMALL_CHAT_TEMPLATE, build, save


def load(role: str) -> Model:
    """The model from its last training checkpoint, in full precision."""
    model = Model(TRAININGS[role].shape)
    model.load_state_dict(torch.load(OUT / f"{role}.pt", weights_only=True)["model"])
    return model.eval()


def tensors(model: Model) -> dict[str, torch.Tensor]:
    """The weights under the checkpoint's names, in bfloat16; the output layer is the embedding."""
    hidden, feed_forward = model.shape.hidden, model.shape.feed_forward
    named = {"model.embed_tokens.weight": model.embedding.weight, "model.norm.weight": model.final.weight}
    for i, block in enumerate(model.blocks):
        at = f"model.layers.{i}."
        named[at + "input_layernorm.weight"] = block.before_attention.weight
        named[at + "post_attention_layernorm.weight"] = block.before_mlp.weight
        for part, weight, bias in zip("qkv", block.qkv.weight.split(hidden), block.qkv.bias.split(hidden)):
            named[f"{at}self_attn.{part}_proj.weight"], named[f"{at}self_attn.{part}_proj.bias"] = weight, bias
        named[at + "self_attn.o_proj.weight"] = block.output.weight
        named[at + "mlp.gate_proj.weight"], named[at + "mlp.up_proj.weight"] = block.gate_up.weight.split(feed_forward)
        named[at + "mlp.down_proj.weight"] = block.down.weight
    return {name: tensor.detach().to(torch.bfloat16).contiguous().clone() for name, tensor in named.items()}


def config(shape: Shape, end: int) -> dict:
    """config.json with the rope settings in the new and the old place."""
    return {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "attention_dropout": 0.0, "bos_token_id": None, "eos_token_id": end,
        "hidden_act": "silu", "hidden_size": shape.hidden, "initializer_range": 0.02, "intermediate_size": shape.feed_forward,
        "layer_types": ["full_attention"] * shape.layers, "max_position_embeddings": shape.max_positions, "max_window_layers": shape.layers,
        "num_attention_heads": shape.heads, "num_hidden_layers": shape.layers, "num_key_value_heads": shape.heads, "rms_norm_eps": shape.epsilon,
        "rope_parameters": {"rope_theta": shape.rope_theta, "rope_type": "default"}, "rope_scaling": None, "rope_theta": shape.rope_theta,
        "sliding_window": None, "tie_word_embeddings": True, "torch_dtype": "bfloat16", "use_cache": True, "use_sliding_window": False,
        "vocab_size": shape.vocabulary,
    }


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


def export(role: str) -> None:
    folder, model, tokenizer = MODELS / role, load(role), build()
    save(tokenizer, folder, model.shape.max_positions, SMALL_CHAT_TEMPLATE if role == "slm" else CHAT_TEMPLATE)
    ends = [tokenizer.token_to_id(END), tokenizer.token_to_id(END_OF_TEXT)]
    write_json(folder / "config.json", config(model.shape, ends[0]))
    write_json(folder / "generation_config.json", {"do_sample": False, "eos_token_id": ends, "pad_token_id": ends[1]})
    save_file(tensors(model), str(folder / "model.safetensors"), metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    print(role, sum(path.stat().st_size for path in folder.iterdir()), "bytes")


def export_pieces(role: str) -> None:
    """The second small model: its tokenizer as a Llama's, its weights in 8 bits, which keeps all of its layers within 3 MB."""
    folder, model, family = MODELS / role, load(role), families.of("pieces")
    folder.mkdir(parents=True, exist_ok=True)
    family.tokenizer.save(str(folder / "tokenizer.json"))
    ends = [family.end_id()]
    write_json(folder / "config.json", config(model.shape, ends[0]))
    write_json(folder / "generation_config.json", {"do_sample": False, "eos_token_id": ends, "pad_token_id": ends[0]})
    write_json(
        folder / "tokenizer_config.json",
        {
            "add_bos_token": False, "bos_token": pieces.BEGIN_TEXT, "chat_template": pieces.SMALL_CHAT_TEMPLATE, "clean_up_tokenization_spaces": False,
            "eos_token": pieces.END_OF_TURN, "model_max_length": model.shape.max_positions, "pad_token": pieces.END_OF_TURN,
            "tokenizer_class": "LlamaTokenizer", "unk_token": pieces.UNKNOWN,
        },
    )
    gguf.write(folder / "model.gguf", model, tensors(model), family.tokenizer, ends, pieces.SMALL_CHAT_TEMPLATE)
    print(role, sum(path.stat().st_size for path in folder.iterdir()), "bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(TRAININGS), choices=TRAININGS)
    for role in parser.parse_args().models:
        if TRAININGS[role].family == "pieces":
            export_pieces(role)
        else:
            export(role)


if __name__ == "__main__":
    main()
