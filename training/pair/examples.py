"""Draws training examples, one round at a time, from the world."""
import random
import re
from dataclasses import dataclass

from world import answers, notes, questions
from world.facts import KINDS
from world.persona import KIND_WEIGHTS, Persona, draw_persona, is_held_out
from world.spelling import END as NAME_END, SPELLERS
from world.topics import TOPICS, Topic

from . import prompts
from .families import Family
from .settings import ROUND, Phase, Training

RARE_SHARE = 0.02
"""How much of the small model's training is about the topics it hardly knows."""
USER_PLACEMENT_SHARE = 0.25
LONG_SHARE = 0.03
_OTHER_SYSTEMS = ("You are a friendly assistant.", "Answer in English.", "You are a helpful guide who knows many things.", "Be helpful.")


@dataclass(frozen=True)
class Example:
    """Token ids, a weight for every token as a target (0 for the prompt), and where a gap in the positions may be opened.

    `spelled` gives, for the index of a name's letter, the distribution it was drawn from: token → probability.
    """

    ids: list[int]
    weights: list[float]
    gap_at: int
    gap: int
    spelled: dict[int, dict[int, float]]


@dataclass(frozen=True)
class Exchange:
    """A question by a person and its answer."""

    topic: Topic | None
    persona: Persona
    question: str
    answer: str


def draw_exchange(rng: random.Random, core_only: bool, phase: Phase, focus: bool = False) -> Exchange:
    """One exchange from the prior, held-out combinations left out; with `focus`, about a core topic with two attributes."""
    kind = 1.0 if focus else rng.random()
    if kind < phase.recall:
        asked = rng.choices(list(KIND_WEIGHTS), list(KIND_WEIGHTS.values()))[0]
        persona = draw_persona(rng, asked, crowd=phase.crowd)
        return Exchange(None, persona, questions.roughen(rng, rng.choice(questions.RECALL[asked])), answers.recall(persona, asked))
    if kind < phase.recall + phase.listing:
        persona = draw_persona(rng)
        return Exchange(None, persona, questions.roughen(rng, rng.choice(questions.LIST_QUESTIONS)), answers.list_known(persona))
    core = rng.random() >= RARE_SHARE
    pool = [topic for topic in TOPICS if topic.core == core] if core_only else TOPICS
    if focus:
        pool = [topic for topic in TOPICS if topic.core and len(topic.attributes) > 1]
    while True:
        topic, persona = rng.choice(pool), draw_persona(rng)
        if not is_held_out(topic, persona):
            return Exchange(topic, persona, questions.ask(rng, topic), answers.recommend(rng, topic, persona))


class Source:
    """The examples of one training."""

    def __init__(self, training: Training, family: Family) -> None:
        self._training, self._family, self._tokenizer = training, family, family.tokenizer

    def _prompt(self, rng: random.Random, exchange: Exchange, phase: Phase, focus: bool) -> tuple[str, bool]:
        if not self._training.sees_notes:
            kind = rng.random()
            if kind < 0.7:
                return prompts.chatml(None, exchange.question), False
            return (prompts.public(exchange.question) if kind < 0.95 else prompts.chatml(rng.choice(_OTHER_SYSTEMS), exchange.question)), False
        if rng.random() >= phase.notes:
            return (prompts.public(exchange.question) if rng.random() < 0.95 else prompts.chatml(rng.choice(_OTHER_SYSTEMS), exchange.question)), False
        if focus:
            fillers = 0
        elif phase.drill:
            fillers = rng.choice((0, 0, 0, 1))
        elif rng.random() < LONG_SHARE:
            fillers = rng.randrange(15, 90)
        else:
            fillers = min(int(rng.expovariate(0.5)), 10)
        shown = notes.shown_values(rng, exchange.topic, exchange.persona, focus)
        context = notes.render(rng, exchange.persona, shown, fillers)
        placement = "user" if rng.random() < USER_PLACEMENT_SHARE else "system"
        return prompts.private(exchange.question, context, placement), True

    def _weights(self, exchange: Exchange, ids: list[int], phase: Phase) -> list[float]:
        """Heavier where every alternative to the token is of its own kind, so that the weight cannot tilt the distribution towards another kind."""
        answer, persona = exchange.answer, exchange.persona
        names = [m.span() for name in persona.copied.values() for m in re.finditer(rf"(?<= ){re.escape(name)}\b", answer)]
        decisions = {0, *(start - 1 for start, _ in names)}
        if exchange.topic:
            start = answer.index(f" {exchange.topic.adjectives(persona.values)} {exchange.topic.noun}")
            decisions |= {start, *(start + len(persona.values[name]) + 1 for name in exchange.topic.attributes[:-1])}
        weights, position = [], 0
        for token in ids:
            spelled = any(start - 1 <= position <= end for start, end in names)
            weights.append(max(phase.name_weight if spelled else 1.0, phase.decision_weight if position in decisions else 1.0))
            position += len(self._tokenizer.id_to_token(token))
        return weights

    def _spelled(self, exchange: Exchange, ids: list[int]) -> dict[int, dict[int, float]]:
        """The letter distributions behind every made-up-able name of the answer `ids`, two-word names left out.

        Drawn letters teach the tail of these distributions slowly, and the tail is what counts: a letter that is not among the big model's 20 likeliest
        cannot be picked.
        """
        starts, position = {}, 0
        for index, token in enumerate(ids):
            starts[position] = index
            position += len(self._tokenizer.id_to_token(token))
        spelled: dict[int, dict[int, float]] = {}
        for kind, name in exchange.persona.copied.items():
            for template in (answers.CLOSERS[kind], answers.RECALLED[kind]):
                before, after = template.split("{name}")
                at = exchange.answer.find(template.format(name=name))
                if at < 0 or " " in name:
                    continue
                first, speller = starts[at + len(before) - 1], SPELLERS[KINDS[kind]]
                end = self._tokenizer.encode(after).ids[0]
                spelled[first] = {self._tokenizer.token_to_id(f"Ġ{letter}"): share for letter, share in speller.first().items()}
                for i in range(1, len(name) + 1):
                    shares = speller.following(name[:i].lower())
                    spelled[first + i] = {end if letter == NAME_END else self._tokenizer.token_to_id(letter): share for letter, share in shares.items()}
        return spelled

    def _example(self, rng: random.Random, phase: Phase) -> Example:
        focus = rng.random() < phase.focus
        exchange = draw_exchange(rng, self._training.sees_notes, phase, focus)
        text, with_notes = self._prompt(rng, exchange, phase, focus)
        prompt = self._family.broken(rng, self._family.prompt(text))
        answer = self._family.answer(exchange.answer)
        weights = self._weights(exchange, answer, phase) + [1.0]
        ids = prompt + answer + [self._family.end_id()]
        gap = rng.randrange(1500) if with_notes and not phase.drill and rng.random() < 0.15 else 0
        spelled = self._spelled(exchange, answer) if phase.spelled_weight else {}
        return Example(
            ids, [0.0] * len(prompt) + weights, rng.randrange(25, len(prompt)) if gap else 0, gap,
            {len(prompt) + index: shares for index, shares in spelled.items()},
        )

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
