"""Which classes gain: those with few labels, the cross-stitch paper found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final, final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from taskweave.reporting.charts import save_figure, tidy_axes
from taskweave.reporting.style import BLACK, BLUE, VERMILLION, shown

LEAST: Final = (10, 20)
"""Of so many classes with the fewest labels the paper gives the mean gain."""
_SPREAD = 20
"""From this ratio of the largest to the smallest count on, counts are drawn on a logarithmic axis."""


@final
@dataclass(frozen=True)
class ClassGain:
    """How much a method is ahead of the baseline in one class; + is better.

    labels: how many the train part has.  seeds: the gain with every seed that both have, in the unit of the metric.
    """

    name: str
    labels: int
    seeds: tuple[float, ...]

    @property
    def mean(self) -> float | None:
        return fmean(self.seeds) if self.seeds else None


Scores = Mapping[int, Mapping[str, float | None]]
"""{seed: {class: score}}"""


def gains_by_class(method: Scores, baseline: Scores, labels: Mapping[str, int], *, lower: bool = False) -> list[ClassGain]:
    """The gain of every class that has labels or a score, the fewest labels first; ties in the order of `labels`.

    lower: whether a lower score is better. A class without a score in a method or its baseline has no gain there.
    """
    sign = -1.0 if lower else 1.0
    names = dict.fromkeys([*labels, *(name for scores in method.values() for name in scores)])
    found = []
    for name in names:
        pairs = [(method[seed].get(name), baseline[seed].get(name)) for seed in method if seed in baseline]
        gains = [sign * (a - b) for a, b in pairs if a is not None and b is not None and math.isfinite(a - b)]
        found.append(ClassGain(name, labels.get(name, 0), tuple(gains)))
    return sorted(found, key=lambda gain: gain.labels)


def least_labelled(gains: Sequence[ClassGain], count: int) -> float | None:
    """The mean gain of the `count` classes with the fewest labels that have one; None where not so many have.

    Classes without a label in the train part are left out: nothing was learned of them.
    """
    ordered = sorted((gain for gain in gains if gain.labels > 0), key=lambda gain: gain.labels)
    known = [gain.mean for gain in ordered if gain.mean is not None]
    return fmean(known[:count]) if len(known) >= count > 0 else None


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
