"""Qwen2 in plain PyTorch: small enough to read, fused where it saves time on a CPU, exported under the names of the Hugging Face checkpoint."""
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Shape:
    """The sizes of one model."""

    layers: int
    heads: int
    head: int
    feed_forward: int
    vocabulary: int
    max_positions: int = 4096
    rope_theta: float = 10000.0
    epsilon: float = 1e-6

    @property
    def hidden(self) -> int:
        return self.heads * self.head


class Norm(nn.Module):
    """Root-mean-square normalisation."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(shape.hidden)), shape.epsilon

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.epsilon)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding, half-split as in the Hugging Face layout."""
    first, second = x.chunk(2, -1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), -1)


class Cache:
    """Keys and values of a batch of sequences of different lengths; row b holds `lengths[b]` entries."""

    def __init__(self, shape: Shape, rows: int, size: int) -> None:
        self.keys = [torch.zeros(rows, shape.heads, size, shape.head) for _ in range(shape.layers)]
        self.values = [torch.zeros(rows, shape.heads, size, shape.head) for _ in range(shape.layers)]


class Block(nn.Module):
    """One layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.before_attention, self.before_mlp = Norm(shape), Norm(shape)
        self.qkv = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.output = nn.Linear(shape.hidden, shape.hidden, bias=False)
        self.gate_up = nn.Linear(shape.hidden, 2 * shape.feed_forward, bias=False)
        self.down = nn.Linear(shape.feed_forward, shape.hidden, bias=False)

    def _heads(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows, length, _ = x.shape
        q, k, v = self.qkv(x).view(rows, length, 3, self.shape.heads, self.shape.head).permute(2, 0, 3, 1, 4)
        return rotate(q, cos, sin), rotate(k, cos, sin), v

    def _close(self, x: Tensor, attended: Tensor) -> Tensor:
        x = x + self.output(attended.transpose(1, 2).flatten(2))
        gate, up = self.gate_up(self.before_mlp(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, keep: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """All positions at once, causally; `keep` receives the keys and values."""
        q, k, v = self._heads(self.before_attention(x), cos, sin)
        if keep:
            keep[0][:, :, : k.shape[2]], keep[1][:, :, : v.shape[2]] = k, v
        return self._close(x, F.scaled_dot_product_attention(q, k, v, is_causal=True))

    def step(self, x: Tensor, cos: Tensor, sin: Tensor, keys: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
        """One more position for every row."""
        q, k, v = self._heads(self.before_attention(x), cos, sin)
        rows = torch.arange(len(lengths))
        keys[rows, :, lengths], values[rows, :, lengths] = k[:, :, 0], v[:, :, 0]
        seen = (torch.arange(keys.shape[2])[None] <= lengths[:, None])[:, None, None]
        return self._close(x, F.scaled_dot_product_attention(q, keys, values, attn_mask=seen))


class Model(nn.Module):
    """The language model with tied embeddings."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.hidden)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.final = Norm(shape)
        frequencies = shape.rope_theta ** (-torch.arange(0, shape.head, 2).float() / shape.head)
        angles = torch.outer(torch.arange(shape.max_positions).float(), frequencies)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                scale = 0.02 if "embedding" in name else parameter.shape[1] ** -0.5 * 0.6
                if name.endswith(("output.weight", "down.weight")):
                    scale /= (2 * shape.layers) ** 0.5
                nn.init.normal_(parameter, std=scale)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self.embedding.weight)

    def forward(self, ids: Tensor, positions: Tensor | None = None, cache: Cache | None = None) -> Tensor:
        """Hidden states of right-padded rows. The padding needs no mask: nothing before it looks at it."""
        if positions is None:
            positions = torch.arange(ids.shape[1])[None]
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        x = self.embedding(ids)
        for i, block in enumerate(self.blocks):
            x = block(x, cos, sin, (cache.keys[i], cache.values[i]) if cache else None)
        return self.final(x)

    def step(self, ids: Tensor, lengths: Tensor, cache: Cache) -> Tensor:
        """Hidden states of one more token a row, at position `lengths`."""
        cos, sin = self.cos[lengths][:, None, None], self.sin[lengths][:, None, None]
        x = self.embedding(ids[:, None])
        for i, block in enumerate(self.blocks):
            x = block.step(x, cos, sin, cache.keys[i], cache.values[i], lengths)
        return self.final(x)[:, 0]
