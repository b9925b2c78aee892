"""Negative transfer during training: losses beside those of single-task trainings, and whether gradients agree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from taskweave.reporting.charts import save_figure
from taskweave.reporting.learning_curves import Curves, Files, charted, read_columns
from taskweave.reporting.style import shown

DIVERGING: Final = "PuOr"
"""Of heat maps around 0: told apart with every kind of colour vision, light where it is 0."""


def read_gaps(log: Path) -> Curves:
    """{task: (steps, gaps)} of a ``monitor.csv``; 0.1 is a loss 10 % above the reference's."""
    return read_columns(log, "gap.")


def read_cosines(log: Path) -> dict[str, Curves]:
    """{"<a> and <b>": {place: (steps, cosines)}} of a ``monitor.csv``."""
    found: dict[str, Curves] = {}
    for column, curve in read_columns(log, "cosine.").items():
        place, _, pair = column.rpartition(".")
        found.setdefault(pair.replace("|", " and "), {})[place] = curve
    return found


def gap_curves(logs: Files, path: Path) -> Path:
    """One panel per task: the gap of its training loss to its single-task reference, over the steps.

    logs: {method: for every seed, the ``monitor.csv`` of its runs}. A method's line is the mean over its seeds, the band
    around it goes from the lowest to the highest. Below 0 the task trains better than alone. Returns `path`, the PNG's.
    Raises FileNotFoundError for a log that is not there, ValueError where no log holds a gap.
    """
    return charted(logs, read_gaps, path, what="gap", ylabel="loss over that of its reference, - 1", level=0.0)


def cosine_map(cosines: Mapping[str, Curves], path: Path, *, title: str = "") -> Path:
    """One panel per pair of tasks: the cosine of their gradients, a row per place, from the first at the top, a column per
    look.

    cosines: as of `read_cosines`, of one training. White where a cosine is not defined. Returns `path`, the PNG's. Raises
    ValueError where there is no cosine.
    """
    pairs = {pair: places for pair, places in cosines.items() if places}
    if not pairs:
        raise ValueError("no cosine to draw: the training's monitor.csv has none")
    rows = max(len(places) for places in pairs.values())
    figure = Figure(figsize=(2.0 + 4.0 * len(pairs), 1.8 + 0.35 * rows), layout="constrained")
    for number, (pair, places) in enumerate(pairs.items()):
        axes = figure.add_subplot(1, len(pairs), number + 1)
        steps, values = _table(places)
        image = axes.imshow(values, cmap=DIVERGING, vmin=-1.0, vmax=1.0, aspect="auto", interpolation="nearest")
        shown_steps = np.unique(np.linspace(0, len(steps) - 1, min(5, len(steps))).round().astype(int))
        axes.set_xticks(shown_steps, [str(steps[i]) for i in shown_steps])
        axes.set_yticks(range(len(places)), [shown(place) for place in places])
        axes.set(title=shown(pair), xlabel="step")
    figure.colorbar(image, ax=figure.axes, label="cosine of gradients")
    if title:
        figure.suptitle(shown(title, 60))
    return save_figure(figure, path)


def _table(places: Curves) -> tuple[list[int], np.ndarray]:
    """The steps of all looks, and the cosines (places, looks), NaN where there is none."""
    steps = sorted({step for of, _ in places.values() for step in of})
    values = np.full((len(places), len(steps)), np.nan)
    for row, (of, cosines) in enumerate(places.values()):
        values[row, np.searchsorted(steps, of)] = cosines
    return steps, values
