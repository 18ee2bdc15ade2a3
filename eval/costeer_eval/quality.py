"""Writes docs/src/quality.md from the results of two data sets of the made-up world.

    python -m costeer_eval.quality MAIN UNSEEN DOCS

MAIN and UNSEEN are --output directories of runs over training/eval/items.jsonl and training/eval/unseen_names.jsonl.
"""
import json
import shutil
import sys
from pathlib import Path

from .plots import strength_of
from .report import percent, shown, table

MEANINGS = {
    "success": "everything below at once",
    "topic": "it is about what was asked",
    "attributes": "it fits every wish that the context tells",
    "tone": "it speaks as the context asks",
    "length": "it is as long as the context asks",
    "copied": "every name it uses is the right one, and it uses one",
    "coherent": "what it says of the thing it names is true",
    "well_formed": "it is whole sentences without repetitions",
    "nothing_invented": "it uses no name that the context does not have",
}


def best(found: dict[str, dict]) -> str:
    """The steered system with the most success."""
    steered = [system for system in found if strength_of(system) is not None]
    return max(steered, key=lambda system: found[system]["metrics"]["success"]["mean"])


def apart(found: dict[str, dict], system: str) -> str:
    """How the system's interval lies to those of the systems it is compared with."""
    low = found[system]["metrics"]["success"]["low"]
    sentences = []
    for other in ("plain", "slm_with_context"):
        high = found[other]["metrics"]["success"]["high"]
        lies = "above" if low > high else "not above"
        sentences.append(f"its interval begins {lies} where that of {other} ends ({percent(low)} and {percent(high)})")
    return "; ".join(sentences)


def over_strengths(found: dict[str, dict]) -> str:
    """Each part of success by strength; the big model alone is strength 0."""
    columns = {"0 (plain)": found["plain"], **{f"{strength_of(system):g}": entry for system, entry in found.items() if strength_of(system) is not None}}
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for name, meaning in MEANINGS.items():
        cells = [percent(entry["metrics"][name]["mean"]) if name in entry["metrics"] else "–" for entry in columns.values()]
        lines.append(f"| {name.replace('_', ' ')}: {meaning} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def hurts(found: dict[str, dict]) -> str:
    """Where a steered system is worse than the big model alone, beyond chance."""
    lines = []
    for system, entry in found.items():
        worse = [(name, entry["differences"][name]) for name in MEANINGS if strength_of(system) is not None and name in entry["differences"]]
        told = [f"{name.replace('_', ' ')} {shown(name, difference)}" for name, difference in worse if difference["high"] < 0]
        if told:
            lines.append(f"* {system}: {'; '.join(told)}")
    return "\n".join(lines) or "At none of these strengths is any of it worse than the big model alone, beyond chance."


def page(main: dict, unseen: dict) -> str:
    found, other = main["systems"], unseen["systems"]
    chosen = best(found)
    return f"""# Quality of the shipped pair

Made by `eval/quality.sh`, which starts the real servers and asks them; nothing here is written by hand but the words. Intervals are 95 %, by
the percentile bootstrap over questions. Greedy answers, 20 candidates, `steering.delta_floor` 0.0001. In per cent, but for tokens a second,
which are those of two questions at a time on the machine it ran on.

The pair lives in a small made-up world (training/README.md), where a program can judge answers: {main["items"]} questions with wordings and
combinations that were held out of training. It says nothing about models of a useful size; `eval/` measures those on your own questions.

## Steering against not steering

{table(found)}
Most success has {chosen}: {apart(found, chosen)}.

![Success against strength](img/quality-strength.svg)

![Success against speed](img/quality-speed.svg)

With {unseen["items"]} contexts whose names and cities were never seen in training, which have to be copied letter by letter:

{table(other)}
## What strength does

{over_strengths(found)}

Strength 0 is the big model alone. Where it is small, the context decides only between answers that the big model holds nearly equal; the larger
it is, the more the small model's opinion counts, its mistakes included. Begin with 1, look at a few answers with `costeer explain` or at
`/costeer/`, and go up where the context is ignored and down where sentences break.

## Where steering hurts

Differences to the big model alone, question by question, whose interval lies below 0:

{hurts(found)}

A name the big model has never heard of is spelled token by token, and each of its tokens must be among the candidates: with 20 of them some are not.
More candidates (`upstream.top_k`) or `steering.exactness = "refetch"` help there.
"""


def main() -> None:
    main_run, unseen_run, docs = (Path(argument) for argument in sys.argv[1:])
    main_results, unseen_results = (json.loads((run / "results.json").read_text(encoding="utf-8")) for run in (main_run, unseen_run))
    images = docs / "img"
    images.mkdir(parents=True, exist_ok=True)
    for plot in ("quality-strength.svg", "quality-speed.svg"):
        shutil.copy(main_run / plot, images)
    (docs / "quality.md").write_text(page(main_results, unseen_results), encoding="utf-8")


if __name__ == "__main__":
    main()
