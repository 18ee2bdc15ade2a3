"""Schemas as clients send them, varied by a seed: nested objects, lists, enumerations, patterns, references, numbers in a range, and alternatives."""
import random

COLOURS = ["red", "green", "blue", "grey", "black"]
CITIES = ["Bern", "Quito", "Oslo", "Lima", "Accra"]
NAMES = ["Mia", "Noor", "Tom", "Ada", "Juno"]


def closed(**properties) -> dict:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def text(most: int) -> dict:
    return {"type": "string", "maxLength": most}


def listed(draw: random.Random, item: dict, most: int = 3) -> dict:
    least = draw.randint(0, 1)
    return {"type": "array", "items": item, "minItems": least, "maxItems": draw.randint(max(least, 1), most)}


def whole(draw: random.Random) -> dict:
    least = draw.randint(-50, 50)
    return {"type": "integer", "minimum": least, "maximum": least + draw.randint(0, 200)}


def person(draw: random.Random) -> dict:
    return closed(name=text(16), age={"type": "integer", "minimum": 0, "maximum": 120}, city={"enum": draw.sample(CITIES, 3)})


def order(draw: random.Random) -> dict:
    item = closed(sku={"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"}, amount=whole(draw), colour={"enum": draw.sample(COLOURS, 2)})
    return closed(items=listed(draw, item), note={"anyOf": [text(20), {"type": "null"}]})


def event(draw: random.Random) -> dict:
    when = closed(day={"type": "string", "pattern": r"^20[0-9]{2}-(0[1-9]|1[0-2])-[0-2][0-9]$"}, hour={"type": "integer", "minimum": 0, "maximum": 23})
    return closed(title=text(24), when=when, guests=listed(draw, {"enum": draw.sample(NAMES, 3)}))


def tree(_: random.Random) -> dict:
    node = closed(label=text(8), below={"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/leaf"}})
    return {**node, "$defs": {"leaf": closed(label=text(8), weight={"type": "number", "minimum": 0, "maximum": 1})}}


def choice(draw: random.Random) -> dict:
    return {"anyOf": [closed(kind={"const": "found"}, score=whole(draw)), closed(kind={"const": "missing"}, why={"enum": ["gone", "unknown"]})]}


def review(draw: random.Random) -> dict:
    scores = {name: {"type": "integer", "minimum": 1, "maximum": 5} for name in draw.sample(["taste", "price", "place", "staff"], 2)}
    return closed(stars={"enum": [1, 2, 3, 4, 5]}, scores=closed(**scores), again={"type": "boolean"}, tags=listed(draw, {"type": "string", "pattern": "^[a-z]{2,8}$"}))


def pair(draw: random.Random) -> dict:
    """Two values in a list, and a property that may be left out."""
    pair = {"type": "array", "prefixItems": [whole(draw), {"type": "boolean"}], "items": False, "minItems": 2}
    return {"type": "object", "properties": {"pair": pair, "unit": {"enum": ["cm", "m"]}}, "required": ["pair"], "additionalProperties": False}


def plan(draw: random.Random) -> dict:
    """Lists in lists, and a list that may be empty."""
    step = closed(what=text(20), minutes={"type": "integer", "minimum": 1, "maximum": 90}, who=listed(draw, {"enum": draw.sample(NAMES, 2)}, 2))
    day = closed(weekday={"enum": ["mon", "wed", "sat"]}, steps=listed(draw, step, 2))
    return closed(days={"type": "array", "items": day, "minItems": 1, "maxItems": 2}, code={"type": "string", "pattern": "^[a-f0-9]{6}$"})


KINDS = {
    person: "Describe a person you might meet on holiday.",
    order: "Write down an order for a small shop.",
    event: "Plan a dinner with friends.",
    tree: "Sort three animals into groups.",
    choice: "Was the lost key found?",
    review: "Review the restaurant around the corner.",
    pair: "How long is the table, and is it new?",
    plan: "Plan how the flat gets cleaned.",
}


def cases(count: int, seed: int = 7) -> list[tuple[str, dict]]:
    """Questions with the schemas of their answers."""
    draw = random.Random(seed)
    kinds = list(KINDS.items())
    return [(question, make(draw)) for make, question in (kinds[number % len(kinds)] for number in range(count))]


def toolboxes(count: int, seed: int = 11) -> list[tuple[str, str, dict[str, dict]]]:
    """Questions with three functions each, by name with the schemas of their arguments, and the name of the one that the question is about."""
    draw = random.Random(seed)
    kinds = list(KINDS)
    found = []
    for number in range(count):
        wanted = kinds[number % len(kinds)]
        others = draw.sample([kind for kind in kinds if kind is not wanted], 2)
        tools = {f"save_{kind.__name__}": kind(draw) for kind in draw.sample([wanted, *others], 3)}
        found.append((KINDS[wanted], f"save_{wanted.__name__}", tools))
    return found
