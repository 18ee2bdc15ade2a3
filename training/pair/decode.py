"""Greedy decoding of many items at once, steered or not: the proxy's arithmetic on the exported weights, for measuring without a server."""
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from .model import Cache, Model
from .settings import MODELS, TRAININGS
from .tokenizer import END, END_OF_TEXT, START

MAX_NEW_TOKENS = 128


def load(role: str) -> tuple[Model, Tokenizer]:
    """The exported model (bfloat16 weights, computed in float32) and its tokenizer."""
    model, weights = Model(TRAININGS[role].shape), load_file(str(MODELS / role / "model.safetensors"))
    state = {"embedding.weight": weights["model.embed_tokens.weight"], "final.weight": weights["model.norm.weight"]}
    for i in range(model.shape.layers):
        ours, theirs = f"blocks.{i}.", f"model.layers.{i}."
        state[ours + "before_attention.weight"] = weights[theirs + "input_layernorm.weight"]
        state[ours + "before_mlp.weight"] = weights[theirs + "post_attention_layernorm.weight"]
        for kind in ("weight", "bias"):
            state[f"{ours}qkv.{kind}"] = torch.cat([weights[f"{theirs}self_attn.{part}_proj.{kind}"] for part in "qkv"])
        state[ours + "output.weight"] = weights[theirs + "self_attn.o_proj.weight"]
        state[ours + "gate_up.weight"] = torch.cat([weights[theirs + "mlp.gate_proj.weight"], weights[theirs + "mlp.up_proj.weight"]])
        state[ours + "down.weight"] = weights[theirs + "mlp.down_proj.weight"]
    model.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return model.eval(), Tokenizer.from_file(str(MODELS / role / "tokenizer.json"))


class Branch:
    """One model on a batch of growing sequences."""

    def __init__(self, model: Model, prompts: list[list[int]]) -> None:
        self._model, self._lengths = model, torch.tensor([len(prompt) for prompt in prompts])
        longest = int(self._lengths.max())
        self._cache = Cache(model.shape, len(prompts), longest + MAX_NEW_TOKENS + 1)
        ids = torch.tensor([prompt + [0] * (longest - len(prompt)) for prompt in prompts])
        hidden = model(ids, cache=self._cache)
        self.scores = self._log_softmax(hidden[torch.arange(len(prompts)), self._lengths - 1])

    def _log_softmax(self, hidden: Tensor) -> Tensor:
        return torch.log_softmax(self._model.logits(hidden), -1)

    def feed(self, tokens: Tensor) -> None:
        self.scores = self._log_softmax(self._model.step(tokens, self._lengths, self._cache))
        self._lengths = self._lengths + 1


def steered(base: Tensor, private: Tensor, public: Tensor, strength: float, floor: float, top_k: int) -> Tensor:
    """Scores of the steered policy: -inf outside the big model's top k (0: no limit)."""
    if floor:
        delta = (private.exp() + floor).log() - (public.exp() + floor).log()
    else:
        delta = private - public
    scores = base + strength * delta
    if top_k:
        outside = torch.full_like(scores, -torch.inf)
        best = base.topk(top_k).indices
        scores = outside.scatter(1, best, scores.gather(1, best))
    return scores


@torch.inference_mode()
def generate(branches: list[Branch], combine, tokenizer: Tokenizer, size: int) -> list[str]:
    """Greedy answers; `combine` turns the branches' scores into the scores to pick from."""
    ends = torch.tensor([tokenizer.token_to_id(END), tokenizer.token_to_id(END_OF_TEXT)])
    rows = len(branches[0].scores)
    done, picked = torch.zeros(rows, dtype=torch.bool), []
    for _ in range(MAX_NEW_TOKENS):
        scores = combine(*(branch.scores[:, :size] for branch in branches)).clone()
        scores[:, tokenizer.token_to_id(START)] = -torch.inf
        tokens = scores.argmax(-1)
        tokens[done] = ends[0]
        picked.append(tokens)
        done |= torch.isin(tokens, ends)
        if done.all():
            break
        for branch in branches:
            branch.feed(tokens)
    answers = []
    for row in torch.stack(picked, 1).tolist():
        stop = next((i for i, token in enumerate(row) if token in ends.tolist()), len(row))
        answers.append(tokenizer.decode(row[:stop]))
    return answers
