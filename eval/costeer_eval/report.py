"""From answers to numbers: means with intervals, and differences to a baseline item by item."""
import statistics
from collections.abc import Callable

from .bootstrap import interval
from .formats import Item
from .journal import Journal
from .judges import Verdict

BASELINE = "plain"


def judged(items: list[Item], systems: list[str], journal: Journal, judge: Callable[[str, Item], Verdict]) -> dict[str, dict[str, Verdict]]:
    """The verdicts by system and item, of those that were answered."""
    return {
        system: {item.id: judge(journal.rows[system, item.id]["answer"], item) for item in items if journal.is_done(system, item.id)}
        for system in systems
    }


def numbers(values: list[float], seed: int) -> dict[str, float]:
    mean, low, high = interval(values, seed)
    return {"mean": round(mean, 4), "low": round(low, 4), "high": round(high, 4), "n": len(values)}


def results(verdicts: dict[str, dict[str, Verdict]], journal: Journal, seed: int) -> dict[str, dict]:
    """For each system: every metric's mean and 95 % interval, its difference to the baseline on the items both have answered, refusals and speed."""
    found = {}
    for system, by_item in verdicts.items():
        rows = [row for (name, _), row in journal.rows.items() if name == system]
        answered = [row for row in rows if "answer" in row]
        entry: dict = {"refused": len(rows) - len(answered), "metrics": {}, "differences": {}}
        names = list(dict.fromkeys(name for verdict in by_item.values() for name in verdict))
        for name in names:
            entry["metrics"][name] = numbers([verdict[name] for verdict in by_item.values() if name in verdict], seed)
        base = verdicts.get(BASELINE, {}) if system != BASELINE else {}
        for name in names:
            both = [item for item in by_item if name in by_item[item] and name in base.get(item, {})]
            if both:
                entry["differences"][name] = numbers([by_item[item][name] - base[item][name] for item in both], seed)
        if answered:
            entry["tokens_per_second"] = round(sum(row["tokens"] for row in answered) / max(sum(row["seconds"] for row in answered), 1e-9), 1)
            entry["median_seconds"] = round(statistics.median(row["seconds"] for row in answered), 3)
        found[system] = entry
    return found


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def shown(metric: str, numbers: dict[str, float]) -> str:
    """In per cent, but for counts."""
    write = (lambda value: f"{value:.1f}") if metric == "words" else percent
    return f"{write(numbers['mean'])} ({write(numbers['low'])} – {write(numbers['high'])})"


def table(found: dict[str, dict]) -> str:
    """Markdown: the first metric with its interval and its difference to the baseline, the means of the others."""
    names = list(dict.fromkeys(name for entry in found.values() for name in entry["metrics"]))
    if not names:
        return "Nothing was answered.\n"
    primary, others = names[0], names[1:]
    head = ["system", "n", f"{primary} (95 % interval)", f"less {BASELINE}", *(name.replace("_", " ") for name in others), "tokens/s", "refused"]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    for system, entry in found.items():
        metrics, difference = entry["metrics"], entry["differences"].get(primary)
        if primary not in metrics:
            continue
        means = [percent(metrics[name]["mean"]) if name in metrics else "–" for name in others]
        cells = [system, str(metrics[primary]["n"]), shown(primary, metrics[primary]), shown(primary, difference) if difference else "–", *means]
        lines.append("| " + " | ".join([*cells, str(entry.get("tokens_per_second", "–")), str(entry["refused"])]) + " |")
    return "\n".join(lines) + "\n"
