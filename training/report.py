"""Turns verdicts into a Markdown table with 95 % Wilson intervals. Standard library only."""
import math

COLUMNS = ("known_topics", "rare_topics", "attributes", "tone", "length", "copied", "each_name", "topic", "coherent", "well_formed", "nothing_invented", "recalled", "not_told")


def wilson(hits: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share."""
    if not count:
        return 0.0, 1.0
    share, square = hits / count, z * z / count
    centre, half = share + square / 2, z * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return max(0.0, (centre - half) / (1 + square)), min(1.0, (centre + half) / (1 + square))


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _share(verdicts: list[dict], name: str) -> str:
    """A verdict is one judgement, or a list of them where an answer gives several."""
    found = [verdict[name] for verdict in verdicts if name in verdict]
    applicable = [one for judgements in found for one in (judgements if isinstance(judgements, list) else [judgements])]
    return percent(sum(applicable) / len(applicable)) if applicable else "–"


def table(results: dict[str, list[dict]]) -> str:
    """One row a system; every column in per cent of the items to which it applies."""
    used = [name for name in COLUMNS if any(name in verdict for verdicts in results.values() for verdict in verdicts)]
    head = ["system", "n", "success", "95 % interval", *(name.replace("_", " ") for name in used)]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    for system, verdicts in results.items():
        hits = sum(verdict["success"] for verdict in verdicts)
        low, high = wilson(hits, len(verdicts))
        cells = [system, str(len(verdicts)), f"**{percent(hits / len(verdicts))}**", f"{percent(low)} – {percent(high)}", *(_share(verdicts, name) for name in used)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
