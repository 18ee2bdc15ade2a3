"""Writes a model as one GGUF file with 8-bit weights."""
from pathlib import Path

import gguf
import torch
from gguf.quants import quantize
from tokenizers import Tokenizer

from .model import Model

_NAMES = {
    "model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def _named(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    _, _, layer, rest = name.split(".", 3)
    part, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{_NAMES[part]}.{kind}"


def write(path: Path, model: Model, tensors: dict[str, torch.Tensor], tokenizer: Tokenizer, ends: list[int], template: str) -> None:
    """`tensors` are under the names of the Hugging Face checkpoint; matrices are stored in Q8_0, vectors in F32."""
    shape = model.shape
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_name(path.parent.name)
    writer.add_context_length(shape.max_positions)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([tokenizer.id_to_token(i) for i in range(shape.vocabulary)])
    writer.add_token_scores([0.0] * shape.vocabulary)
    writer.add_token_types([gguf.TokenType.NORMAL] * shape.vocabulary)
    writer.add_eos_token_id(ends[0])
    writer.add_chat_template(template)
    for name, tensor in tensors.items():
        array = tensor.detach().float().numpy()
        if array.ndim == 1:
            writer.add_tensor(_named(name), array)
        else:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(_named(name), quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
