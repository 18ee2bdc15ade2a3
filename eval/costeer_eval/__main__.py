"""Asks a data set of running servers and writes results.json, results.md and plots.

    python -m costeer_eval --data items.jsonl --format cogenesis --proxy http://127.0.0.1:8089/v1 --strengths 0.5 1 2 --output out

Run again, it asks only what has no answer yet.
"""
import argparse
import hashlib
import json
import sys
from pathlib import Path

from .client import Client, Refused, Unreachable
from .formats import FORMATS, BadRow, load
from .journal import Journal, OtherRun
from .judges import judge_of
from .plots import against_speed, against_strength
from .report import judged, results, table
from .run import run
from .systems import System, informed, plain, steered


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="costeer_eval", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a file with a row of JSON on each line")
    parser.add_argument("--format", choices=FORMATS, required=True, metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--proxy", help="address of the proxy, with /v1: answers plainly and steered")
    parser.add_argument("--strengths", type=float, nargs="*", default=[1.0], help="strengths to steer with (1)")
    parser.add_argument("--slm", help="address of a server of the small model, with /v1: answers with the context in its prompt")
    parser.add_argument("--llm", help="address of a server of the big model: answers with the context in its prompt, which is sent there")
    parser.add_argument("--i-know-this-sends-private-text", action="store_true", help="needed with --llm")
    parser.add_argument("--limit", type=int, help="only the first items")
    parser.add_argument("--max-context-chars", type=int, help="cut contexts after so many characters")
    parser.add_argument("--max-tokens", type=int, default=256, help="of each answer (256)")
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1, help="of the answers, and of the intervals (1)")
    parser.add_argument("--jobs", type=int, default=2, help="questions at a time (2)")
    parser.add_argument("--output", type=Path, default=Path("out"), help="directory of the answers and results (out)")
    given = parser.parse_args()
    if given.llm and not given.i_know_this_sends_private_text:
        parser.error("--llm sends every context to that server; say --i-know-this-sends-private-text if that is meant")
    if not (given.proxy or given.slm or given.llm):
        parser.error("name at least one of --proxy, --slm and --llm")
    if given.jobs < 1:
        parser.error("--jobs must be at least 1")
    return given


def systems(given: argparse.Namespace) -> list[System]:
    found = []
    if given.proxy:
        found = [plain(given.proxy), *(steered(given.proxy, strength) for strength in dict.fromkeys(given.strengths))]
    if given.slm:
        found.append(informed("slm_with_context", given.slm))
    if given.llm:
        found.append(informed("llm_with_context", given.llm))
    return found


def main() -> int:
    given = arguments()
    items = load(given.data, given.format, given.limit, given.max_context_chars)
    options = {"max_tokens": given.max_tokens, "temperature": given.temperature, "seed": given.seed}
    configuration = {
        "data": hashlib.sha256(given.data.read_bytes()).hexdigest(),
        "format": given.format,
        "max_context_chars": given.max_context_chars,
        **options,
    }
    compared = systems(given)
    journal = Journal(given.output / "answers.jsonl", configuration)
    try:
        refused = run(items, compared, journal, Client(), options, given.jobs)
        verdicts = judged(items, [system.name for system in compared], journal, judge_of(given.format))
        found = results(verdicts, journal, given.seed)
    finally:
        journal.close()
    summary = {"configuration": configuration, "items": len(items), "systems": found}
    (given.output / "results.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    text = table(found)
    (given.output / "results.md").write_text(text, encoding="utf-8")
    against_strength(found, given.output / "quality-strength.svg")
    against_speed(found, given.output / "quality-speed.svg")
    print(text)
    if refused:
        print(f"{refused} questions were refused: {given.output / 'answers.jsonl'} says why; run again to ask them again", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BadRow, OtherRun, Unreachable, Refused) as error:
        sys.exit(f"costeer_eval: {error}")
