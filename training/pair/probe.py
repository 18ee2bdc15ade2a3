"""A quick look, during training, at whether the small model copies made-up names."""
import random

import torch

from world import answers, notes, questions
from world.persona import draw_persona

from . import prompts
from .families import Family
from .model import Model


@torch.inference_mode()
def copy_accuracy(model: Model, family: Family, rng: random.Random, count: int = 100) -> float:
    """Share of recall answers ("Your dog is called Zubbel.") of which every token is the model's best, the answer so far being given."""
    right = 0
    for _ in range(count):
        asked = rng.choice(list(questions.RECALL))
        persona = draw_persona(rng, asked)
        while asked not in persona.copied:
            persona = draw_persona(rng, asked)
        context = notes.render(rng, persona, notes.shown_values(rng, None, persona), rng.randrange(3))
        prompt = family.prompt(prompts.private(rng.choice(questions.RECALL[asked]), context))
        answer = [*family.answer(answers.recall(persona, asked)), family.end_id()]
        best = model.logits(model(torch.tensor([prompt + answer]))[0, len(prompt) - 1 : -1]).argmax(-1)
        right += best.tolist() == answer
    return right / count
