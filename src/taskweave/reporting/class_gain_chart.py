"""Which classes gain: those with few labels, the cross-stitch paper found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from taskweave.reporting.charts import BLACK, BLUE, VERMILLION, save_figure, shown, tidy_axes
from taskweave.results.class_gains import LEAST, ClassGain, least_labelled

_SPREAD = 20
"""From this ratio of the largest to the smallest count on, counts are drawn on a logarithmic axis."""


def draw_class_gains(
    methods: Mapping[str, Sequence[ClassGain]], path: Path, *, metric: str, unit: str = "labels of the train part"
) -> Path:
    """A panel per method: a bar per class (the mean over seeds, each seed a point), and the number of labels as a line.

    As figures 5 and 6 of Misra et al., "Cross-stitch networks for multi-task learning" (CVPR 2016): sorted by the number
    of labels. The means over the 10 and the 20 classes with the fewest labels, which section 6.5 prints (4.6 and 4.3),
    are written above each panel, with that over all.
    metric: what gains are in.  unit: what labels are counted in.
    Returns `path`, the PNG's. Raises ValueError where no method has a gain.
    """
    drawn = {method: gains for method, gains in methods.items() if any(gain.seeds for gain in gains)}
    if not drawn:
        raise ValueError(f"no gains per class to draw: no method of {list(methods)} has a class that the baseline has too")
    classes = max(len(gains) for gains in drawn.values())
    figure = Figure(figsize=(max(6.5, 2.0 + 0.21 * classes), 1.5 + 2.1 * len(drawn)), layout="constrained")
    panels = figure.subplots(len(drawn), 1, squeeze=False)[:, 0]
    for axes, (method, gains) in zip(panels, drawn.items(), strict=True):
        known = [gain for gain in gains if gain.labels > 0 or gain.seeds]
        _draw_bars(axes, known)
        _draw_counts(axes, known, unit)
        axes.set_title(shown(f"{method}: {_in_words(gains)}", 20 + 3 * classes), fontsize="small")
        axes.set_ylabel(shown(f"gain, {metric}", 22), fontsize="small")
        axes.set_xticks(range(len(known)), [shown(g.name, 22, lines=1) for g in known], rotation=90, fontsize="x-small")
        if [gain.name for gain in gains] == [gain.name for gain in list(drawn.values())[-1]] and axes is not panels[-1]:
            axes.xaxis.set_major_formatter(NullFormatter())
    return save_figure(figure, path)


def _draw_bars(axes: Axes, gains: Sequence[ClassGain]) -> None:
    values = [gain.mean if gain.mean is not None else 0.0 for gain in gains]
    colours = [BLUE if value >= 0 else VERMILLION for value in values]
    bars = axes.bar(range(len(gains)), values, color=colours, width=0.7)
    for bar, value in zip(bars, values, strict=True):
        bar.set(hatch="" if value >= 0 else "////", edgecolor="white")
    points = [(place, value) for place, gain in enumerate(gains) for value in gain.seeds if len(gain.seeds) > 1]
    if points:
        axes.plot(*zip(*points, strict=True), "o", markersize=2.5, markerfacecolor="white", markeredgecolor=BLACK)
    axes.axhline(0.0, color=BLACK, linewidth=0.8)
    axes.set_xlim(-0.7, len(gains) - 0.3)
    tidy_axes(axes)
    axes.grid(visible=False, axis="x")


def _draw_counts(axes: Axes, gains: Sequence[ClassGain], unit: str) -> None:
    counts = [gain.labels for gain in gains]
    right = axes.twinx()
    right.plot(range(len(gains)), counts, color=BLACK, linewidth=1.4)
    right.set_ylabel(shown(unit, 20), fontsize="small")
    right.spines["top"].set_visible(False)
    least = min((count for count in counts if count > 0), default=1)
    if max(counts) > _SPREAD * least:
        right.set_yscale("log" if min(counts) > 0 else "symlog")
    else:
        right.set_ylim(bottom=0)
    right.tick_params(which="both", labelsize="x-small")


def _in_words(gains: Sequence[ClassGain]) -> str:
    means = {count: least_labelled(gains, count) for count in LEAST}
    words = [f"{value:+.2f} over the {count} with the fewest labels" for count, value in means.items() if value is not None]
    known = [gain.mean for gain in gains if gain.mean is not None and gain.labels > 0]
    return "mean gain " + ", ".join([*words, *([f"{fmean(known):+.2f} over all {len(known)}"] if known else [])])
