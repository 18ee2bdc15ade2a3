"""Draws training examples, one round at a time, from the world."""
import random
import re
from dataclasses import dataclass

from tokenizers import Tokenizer

from world import answers, notes, questions
from world.persona import KIND_WEIGHTS, Persona, draw_persona, is_held_out
from world.topics import TOPICS, Topic

from . import prompts
from .settings import ROUND, Phase, Training
from .tokenizer import END, Breaker

RARE_SHARE = 0.02
"""How much of the small model's training is about the topics it hardly knows."""
USER_PLACEMENT_SHARE = 0.25
LONG_SHARE = 0.03
_OTHER_SYSTEMS = ("You are a friendly assistant.", "Answer in English.", "You are a helpful guide who knows many things.", "Be helpful.")


@dataclass(frozen=True)
class Example:
    """Token ids, a weight for every token as a target (0 for the prompt), and where a gap in the positions may be opened."""

    ids: list[int]
    weights: list[float]
    gap_at: int
    gap: int


@dataclass(frozen=True)
class Exchange:
    """A question by a person and its answer."""

    topic: Topic | None
    persona: Persona
    question: str
    answer: str


def draw_exchange(rng: random.Random, core_only: bool, recall_share: float, list_share: float) -> Exchange:
    """One exchange from the prior, held-out combinations left out."""
    kind = rng.random()
    if kind < recall_share:
        asked = rng.choices(list(KIND_WEIGHTS), list(KIND_WEIGHTS.values()))[0]
        persona = draw_persona(rng, asked)
        return Exchange(None, persona, questions.roughen(rng, rng.choice(questions.RECALL[asked])), answers.recall(persona, asked))
    if kind < recall_share + list_share:
        persona = draw_persona(rng)
        return Exchange(None, persona, questions.roughen(rng, rng.choice(questions.LIST_QUESTIONS)), answers.list_known(persona))
    core = rng.random() >= RARE_SHARE
    pool = [topic for topic in TOPICS if topic.core == core] if core_only else TOPICS
    while True:
        topic, persona = rng.choice(pool), draw_persona(rng)
        if not is_held_out(topic, persona):
            return Exchange(topic, persona, questions.ask(rng, topic), answers.recommend(rng, topic, persona))


class Source:
    """The examples of one training."""

    def __init__(self, training: Training, tokenizer: Tokenizer) -> None:
        self._training, self._tokenizer = training, tokenizer
        self._break = Breaker(tokenizer, training.breaking)

    def _prompt(self, rng: random.Random, exchange: Exchange, phase: Phase) -> tuple[str, bool]:
        if self._training.role == "llm":
            kind = rng.random()
            if kind < 0.7:
                return prompts.chatml(None, exchange.question), False
            return (prompts.public(exchange.question) if kind < 0.95 else prompts.chatml(rng.choice(_OTHER_SYSTEMS), exchange.question)), False
        if rng.random() >= phase.notes:
            return (prompts.public(exchange.question) if rng.random() < 0.95 else prompts.chatml(rng.choice(_OTHER_SYSTEMS), exchange.question)), False
        if phase.drill:
            fillers = rng.choice((0, 0, 0, 1))
        elif rng.random() < LONG_SHARE:
            fillers = rng.randrange(15, 90)
        else:
            fillers = min(int(rng.expovariate(0.5)), 10)
        shown = notes.shown_values(rng, exchange.topic, exchange.persona)
        context = notes.render(rng, exchange.persona, shown, fillers)
        placement = "user" if rng.random() < USER_PLACEMENT_SHARE else "system"
        return prompts.private(exchange.question, context, placement), True

    def _weights(self, exchange: Exchange, ids: list[int], weight: float) -> list[float]:
        weights = [1.0] * len(ids)
        if weight == 1.0:
            return weights
        spans = [m.span() for name in exchange.persona.copied.values() for m in re.finditer(rf"(?<= ){re.escape(name)}\b", exchange.answer)]
        position = 0
        for i, token in enumerate(ids):
            length = len(self._tokenizer.id_to_token(token))
            if any(start - 1 <= position <= end for start, end in spans):
                weights[i] = weight
            position += length
        return weights

    def _example(self, rng: random.Random, phase: Phase) -> Example:
        exchange = draw_exchange(rng, self._training.role == "slm", phase.recall, phase.listing)
        text, with_notes = self._prompt(rng, exchange, phase)
        prompt = self._break(rng, self._tokenizer.encode(text).ids)
        answer = self._tokenizer.encode(exchange.answer).ids
        weights = self._weights(exchange, answer, phase.name_weight) + [1.0]
        ids = prompt + answer + [self._tokenizer.token_to_id(END)]
        gap = rng.randrange(1500) if with_notes and not phase.drill and rng.random() < 0.15 else 0
        return Example(ids, [0.0] * len(prompt) + weights, rng.randrange(25, len(prompt)) if gap else 0, gap)

    def round(self, number: int) -> list[list[Example]]:
        """The round's batches: examples of similar length together, under the token budget, in random order."""
        rng = random.Random(f"{self._training.seed}:{number}")
        phase = self._training.phase(number)
        examples = sorted((self._example(rng, phase) for _ in range(ROUND)), key=lambda example: len(example.ids))
        batches: list[list[Example]] = [[]]
        for example in examples:
            if batches[-1] and (len(batches[-1]) + 1) * len(example.ids) > phase.batch_tokens:
                batches.append([])
            batches[-1].append(example)
        rng.shuffle(batches)
        return batches
