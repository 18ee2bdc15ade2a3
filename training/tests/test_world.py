"""The checker must accept what the world renders, refuse what it would not, and the evaluation must be held out."""
import itertools
import json
import random
from pathlib import Path

import pytest

from pair import families
from pair.examples import Source, draw_exchange
from pair.settings import SLM
from report import wilson
from world import answers, facts, names, questions
from world.checker import score
from world.persona import Persona, draw_persona, is_held_out
from world.topics import ATTRIBUTES, BY_NOUN, TOPICS

EVAL = Path(__file__).resolve().parents[1] / "eval"
PERSON = Persona({"diet": "vegan", "mood": "quiet", "setting": "indoor", "budget": "cheap", "hobby": "space"}, "casual", "normal", {"dog": "Ziggy", "city": "Oslo"})
EXPECTED = {"topic": "dinner", "values": {"diet": "vegan"}, "tone": "casual", "length": "normal", "copied": PERSON.copied}
GOOD = "Hey, grab a vegan dinner, like lentil stew with rice! It contains nothing from animals. Walk your dog Ziggy first."


def items(name: str) -> list[dict]:
    return [json.loads(line) for line in (EVAL / name).read_text().splitlines()]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.noun)
def test_every_combination_has_its_own_options(topic) -> None:
    combinations = {" ".join(values) for values in itertools.product(*(ATTRIBUTES[name] for name in topic.attributes))}
    options = [option for group in topic.options.values() for option in group]
    assert combinations == set(topic.options)
    assert len(set(options)) == len(options) == 12


def test_checker_accepts_rendered_answers() -> None:
    rng = random.Random(1)
    for _ in range(2000):
        topic, persona = rng.choice(TOPICS), draw_persona(rng)
        expected = {
            "topic": topic.noun, "values": {name: persona.values[name] for name in topic.attributes},
            "tone": persona.tone, "length": persona.length, "copied": persona.copied,
        }
        answer = answers.recommend(rng, topic, persona)
        assert score(answer, {"core": True, "expected": expected})["success"], answer


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("vegan", "seafood", "attributes"), ("lentil stew with rice", "baked salmon", "coherent"), ("dinner", "soup", "topic"),
        ("Ziggy", "Zigg", "copied"), ("dog", "cat", "well_formed"), ("Walk your dog Ziggy first.", "Tell your daughter Ziggy about it.", "nothing_invented"),
        ("Walk your dog Ziggy first.", "Have fun.", "copied"), ("Hey, grab", "Try", "tone"), ("It contains nothing from animals.", "It costs very little.", "coherent"),
    ],
)
def test_checker_refuses(old: str, new: str, verdict: str) -> None:
    assert score(GOOD, {"core": True, "expected": EXPECTED})["success"]
    verdicts = score(GOOD.replace(old, new), {"core": True, "expected": EXPECTED})
    assert not verdicts["success"]
    assert not verdicts[verdict] or verdict == "tone"


def test_recall_is_checked_to_the_letter() -> None:
    assert score("Your dog is called Ziggy.", {"expected": {"asked": "dog", "name": "Ziggy"}})["success"]
    assert not score("Your dog is called Zigg.", {"expected": {"asked": "dog", "name": "Ziggy"}})["success"]
    assert score(answers.NOT_TOLD, {"expected": {"asked": "dog", "name": None}})["success"]


def test_items_are_held_out() -> None:
    shells = {questions.fill(shell, topic) for shell in questions.SHELLS for topic in TOPICS} | {ask for topic in TOPICS for ask in topic.asks}
    for item in [*items("items.jsonl"), *items("unseen_names.jsonl")]:
        assert item["question"] not in shells
        assert BY_NOUN[item["expected"]["topic"]].core == item["core"]
    recall = {text for group in questions.RECALL.values() for text in group}
    assert not recall & {item["question"] for item in items("recall.jsonl")}


def test_unseen_names_are_in_no_training_list() -> None:
    training = {*names.PEOPLE, *names.PETS, *names.CITIES, *names.TWO_WORD_CITIES}
    assert not training & {name for group in names.UNSEEN.values() for name in group}


def test_training_never_draws_what_is_held_out() -> None:
    rng = random.Random(2)
    unseen = {name for group in names.UNSEEN.values() for name in group}
    last = {paraphrases[-1] for paraphrases in facts.ATTRIBUTE_FACTS.values()}
    for _ in range(3000):
        exchange = draw_exchange(rng, False, SLM.phases[0])
        assert not unseen & set(exchange.persona.copied.values())
        assert exchange.topic is None or not is_held_out(exchange.topic, exchange.persona)
    family = families.of(SLM.family)
    text = " ".join(family.tokenizer.decode(example.ids) for batch in Source(SLM, family).round(100) for example in batch)
    assert not [sentence for sentence in last if sentence in text]


def test_training_repeats() -> None:
    first, second = (Source(SLM, families.of(SLM.family, SLM.breaking)).round(70) for _ in range(2))
    assert first == second


def test_wilson_interval() -> None:
    low, high = wilson(90, 100)
    assert (round(low, 4), round(high, 4)) == (0.8256, 0.9448)
