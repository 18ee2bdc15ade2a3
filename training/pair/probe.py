"""A quick look, during training, at whether the small model copies made-up names."""
import random

import torch

from world import answers, notes, questions
from world.persona import draw_persona

from . import prompts
from .model import Model
from .tokenizer import END, build


@torch.inference_mode()
def copy_accuracy(model: Model, rng: random.Random, count: int = 100) -> float:
    """Share of recall answers ("Your dog is called Zubbel.") of which every token is the model's best, the answer so far being given."""
    tokenizer, right = build(), 0
    for _ in range(count):
        asked = rng.choice(list(questions.RECALL))
        persona = draw_persona(rng, asked)
        while asked not in persona.copied:
            persona = draw_persona(rng, asked)
        context = notes.render(rng, persona, notes.shown_values(rng, None, persona), rng.randrange(3))
        prompt = tokenizer.encode(prompts.private(rng.choice(questions.RECALL[asked]), context)).ids
        answer = tokenizer.encode(answers.recall(persona, asked) + END).ids
        best = model.logits(model(torch.tensor([prompt + answer]))[0, len(prompt) - 1 : -1]).argmax(-1)
        right += best.tolist() == answer
    return right / count
