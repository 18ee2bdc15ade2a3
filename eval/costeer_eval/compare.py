"""Whether the numbers of one results.json lie within the intervals of another: python -m costeer_eval.compare OLD NEW"""
import json
import sys
from pathlib import Path


def outside(old: dict, new: dict) -> list[str]:
    """What does not, in words."""
    found = []
    for system, entry in old["systems"].items():
        for name, before in entry["metrics"].items():
            now = new["systems"].get(system, {}).get("metrics", {}).get(name)
            if now is None:
                found.append(f"{system} has no {name} any more")
            elif not before["low"] <= now["mean"] <= before["high"]:
                found.append(f"{name} of {system} is {now['mean']}, not within {before['low']} and {before['high']}")
    return found


def main() -> None:
    old, new = (json.loads(Path(path).read_text(encoding="utf-8")) for path in sys.argv[1:])
    found = outside(old, new)
    print("\n".join(found) or "all numbers are within the intervals")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
