"""What a training begins with: random weights, or those of a model of another tokenizer."""
import torch

from .decode import load
from .families import Family
from .model import Model
from .pieces import END_OF_TURN, ROLES
from .settings import Training
from .tokenizer import END, START

SAME_ROLE = {END_OF_TURN: END} | {f"<|{role}|>": f"{START}{role}" for role in ROLES}


def begin(training: Training, family: Family) -> Model:
    """A model of the training's shape. With `starts_from`, it has that model's layers, and each of its pieces the mean embedding of the
    other tokenizer's tokens for the same text."""
    model = Model(training.shape)
    if not training.starts_from:
        return model
    source, tokenizer = load(training.starts_from)
    model.blocks.load_state_dict(source.blocks.state_dict())
    model.final.load_state_dict(source.final.state_dict())
    with torch.no_grad():
        for piece, i in family.tokenizer.get_vocab().items():
            ids = tokenizer.encode(SAME_ROLE.get(piece, piece.replace("▁", " "))).ids
            model.embedding.weight[i] = source.embedding.weight[ids].mean(0)
    return model
