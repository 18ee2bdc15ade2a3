"""Shows what `costeer tune --json` found: how far steering is from the big model with the context in its prompt, against the strength.

    costeer tune --json > tune.json
    python -m costeer_eval.curve tune.json --output out

Writes OUT/curve.md, a table that is printed as well, and OUT/curve.svg. Intervals are those of the report: 95 %, bootstrap over questions.
"""
import argparse
import json
import sys
from pathlib import Path

from .plots import COLOURS, plt, saved

# Rows of the table; the plot has all points.
SHOWN = (0.0, 0.2, 0.5, 0.8, 1.0, 1.2, 1.5, 1.8, 2.5, 4.0)


class NoReport(Exception):
    """The file is not what `costeer tune --json` prints."""


def read(path: Path) -> dict:
    """What the command printed, with a curve at least.

    Raises NoReport.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        for curve in found["report"]["curves"]:
            for point in (*curve["points"], {"strength": curve["strength"], "divergence": curve["divergence"]}):
                float(point["strength"]), [float(point["divergence"][key]) for key in ("mean", "low", "high")]
        found["report"]["curves"][0]["points"][0]
    except (OSError, ValueError) as error:
        raise NoReport(f"{path} cannot be read: {error}") from error
    except (KeyError, TypeError, IndexError) as error:
        raise NoReport(f"{path} has no curve; make it with costeer tune --json > {path}") from error
    return found


def nats(estimate: dict) -> str:
    return f"{estimate['mean']:.4f} ({estimate['low']:.4f} – {estimate['high']:.4f})"


def is_shown(strength: float) -> bool:
    return any(abs(strength - shown) < 1e-9 for shown in SHOWN)


def title(found: dict) -> str:
    report = found["report"]
    return f"{found['local']} steers {found['upstream']}: {report['questions']} questions, {report['positions']} positions"


def table(found: dict) -> str:
    """The divergence at some strengths for each floor, and the best strengths."""
    curves = found["report"]["curves"]
    floors = " | ".join(f"floor {curve['delta_floor']:g}" for curve in curves)
    lines = [f"| strength | {floors} |", "|---:|" + "---:|" * len(curves)]
    for points in zip(*(curve["points"] for curve in curves), strict=True):
        if is_shown(points[0]["strength"]):
            lines.append(f"| {points[0]['strength']:g} | " + " | ".join(nats(point["divergence"]) for point in points) + " |")
    lines += ["", "| floor | best strength | KL there |", "|---:|---:|---:|"]
    for curve in curves:
        interval = curve["strength_interval"]
        best = f"{curve['strength']:.2f} ({interval['low']:.2f} – {interval['high']:.2f})"
        lines.append(f"| {curve['delta_floor']:g} | {best} | {nats(curve['divergence'])} |")
    return "\n".join(lines)


def page(found: dict) -> str:
    return f"# KL against strength\n\n{title(found)}.\n\n{table(found)}\n"


def plot(found: dict, path: Path) -> None:
    """A line with its interval for each floor, and a mark at its best strength."""
    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    for number, curve in enumerate(found["report"]["curves"]):
        colour = COLOURS[number % len(COLOURS)]
        strengths = [point["strength"] for point in curve["points"]]
        mean, low, high = ([point["divergence"][key] for point in curve["points"]] for key in ("mean", "low", "high"))
        axes.plot(strengths, mean, color=colour, label=f"floor {curve['delta_floor']:g}")
        axes.fill_between(strengths, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(curve["strength"], curve["divergence"]["mean"], marker="o", color=colour)
    axes.set(xlabel="strength", ylabel="KL in nats", ylim=(0, None), title=title(found))
    axes.title.set_fontsize(8)
    axes.legend()
    saved(figure, path)


def main() -> int:
    parser = argparse.ArgumentParser(prog="costeer_eval.curve", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path, help="what costeer tune --json printed")
    parser.add_argument("--output", type=Path, default=Path("out"), help="directory of the table and the plot (out)")
    given = parser.parse_args()
    try:
        found = read(given.report)
    except NoReport as error:
        print(error, file=sys.stderr)
        return 1
    given.output.mkdir(parents=True, exist_ok=True)
    text = page(found)
    (given.output / "curve.md").write_text(text, encoding="utf-8")
    plot(found, given.output / "curve.svg")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
