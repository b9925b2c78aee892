"""Curves: losses, weights, validations and negative transfer over the steps of training, and those of detectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from taskweave.metrics.per_image import Curve
from taskweave.reporting.charts import (
    GREY,
    Style,
    draw_band,
    draw_line,
    figure_with_legend,
    grid_of,
    save_figure,
    shown,
    styles_of,
    tidy_axes,
)
from taskweave.results.run_files import Curves, read_gaps, read_losses, read_validations, read_weights

Files = Mapping[str, Sequence[Sequence[Path]]]
"""{method: for every seed, the files of its runs}; runs of one seed are of different tasks."""

POINTS: Final = 500
"""Of a longer log every so many rows are drawn as one point, their mean."""
_STEEP = 50.0
"""From this ratio of the largest to the smallest value on an axis is logarithmic."""


def training_curves(logs: Files, path: Path) -> Path:
    """Draw one panel per task: the unweighted loss over the steps.

    A method's line is the mean over its seeds; the band spans the lowest to the highest seed. Rows cut short by a crash and
    empty cells are skipped.

    Args:
        logs: The ``log.csv`` of every run, with the columns ``step`` and ``loss.<task>`` among others.

    Returns:
        `path`, of the PNG.

    Raises:
        FileNotFoundError: A log does not exist.
        ValueError: No log holds a loss.
    """
    return charted(logs, read_losses, path, what="loss", ylabel="loss, unweighted")


def weight_curves(logs: Files, path: Path) -> Path:
    """Draw one panel per task: the factor of its loss, or gradient, over the steps.

    Arguments, lines, results and errors are as in `training_curves`; the columns are ``weight.<task>``.
    """
    return charted(logs, read_weights, path, what="weight", ylabel="weight")


def validation_curves(tables: Files, path: Path) -> Path:
    """Draw one panel per task and metric: the validation metrics during training. Lines are as in `training_curves`.

    Args:
        tables: The ``validation.csv`` of every run, with the columns step, task, metric, value.

    Returns:
        `path`, of the PNG.

    Raises:
        FileNotFoundError: A table does not exist.
        ValueError: No table holds a value.
    """
    return charted(tables, read_validations, path, what="validation", ylabel="validation")


def charted(
    files: Files, read: Callable[[Path], Curves], path: Path, *, what: str, ylabel: str, level: float | None = None
) -> Path:
    """Draw one panel per curve that `read` finds in the files.

    Args:
        what: What the curves are called in messages.
        level: Height of a grey horizontal line.

    Raises:
        ValueError: There is nothing to draw; no file is written.
    """
    found = {
        method: [{name: curve for file in seed for name, curve in read(file).items()} for seed in seeds]
        for method, seeds in files.items()
    }
    found = {method: [seed for seed in seeds if seed] for method, seeds in found.items()}
    found = {method: seeds for method, seeds in found.items() if seeds}
    if not found:
        names = [str(file) for seeds in files.values() for seed in seeds for file in seed]
        raise ValueError(f"no {what} to draw: none of {names} has a row with a {what}")
    # a method looks the same in all charts of a comparison, also where some of them have nothing of another
    styles = {method: style for method, style in styles_of(list(files)).items() if method in found}
    names = list(dict.fromkeys(name for seeds in found.values() for curves in seeds for name in curves))
    down, across = grid_of(len(names))
    size = (5.0 * across if across < 3 else 4.0 * across, 3.6 * down)
    figure, _ = figure_with_legend(size, list(found), styles=styles)
    for number, name in enumerate(names):
        axes = figure.add_subplot(down, across, number + 1)
        if level is not None:
            axes.axhline(level, color=GREY, linewidth=1.0)
        for method, seeds in found.items():
            _draw(axes, [curves[name] for curves in seeds if name in curves], styles[method])
        axes.set(title=shown(name), xlabel="step", ylabel=ylabel)
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        _scale(axes)
        tidy_axes(axes)
    if any(len(seeds) > 1 for seeds in found.values()):
        figure.suptitle("line: mean over seeds; band: from the lowest to the highest seed", fontsize="small")
    return save_figure(figure, path)


def _draw(axes: Axes, seeds: Sequence[tuple[list[int], list[float]]], style: Style) -> None:
    if not seeds:
        return
    steps, values = over_seeds([thinned(*seed) for seed in seeds])
    if len(seeds) > 1:
        draw_band(axes, steps.tolist(), values.min(0).tolist(), values.max(0).tolist(), style)
    draw_line(axes, steps.tolist(), values.mean(0).tolist(), style)


def _scale(axes: Axes) -> None:
    drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in axes.lines])
    known = drawn[np.isfinite(drawn)]
    if len(known) and known.min() > 0 and known.max() > _STEEP * known.min():
        axes.set_yscale("log")


def thinned(steps: Sequence[int], values: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values, of more than `POINTS` the means of so many neighbours as leave no more than that.

    Values that are not finite are NaN, and so is a mean with one among them: a gap in the line.
    """
    x, y = np.asarray(steps, dtype=float), np.asarray(values, dtype=float)
    y = np.where(np.isfinite(y), y, np.nan)
    every = -(-len(x) // POINTS)
    starts = np.arange(0, len(x), max(1, every))
    counts = np.diff(np.append(starts, len(x)))
    return np.add.reduceat(x, starts) / counts, np.add.reduceat(y, starts) / counts


def over_seeds(seeds: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Steps (N,) that all seeds have reached, and their values (seeds, N) there; between two steps of a seed in a line."""
    last = min(steps[-1] for steps, _ in seeds)
    first = max(steps[0] for steps, _ in seeds)
    union = np.unique(np.concatenate([steps for steps, _ in seeds]))
    at = union[(union >= first) & (union <= last)]
    return at, np.stack([np.interp(at, steps, values) for steps, values in seeds])


DIVERGING: Final = "PuOr"
"""Of heat maps around 0: told apart with every kind of colour vision, light where it is 0."""
_WRITTEN = 10
"""Up to so many looks their cosines are written into the map."""


def gap_curves(logs: Files, path: Path) -> Path:
    """Draw one panel per task: the gap between its training loss and its single-task reference, over the steps.

    Below 0 the task trains better than alone. A method's line is the mean over its seeds; the band spans the lowest to the
    highest.

    Args:
        logs: {method: for every seed, the ``monitor.csv`` of its runs}.

    Returns:
        `path`, of the PNG.

    Raises:
        FileNotFoundError: A log does not exist.
        ValueError: No log holds a gap.
    """
    return charted(logs, read_gaps, path, what="gap", ylabel="loss over that of its reference, - 1", level=0.0)


def cosine_map(cosines: Mapping[str, Curves], path: Path, *, title: str = "") -> Path:
    """Draw one panel per pair of tasks: the cosine of their gradients over training.

    Rows are the connections where the tasks meet, the first at the top; columns are the measurements. The mean over all
    measurements stands beside each row. If there are few, their numbers are written in the map. Undefined cosines are grey.

    Args:
        cosines: The cosines of one training, as returned by `read_cosines`.

    Returns:
        `path`, of the PNG.

    Raises:
        ValueError: There is no cosine.
    """
    pairs = {pair: places for pair, places in cosines.items() if places}
    if not pairs:
        raise ValueError("no cosine to draw: the training's monitor.csv has none")
    rows = max(len(places) for places in pairs.values())
    figure = Figure(figsize=(2.0 + 4.0 * len(pairs), 1.8 + 0.35 * rows), layout="constrained")
    for number, (pair, places) in enumerate(pairs.items()):
        axes = figure.add_subplot(1, len(pairs), number + 1)
        image = _draw_cosines(axes, places)
        axes.set(title=shown(pair), xlabel="step (beside a place: mean of all looks)")
    figure.colorbar(image, ax=figure.axes, label="cosine of gradients")
    if title:
        figure.suptitle(shown(title, 60))
    return save_figure(figure, path)


def _draw_cosines(axes: Axes, places: Curves) -> AxesImage:
    steps, values = _looks(places)
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


def _looks(places: Curves) -> tuple[list[int], np.ndarray]:
    """The steps of all looks, and the cosines (places, looks), NaN where there is none."""
    steps = sorted({step for of, _ in places.values() for step in of})
    values = np.full((len(places), len(steps)), np.nan)
    for row, (of, cosines) in enumerate(places.values()):
        values[row, np.searchsorted(steps, of)] = cosines
    return steps, values


_LEAST = {"x": 1e-3, "y": 1e-2}
"""Where logarithmic axes begin; what is below, 0 too, is drawn there."""


def draw_curves(curves: Mapping[str, Sequence[Curve]], path: Path, *, title: str = "") -> Path:
    """Draw a panel for each class and kind of curve, with a line per method and one legend.

    Miss rates are drawn with both axes logarithmic, as in Dollár et al. (2012), precision over recall from 0 to 1.

    Args:
        curves: {method: the curves of its metric}, from ``DetectionMetric.curves()``.

    Returns:
        `path`, of the PNG.

    Raises:
        ValueError: There is no curve.
    """
    panels = list(dict.fromkeys(_panel(curve) for found in curves.values() for curve in found))
    if not panels:
        raise ValueError(f"no curves to draw: none of the methods {list(curves)} has any; measure on images with objects")
    down, across = grid_of(len(panels))
    # a method looks the same in all charts of a comparison, also where others have no such curve
    styles = {method: style for method, style in styles_of(list(curves)).items() if curves[method]}
    figure, _ = figure_with_legend((3.6 * across, 3.2 * down), list(styles), styles=styles)
    for number, panel in enumerate(panels):
        axes = figure.add_subplot(down, across, number + 1)
        for method, found in curves.items():
            for curve in found:
                if _panel(curve) == panel:
                    _draw_curve(axes, curve, styles[method])
    figure.suptitle(shown(title, 60), fontsize="small")
    return save_figure(figure, path)


def _panel(curve: Curve) -> tuple[str, str, str]:
    return curve.name, curve.x_axis, curve.y_axis


def _draw_curve(axes: Axes, curve: Curve, style: Style) -> None:
    axes.set(title=shown(curve.name), xlabel=curve.x_axis, ylabel=curve.y_axis)
    if curve.logarithmic:
        x, y = ([max(value, _LEAST[axis]) for value in values] for axis, values in (("x", curve.x), ("y", curve.y)))
        draw_line(axes, x, y, style, steps=True)
        axes.set(xscale="log", yscale="log")
        # miss rates seldom span a decade: shares as plain numbers
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.tick_params(axis="y", which="minor", labelsize="x-small")
    else:
        draw_line(axes, curve.x, curve.y, style)
        axes.set(xlim=(0.0, 1.0), ylim=(0.0, 1.02))
    tidy_axes(axes)
