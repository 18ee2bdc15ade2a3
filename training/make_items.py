"""Draws the committed evaluation items: `python make_items.py`. Persona combinations and question phrasings are held out from training."""
import json
import random
from pathlib import Path

from world import facts, names, notes, questions
from world.persona import Persona, draw_persona, is_held_out
from world.spelling import draw_name
from world.topics import TOPICS, Topic

BIOGRAPHY = """
After school I spent a summer picking apples on a farm near the coast.
My first flat was above a bakery, and the ovens woke me at four every morning.
I trained as an electrician before I switched to accounting.
For eleven years I commuted by ferry, which taught me patience.
In the evenings I usually sort photographs from old journeys.
My knees complain when I climb stairs with heavy boxes.
We renovated the kitchen ourselves and only flooded it twice.
I subscribe to three newspapers but rarely finish any of them.
The garage is full of tools that I inherited from my grandfather.
I once won a bicycle in a raffle and gave it to the postman.
My handwriting is so bad that the pharmacist phones me.
I volunteer at the library on the first Saturday of each month.
Crossword puzzles calm me down before important presentations.
I mistrust any recipe with more than nine ingredients.
During the winter I swim in the municipal baths twice a week.
My accountant says that I keep too many receipts.
I learned to juggle in a hospital waiting room.
Thunderstorms fascinate me, especially over open water.
I still own the typewriter on which I wrote my thesis.
The upstairs tenant practises the trombone at inconvenient hours.
I vote in every election, even the small ones.
My passport expires in fourteen months.
I prefer trains with old-fashioned compartments.
Every December I promise myself to send fewer parcels.
My optician recommends breaks from the computer, which I ignore.
I can whistle most of the overtures that my mother liked.
A long time ago I failed an audition for a radio play.
I keep a list of words that I mispronounce.
My umbrella has survived nine years and one hurricane.
I have strong opinions about staplers.
""".strip().splitlines()
"""Prose that training never shows, of the sort a real profile is full of."""
FOLDER = Path(__file__).parent / "eval"
HELD_OUT_FACTS = 0.5
"""Share of the facts in evaluation notes that are worded as no training note is."""


def unseen_name(rng: random.Random, pool: str) -> str:
    """A real name that training never shows; one city in eight has two words."""
    if pool == "cities" and rng.random() < 0.125:
        pool = "two_word_cities"
    return rng.choice(names.UNSEEN[pool])


def told_something(topic: Topic, persona: Persona, values: list[str]) -> bool:
    """Whether the notes ask anything at all of the answer."""
    relevant = any(persona.values[name] in values for name in topic.attributes)
    return relevant or persona.tone != "neutral" or persona.length != "normal" or bool(persona.copied)


def recommendation(rng: random.Random, number: int, prefix: str, pick_name, need_copied: bool) -> dict:
    topic = TOPICS[number % len(TOPICS)]
    while True:
        persona = draw_persona(rng, names=pick_name)
        values = notes.shown_values(rng, topic, persona)
        copies = persona.copied and persona.length != "brief"
        if is_held_out(topic, persona) and told_something(topic, persona, values) and (copies or not need_copied):
            break
    fillers = min(int(rng.expovariate(0.5)), 8)
    return {
        "id": f"{prefix}-{number:03d}",
        "question": questions.fill(rng.choice(questions.HELD_OUT_SHELLS), topic),
        "context": notes.render(rng, persona, values, fillers, HELD_OUT_FACTS, pick_name),
        "core": topic.core,
        "expected": {
            "topic": topic.noun, "values": {name: persona.values[name] for name in topic.attributes if persona.values[name] in values},
            "tone": persona.tone, "length": persona.length, "copied": persona.copied,
        },
    }


def recall(rng: random.Random, number: int) -> dict:
    kinds = list(facts.KINDS)
    asked = kinds[number % len(kinds)]
    persona = draw_persona(rng, asked, names=unseen_name)
    values = notes.shown_values(rng, None, persona)
    return {
        "id": f"recall-{number:03d}", "question": questions.HELD_OUT_RECALL[asked],
        "context": notes.render(rng, persona, values, 1 + rng.randrange(4), HELD_OUT_FACTS, unseen_name),
        "expected": {"asked": asked, "name": persona.copied.get(asked)},
    }


def lengthen(rng: random.Random, item: dict, number: int) -> dict:
    """The same item with its notes somewhere in two thousand characters of a life."""
    sentences = rng.sample(BIOGRAPHY, len(BIOGRAPHY))
    notes_lines = item["context"].splitlines()
    place = rng.randrange(len(sentences) + 1)
    if len(notes_lines) > 1:
        lines = [*sentences[:place], *notes_lines, *sentences[place:]]
        return item | {"id": f"long-{number:03d}", "context": "\n".join(lines)}
    return item | {"id": f"long-{number:03d}", "context": " ".join([*sentences[:place], item["context"], *sentences[place:]])}


def write(name: str, items: list[dict]) -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / name).write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items))


def main() -> None:
    rng = random.Random(20260)
    write("items.jsonl", [recommendation(rng, i, "main", draw_name, False) for i in range(336)])
    unseen = [recommendation(rng, i, "unseen", unseen_name, True) for i in range(140)]
    write("unseen_names.jsonl", unseen)
    write("long_context.jsonl", [lengthen(rng, item, i) for i, item in enumerate(unseen[:84])])
    write("recall.jsonl", [recall(rng, i) for i in range(160)])


if __name__ == "__main__":
    main()
