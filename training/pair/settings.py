"""Everything that determines the two trainings: sizes, seeds, counts. A retraining with the same numbers sees the same examples in the same order."""
from dataclasses import dataclass
from pathlib import Path

from .model import Shape

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models" / "tiny"
OUT = ROOT / "training" / "out"
VOCABULARY = 3456
PIECES_VOCABULARY = 1536
ROUND = 512
"""Examples a round; a round is the unit of shuffling, counting and resuming."""


@dataclass(frozen=True)
class Phase:
    """What a stretch of rounds, up to `until`, is made of."""

    until: int
    recall: float
    """Share of questions such as "What is my dog called?"."""
    listing: float
    """Share of "What do you know about me?"."""
    notes: float
    """Share of examples that show the notes."""
    crowd: int = 0
    """How many more facts to copy, at most, a person has whom a recall question is about."""
    drill: bool = False
    """Short notes only, until copying works."""
    batch_tokens: int = 3000
    examples_per_step: int = 24
    """The nominal batch; it scales the loss so that every example weighs the same."""
    name_weight: float = 3.0
    """Weight of the letters of copied names."""
    decision_weight: float = 1.0
    """Weight of single tokens that the notes decide: the answer's first, the adjectives, the first letters of names."""
    spelled_weight: float = 0.0
    """Weight of a name's letters when their targets are the distributions they were drawn from; 0 takes the drawn letters."""
    focus: float = 0.0
    """Share of examples about topics with two attributes whose notes hold nothing but what matters; that second attribute is learned last."""


@dataclass(frozen=True)
class Training:
    """One model's training. Rounds, not minutes, so that it repeats."""

    role: str
    shape: Shape
    seed: int
    phases: tuple[Phase, ...]
    peak_rate: float
    decay_from: float
    """Share of the rounds after which the rate falls to its final twentieth."""
    label_smoothing: float
    sees_notes: bool
    """Whether it learns from examples with notes, and of the core topics mainly."""
    family: str = "words"
    """Its tokenizer, by the name in `families`."""
    starts_from: str = ""
    """The exported model of the pair whose layers it begins with, and whose embeddings its own pieces are put together from."""
    breaking: float = 0.02
    """Share of the prompt's words that are split into a prefix and letters."""
    warm_up_steps: int = 100

    @property
    def rounds(self) -> int:
        return self.phases[-1].until

    def phase(self, number: int) -> Phase:
        return next(phase for phase in self.phases if number < phase.until)


SLM = Training(
    role="slm", shape=Shape(layers=5, heads=6, head=32, feed_forward=320, vocabulary=VOCABULARY), seed=11, peak_rate=2.5e-3, decay_from=0.57,
    label_smoothing=0.02, sees_notes=True,
    phases=(
        Phase(until=60, recall=0.3, listing=0.2, notes=0.75, drill=True),
        Phase(until=115, recall=0.15, listing=0.05, notes=0.6),
        Phase(until=145, recall=0.15, listing=0.07, notes=0.72, batch_tokens=1500, examples_per_step=12, name_weight=4.0),
        Phase(until=200, recall=0.22, listing=0.05, notes=0.72, batch_tokens=1500, examples_per_step=12, decision_weight=8.0),
        Phase(until=230, recall=0.32, crowd=3, listing=0.05, notes=0.78, batch_tokens=1500, examples_per_step=12, decision_weight=8.0),
        Phase(until=425, recall=0.32, crowd=3, listing=0.04, notes=0.78, batch_tokens=1500, examples_per_step=12, decision_weight=8.0, focus=0.35),
    ),
)
LLM = Training(
    role="llm", shape=Shape(layers=5, heads=4, head=64, feed_forward=768, vocabulary=VOCABULARY), seed=12, peak_rate=2e-3, decay_from=0.6,
    label_smoothing=0.0, sees_notes=False,
    phases=(
        Phase(until=220, recall=0.12, listing=0.03, notes=0.0, batch_tokens=2000, name_weight=1.0),
        Phase(until=265, recall=0.25, listing=0.03, notes=0.0, batch_tokens=3000, name_weight=1.0, spelled_weight=1.5),
    ),
)
PIECES = Training(
    role="slm-pieces", shape=Shape(layers=5, heads=6, head=32, feed_forward=320, vocabulary=PIECES_VOCABULARY), seed=13, peak_rate=1.5e-3,
    decay_from=0.35, label_smoothing=0.02, sees_notes=True, family="pieces", starts_from="slm",
    phases=(
        Phase(
            until=120, recall=0.25, crowd=3, listing=0.04, notes=0.76, batch_tokens=1500, examples_per_step=12, name_weight=4.0, decision_weight=8.0,
            focus=0.35,
        ),
    ),
)
TRAININGS = {"slm": SLM, "llm": LLM, "slm-pieces": PIECES}
