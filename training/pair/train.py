"""Trains one model: `python -m pair.train slm`, `llm` or `slm-pieces`. Interrupted, it goes on from its last checkpoint."""
import argparse
import random
import time
from pathlib import Path

import torch
from torch.nn import functional as F

from . import families
from .examples import Example, Source
from .model import Model
from .probe import copy_accuracy
from .settings import OUT, ROUND, TRAININGS, Phase, Training
from .warm import begin

SAVE_EVERY = 5
PROBE_EVERY = 10
HALF_IS_FASTER = torch.cpu._is_avx512_bf16_supported()
"""Without instructions of its own, bfloat16 takes some twenty times as long."""
ANSWER_TOKENS = 45
"""A typical answer's length; with the nominal batch it scales the loss."""


def rate(training: Training, step: int, progress: float) -> float:
    """Warm-up, plateau, then a linear fall to a twentieth; `progress` is the share of the rounds done."""
    fall = 1.0 if progress < training.decay_from else 1.0 - 0.95 * (progress - training.decay_from) / (1.0 - training.decay_from)
    return training.peak_rate * fall * min(1.0, (step + 1) / training.warm_up_steps)


def tensors(batch: list[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, positions and target weights, padded on the right."""
    length = max(len(example.ids) for example in batch)
    ids = torch.zeros(len(batch), length, dtype=torch.long)
    weights = torch.zeros(len(batch), length)
    positions = torch.arange(length).repeat(len(batch), 1)
    for row, example in enumerate(batch):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        weights[row, : len(example.ids)] = torch.tensor(example.weights)
        if example.gap:
            positions[row, example.gap_at :] += example.gap
    return ids, positions, weights


def loss_of(model: Model, training: Training, phase: Phase, batch: list[Example]) -> tuple[torch.Tensor, float]:
    """Summed weighted loss over the nominal batch's size, and the plain mean for the log. Only answer positions meet the vocabulary."""
    ids, positions, weights = tensors(batch)
    spelled = [(row, index, shares) for row, example in enumerate(batch) for index, shares in example.spelled.items()]
    for row, index, _ in spelled:
        weights[row, index] = 0.0
    with torch.autocast("cpu", torch.bfloat16, enabled=HALF_IS_FASTER):
        hidden = model(ids, positions)[:, :-1]
        chosen = weights[:, 1:] > 0
        logits = model.logits(hidden[chosen])
    losses = F.cross_entropy(logits.float(), ids[:, 1:][chosen], reduction="none", label_smoothing=training.label_smoothing)
    total = (losses * weights[:, 1:][chosen]).sum()
    if spelled:
        total = total + phase.spelled_weight * spelling_loss(model, hidden, spelled)
    return total / (phase.examples_per_step * ANSWER_TOKENS), float(losses.detach().mean())


def spelling_loss(model: Model, hidden: torch.Tensor, spelled: list[tuple[int, int, dict[int, float]]]) -> torch.Tensor:
    """Summed cross-entropy to the distributions of `spelled`: row, index of the target, token → probability."""
    rows, columns = [row for row, _, _ in spelled], [index - 1 for _, index, _ in spelled]
    logits = model.logits(hidden[rows, columns]).float()
    targets = torch.zeros_like(logits)
    for number, (_, _, shares) in enumerate(spelled):
        for token, share in shares.items():
            targets[number, token] = share
    return -(targets * F.log_softmax(logits, -1)).sum()


def optimiser(model: Model, training: Training) -> torch.optim.Optimizer:
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.02}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=training.peak_rate, betas=(0.9, 0.95), fused=True)


def save(path: Path, **state) -> None:
    """Writes beside the old checkpoint and then replaces it, so that an interruption never leaves half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def train(training: Training) -> None:
    torch.manual_seed(training.seed)
    torch.set_flush_denormal(True)
    family, path = families.of(training.family, training.breaking), OUT / f"{training.role}.pt"
    model = begin(training, family)
    adam, first, step, spent, average = optimiser(model, training), 0, 0, 0.0, None
    source = Source(training, family)
    if path.exists():
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state["model"])
        adam.load_state_dict(state["optimiser"])
        first, step, spent, average = state["rounds"], state["steps"], state["seconds"], state["average"]
    tokens, start = 0, time.monotonic() - spent
    print(f"{training.role}: {sum(p.numel() for p in model.parameters()):,} parameters, rounds {first}..{training.rounds}", flush=True)
    for number in range(first, training.rounds):
        batches = source.round(number)
        for i, batch in enumerate(batches):
            for group in adam.param_groups:
                group["lr"] = rate(training, step, (number + i / len(batches)) / training.rounds)
            loss, plain = loss_of(model, training, training.phase(number), batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            adam.zero_grad(set_to_none=True)
            average = plain if average is None else 0.99 * average + 0.01 * plain
            step, tokens = step + 1, tokens + sum(len(example.ids) for example in batch)
        seconds = time.monotonic() - start
        line = f"round {number + 1}/{training.rounds} step {step} examples {(number + 1) * ROUND} loss {average:.4f} tokens/s {tokens / (seconds - spent):.0f} seconds {seconds:.0f}"
        if training.sees_notes and (number + 1) % PROBE_EVERY == 0:
            line += f" copy {copy_accuracy(model, family, random.Random(number)):.3f}"
        print(line, flush=True)
        if (number + 1) % SAVE_EVERY == 0 or number + 1 == training.rounds:
            save(path, model=model.state_dict(), optimiser=adam.state_dict(), rounds=number + 1, steps=step, seconds=seconds, average=average)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=TRAININGS)
    train(TRAININGS[parser.parse_args().role])


if __name__ == "__main__":
    main()
