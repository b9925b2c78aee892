"""Which question a chart answers, by the name of its file; a chart that is not known here goes by its name."""

from __future__ import annotations

from typing import Final, NamedTuple


class Caption(NamedTuple):
    """title: what is drawn.  question: what it answers, for under the picture."""

    title: str
    question: str


CHARTS: Final = {
    "gains": Caption("Relative gain", "Which method gains most over the baseline, all tasks taken together?"),
    "metrics": Caption("Every metric", "What does each method score in each metric, and where does it lose?"),
    "sweep": Caption("Sweep", "How does the outcome depend on the setting that was varied?"),
    "class-gains": Caption("Gain by class", "Do classes with few labels gain more than those with many?"),
    "sharing-map": Caption("Map of sharing", "Between which streams, at which places and in which direction is shared?"),
    "alphas": Caption("Weights of the units, sorted", "How much does each stream take from itself and from the other?"),
    "transfer-gaps": Caption(
        "Negative transfer: gaps", "Which task falls behind its single-task training, and from when on?"
    ),
    "transfer-cosines": Caption(
        "Negative transfer: gradients", "Where do the gradients of two tasks point apart, and when?"
    ),
    "losses": Caption("Losses while training", "Do trainings converge, and does any task stall or diverge?"),
    "validation": Caption("Metrics while training", "Does a method still improve on held-out pictures, or overfit?"),
    "weights": Caption("Weights of the losses", "How much does each task count while training?"),
    "faces": Caption("Ages and genders", "Are predictions distributed as the labels are?"),
}
"""By the beginning of the file's name, up to a hyphen; in the order of a page."""
CURVES: Final = Caption("Curves of the detector", "What does a detector miss, at which price in false alarms?")
"""Of ``<column>-curves``."""


def caption_of(name: str) -> Caption:
    """The caption of a chart file (its name without the ending), with what its name says beyond the kind of chart."""
    kind = _kind(name)
    if kind is not None:
        return _with(CHARTS[kind], name.removeprefix(kind))
    if name.endswith("-curves"):
        return _with(CURVES, name.removesuffix("-curves"))
    return Caption(in_words(name), "")


def place_of(name: str) -> tuple[int, str]:
    """What charts are ordered by: those of results first, curves and those that are not known here last."""
    kind = _kind(name)
    return (len(CHARTS) if kind is None else list(CHARTS).index(kind)), name


def in_words(name: str) -> str:
    """ "masks-and-boxes" -> "masks and boxes"."""
    return " ".join(name.replace("-", " ").replace("_", " ").split()) or name


def _kind(name: str) -> str | None:
    return next((kind for kind in CHARTS if name == kind or name.startswith(f"{kind}-")), None)


def _with(caption: Caption, rest: str) -> Caption:
    words = in_words(rest) if rest else ""
    return caption._replace(title=f"{caption.title}: {words}") if words else caption
