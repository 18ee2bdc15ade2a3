"""Quality against strength, and quality against speed."""
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

# The same numbers make the same file.
matplotlib.rcParams["svg.hashsalt"] = "costeer"
COLOURS = ("#0b57b7", "#c25e00", "#2e7d32", "#7b1fa2")


def strength_of(system: str) -> float | None:
    name, at, strength = system.partition("@")
    return float(strength) if at and name == "steered" else None


def primary(entry: dict) -> tuple[str, dict] | None:
    return next(iter(entry["metrics"].items()), None)


def saved(figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def against_strength(found: dict[str, dict], path: Path) -> bool:
    """A line over the strengths, a band for each other system; false where there are no strengths to draw."""
    points = sorted((strength_of(system), *primary(entry)) for system, entry in found.items() if strength_of(system) is not None and primary(entry))
    if not points:
        return False
    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    means = [numbers["mean"] for _, _, numbers in points]
    errors = [[numbers["mean"] - numbers["low"] for _, _, numbers in points], [numbers["high"] - numbers["mean"] for _, _, numbers in points]]
    axes.errorbar([strength for strength, _, _ in points], means, yerr=errors, marker="o", capsize=3, color=COLOURS[0], label="steered")
    others = [(system, primary(entry)[1]) for system, entry in found.items() if strength_of(system) is None and primary(entry)]
    for colour, (system, numbers) in zip(COLOURS[1:], others):
        axes.axhline(numbers["mean"], color=colour, label=system)
        axes.axhspan(numbers["low"], numbers["high"], color=colour, alpha=0.15)
    axes.set(xlabel="strength", ylabel=points[0][1], ylim=(0, 1))
    axes.legend()
    saved(figure, path)
    return True


def against_speed(found: dict[str, dict], path: Path) -> bool:
    """A point for each system; false where nothing was answered."""
    points = [(system, entry["tokens_per_second"], *primary(entry)) for system, entry in found.items() if "tokens_per_second" in entry and primary(entry)]
    if not points:
        return False
    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    for system, speed, _, numbers in points:
        error = [[numbers["mean"] - numbers["low"]], [numbers["high"] - numbers["mean"]]]
        axes.errorbar(speed, numbers["mean"], yerr=error, marker="o", capsize=3, color=COLOURS[strength_of(system) is None])
        axes.annotate(system, (speed, numbers["mean"]), textcoords="offset points", xytext=(6, 4), fontsize=8)
    axes.set(xlabel="tokens a second", ylabel=points[0][2], ylim=(0, 1))
    axes.margins(x=0.2)
    saved(figure, path)
    return True
