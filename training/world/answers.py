"""Renders answers from a person. The sentence grammar lives here once; the checker parses with the same tables.

Adjectives stand before the noun and the option, so that the small model can decide the adjective even for topics it hardly knows, and the big model completes
it with an option that fits. Every closer starts with a letter no other sentence starts with, so that the fact to copy is settled at one token.
"""
import random

from .persona import Persona
from .topics import REASONS, Topic

FRAMES: dict[str, tuple[str, ...]] = {
    "neutral": (
        "I suggest a {adjectives} {noun}, such as {option}.", "My pick is a {adjectives} {noun}, namely {option}.",
        "Try a {adjectives} {noun}, for example {option}.", "Let me propose a {adjectives} {noun}: {option}.",
    ),
    "formal": ("By all means, a {adjectives} {noun} would be fitting: {option}.", "Of course, may I propose a {adjectives} {noun}, in particular {option}."),
    "casual": ("Hey, grab a {adjectives} {noun}, like {option}!", "Well, go for a {adjectives} {noun}, maybe {option}!"),
    "pirate": ("Arr, ye want a {adjectives} {noun}, matey: {option}!", "Shiver me timbers, seek a {adjectives} {noun}: {option}!"),
}

CLOSERS: dict[str, str] = {
    "name": "Enjoy it, {name}.",
    "city": "People in {name} like it too.",
    "dog": "Walk your dog {name} first.",
    "cat": "Cuddle your cat {name} for me.",
    "daughter": "Tell your daughter {name} about it.",
    "son": "Show it to your son {name}.",
    "partner": "Bring your partner {name} along.",
    "friend": "Ask your friend {name} to join.",
}
GENERAL_CLOSERS = ("Have fun.", "Good luck.", "Let me know how it goes.")

RECALLED: dict[str, str] = {"name": "Your name is {name}.", "city": "You live in {name}."} | {
    kind: f"Your {kind} is called {{name}}." for kind in ("dog", "cat", "daughter", "son", "partner", "friend")
}
NOT_TOLD = "Sorry, you have not told me that yet."


def recommend(rng: random.Random, topic: Topic, persona: Persona) -> str:
    """The answer to a question about the topic."""
    adjectives = topic.adjectives(persona.values)
    frame = rng.choice(FRAMES[persona.tone])
    sentences = [frame.format(adjectives=adjectives, noun=topic.noun, option=rng.choice(topic.options[adjectives]))]
    if persona.length == "brief":
        return sentences[0]
    reasons = [reason for value in adjectives.split(" ") for reason in REASONS[value]] + [topic.reason]
    sentences += rng.sample(reasons, 2 if persona.length == "detailed" else 1)
    mentioned = rng.sample(list(persona.copied), min(2, len(persona.copied)))
    sentences += [CLOSERS[kind].format(name=persona.copied[kind]) for kind in mentioned] or [rng.choice(GENERAL_CLOSERS)]
    return " ".join(sentences)


def recall(persona: Persona, kind: str) -> str:
    """The answer to "What is my dog called?"."""
    return RECALLED[kind].format(name=persona.copied[kind]) if kind in persona.copied else NOT_TOLD


def list_known(persona: Persona) -> str:
    """The answer to "What do you know about me?": every copied fact, in the order of the notes."""
    return " ".join(RECALLED[kind].format(name=name) for kind, name in persona.copied.items()) or NOT_TOLD
