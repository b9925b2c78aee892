"""Which question a chart answers, by the name of its file; a chart that is not known here goes by its name."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final, NamedTuple


class Caption(NamedTuple):
    """title: what is drawn.  question: what it answers, as a sentence or two for under the picture."""

    title: str
    question: str


CHARTS: Final[tuple[tuple[str, Caption], ...]] = (
    ("gains", Caption("Average relative gain", "Which method gains most over the baseline, all tasks taken together?")),
    ("metrics", Caption("Every metric", "What does each method score in each metric, and where does it lose?")),
    ("losses", Caption("Losses while training", "Do trainings converge, and does any task stall or diverge?")),
    ("validation", Caption("Metrics while training", "Does a method still improve on held-out pictures, or overfit?")),
    ("weights", Caption("Weights of the losses", "How much does each task count while training?")),
    ("*-curves", Caption("Curves of the detector", "What does a detector miss at each price in false alarms?")),
    ("faces", Caption("Errors as histograms", "How large are the errors, and how often?")),
    ("alphas*", Caption("Weights of the units, sorted", "How much does each stream take from itself and from the other?")),
    ("sharing*", Caption("Map of sharing", "Between which streams, at which places, and in which direction is shared?")),
    ("class-gains*", Caption("Gain by class", "Do classes with few labels gain more than those with many?")),
    ("transfer*", Caption("Negative transfer", "When do tasks pull the network apart, at which place, and which suffers?")),
    ("sweep*", Caption("Sweep", "How does the outcome depend on the setting that was varied?")),
)
"""File name patterns, the first that fits counts."""


def caption_of(name: str) -> Caption:
    """The caption of a chart file (its name without the ending)."""
    known = (caption for pattern, caption in CHARTS if fnmatchcase(name, pattern))
    return next(known, Caption(in_words(name), ""))


def in_words(name: str) -> str:
    """ "masks-and-boxes" -> "masks and boxes"."""
    return " ".join(name.replace("-", " ").replace("_", " ").split()) or name
