"""Writes docs/src/alignment.md from the results of the shipped pair and of a small model with another vocabulary.

    python -m costeer_eval.alignments RESULTS PAGE

RESULTS holds the --output directories that eval/alignments.sh makes, `items-bytes` and so on.
"""
import json
import sys
from pathlib import Path

from .plots import strength_of
from .report import BASELINE, percent, table

KINDS = ("identical", "intersection", "bytes")
SETS = {"items": "Names made up afresh or known from training", "unseen_names": "Names and cities that training never shows"}


def merged(results: Path, items: str) -> dict[str, dict]:
    """The big model alone, and each way of steering it, by name."""
    found = {}
    for kind in KINDS:
        systems = json.loads((results / f"{items}-{kind}" / "results.json").read_text(encoding="utf-8"))["systems"]
        found.setdefault(BASELINE, systems[BASELINE])
        found |= {f"{kind}, strength {strength_of(name):g}": entry for name, entry in systems.items() if strength_of(name) is not None}
    return found


def gains(found: dict[str, dict]) -> str:
    """What each alignment keeps of the identical pair's gain over the big model alone, at each strength."""

    def gain(name: str) -> float:
        return found[name]["differences"]["success"]["mean"]

    lines = ["| strength | identical: gain | intersection keeps | bytes keeps |", "|---|---:|---:|---:|"]
    for name in (name for name in found if name.startswith("identical")):
        strength, whole = name.rsplit(" ", 1)[1], gain(name)
        kept = [percent(gain(f"{kind}, strength {strength}") / whole) for kind in KINDS[1:]]
        lines.append(f"| {strength} | {percent(whole)} | {kept[0]} | {kept[1]} |")
    return "\n".join(lines)


def page(results: Path) -> str:
    sections = []
    for items, title in SETS.items():
        found = merged(results, items)
        sections.append(f"## {title}\n\n{gains(found)}\n\n{table(found)}")
    return """# Quality across vocabularies

Made by `eval/alignments.sh`, which starts the real servers and asks them. Success and what it is made of are explained in quality.md; per cent, with 95 %
intervals by the bootstrap over questions; greedy answers, 20 candidates, `steering.delta_floor` 0.0001.

*identical* is the shipped pair, whose two models have one vocabulary. *intersection* and *bytes* steer the same big model with another small one,
`models/tiny/slm-pieces` (training/README.md): Llama's kind of tokenizer, 1,530 pieces of text where the big model has 3,451 words, another chat
template, another end of turn; a third of the big model's tokens are pieces of the small one. It is a model of its own, so *keeps* says what
is left of steering with both differences: another vocabulary and another training.

""" + "\n".join(sections)


def main() -> None:
    results, target = map(Path, sys.argv[1:])
    target.write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
