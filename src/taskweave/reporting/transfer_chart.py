"""Negative transfer during training: losses beside those of single-task trainings, and whether gradients agree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from taskweave.reporting.charts import save_figure
from taskweave.reporting.learning_curves import Curves, Files, charted, read_columns
from taskweave.reporting.style import GREY, shown

DIVERGING: Final = "PuOr"
"""Of heat maps around 0: told apart with every kind of colour vision, light where it is 0."""
_WRITTEN = 10
"""Up to so many looks their cosines are written into the map."""


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

    Beside each place stands the mean over its looks; few looks have their numbers in the map. Grey where a cosine is not
    defined.
    cosines: as of `read_cosines`, of one training. Returns `path`, the PNG's. Raises ValueError where there is no cosine.
    """
    pairs = {pair: places for pair, places in cosines.items() if places}
    if not pairs:
        raise ValueError("no cosine to draw: the training's monitor.csv has none")
    rows = max(len(places) for places in pairs.values())
    figure = Figure(figsize=(2.0 + 4.0 * len(pairs), 1.8 + 0.35 * rows), layout="constrained")
    for number, (pair, places) in enumerate(pairs.items()):
        axes = figure.add_subplot(1, len(pairs), number + 1)
        image = _draw(axes, places)
        axes.set(title=shown(pair), xlabel="step (beside a place: mean of all looks)")
    figure.colorbar(image, ax=figure.axes, label="cosine of gradients")
    if title:
        figure.suptitle(shown(title, 60))
    return save_figure(figure, path)


def _draw(axes: Axes, places: Curves) -> AxesImage:
    steps, values = _table(places)
    colours = colormaps[DIVERGING].with_extremes(bad=GREY)
    image = axes.imshow(
        np.ma.masked_invalid(values), cmap=colours, vmin=-1.0, vmax=1.0, aspect="auto", interpolation="nearest"
    )
    ticks = np.unique(np.linspace(0, len(steps) - 1, min(5, len(steps))).round().astype(int))
    axes.set_xticks(ticks, [str(steps[i]) for i in ticks])
    names = [f"{shown(place)} ({mean:+.2f})" for place, mean in zip(places, np.nanmean(values, axis=1), strict=True)]
    axes.set_yticks(range(len(places)), names)
    for row, column in np.argwhere(np.isfinite(values)) if len(steps) <= _WRITTEN else ():
        value = values[row, column]
        ink = "white" if abs(value) > 0.6 else "black"
        axes.text(column, row, f"{value:+.2f}", ha="center", va="center", fontsize="xx-small", color=ink)
    return image


def _table(places: Curves) -> tuple[list[int], np.ndarray]:
    """The steps of all looks, and the cosines (places, looks), NaN where there is none."""
    steps = sorted({step for of, _ in places.values() for step in of})
    values = np.full((len(places), len(steps)), np.nan)
    for row, (of, cosines) in enumerate(places.values()):
        values[row, np.searchsorted(steps, of)] = cosines
    return steps, values
