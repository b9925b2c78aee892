"""A sweep as a chart: how good every value is, relative to the single networks (cross-stitch paper, figure 2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from matplotlib.axes import Axes

from taskweave.metrics.gain import metric_gains
from taskweave.reporting.charts import GREY, Style, figure_with_legend, save_figure, shown, tidy_axes
from taskweave.results.comparison import ComparisonResult, Direction, Point, Swept

RELATIVE = {
    "higher": "value / single's",
    "lower": "2 - value / single's",
}
"""1 + the relative gain, so that 1 is as good as single and up is better."""


class Dot(NamedTuple):
    """The number of one row.

    Args:
        better_than_constant: False if a constant prediction is as good.
    """

    x: float
    y: float
    better_than_constant: bool


def sweep_chart(result: ComparisonResult, swept: Swept, path: Path) -> Path:
    """Draw one line per task: the gain in its first metric, averaged over seeds, with a dot per seed. + is always better.

    Split sweeps show 1 + the relative gain over the single-task networks of the same seed; other sweeps show that gain in
    percent. Rows outside the sweep stand to the right of the values; the last has a line across. A hollow dot is no better
    than a constant prediction. Values without a row (failed or not trained yet) are gaps.

    Args:
        path: Where the PNG is written; an SVG is written beside it.

    Returns:
        `path`.

    Raises:
        ValueError: No value can be compared with the single-task networks.
    """
    columns = main_metrics(result)
    spots, dots = _spots(swept), dots_of(result, swept)
    labels = [f"{task}: {metric}, {_formula(swept, direction)}" for task, (metric, direction) in columns.items()]
    if not any(group for groups in dots.values() for group in groups):
        raise ValueError(f"nothing to draw: no value of {result.name!r} can be compared with {result.baseline!r}")
    figure, styles = figure_with_legend((1.5 + max(4.5, 0.8 * len(spots)), 3.6), labels)
    axes = figure.add_subplot()
    axes.axhline(1.0 if swept.relative else 0.0, color=GREY, linewidth=1.0, label=result.baseline)
    for label, groups in zip(labels, dots.values(), strict=True):
        _draw(axes, groups, styles[label], valued=len(swept.points))
    _label(axes, spots, swept, result.baseline)
    return save_figure(figure, path)


def dots_of(result: ComparisonResult, swept: Swept) -> dict[str, list[list[Dot]]]:
    """{task: per value, then per row beside them, a dot for each seed}, as `sweep_chart` draws them."""
    spots = _spots(swept)
    return {
        task: [_dots(result, swept, point, x, task, *how) for point, x in spots]
        for task, how in main_metrics(result).items()
    }


def main_metrics(result: ComparisonResult) -> dict[str, tuple[str, Direction]]:
    """{task: (its first metric, which way is better)} of the tasks' own tests."""
    own = {task: ways for task, ways in result.directions.items() if task not in (*result.further, *result.parts)}
    return {task: next(iter(ways.items())) for task, ways in own.items() if ways}


def _spots(swept: Swept) -> list[tuple[Point, float]]:
    """Every point with its place on the axis; those beside follow after a gap."""
    beside = [Point(text=title, method=title) for title in swept.beside]
    if swept.logarithmic:
        return [(point, point.number or 1.0) for point in swept.points]
    places = [float(i) for i in range(len(swept.points))] + [len(swept.points) + 0.5 + i for i in range(len(beside))]
    return list(zip((*swept.points, *beside), places, strict=True))


def _dots(
    result: ComparisonResult, swept: Swept, point: Point, x: float, task: str, metric: str, direction: Direction
) -> list[Dot]:
    single = {row.seed: row.metrics for row in result.rows if row.method == result.baseline}
    found: list[Dot] = []
    for row in result.rows:
        new = row.metrics.get(task, {}).get(metric)
        old = single.get(row.seed, {}).get(task, {}).get(metric)
        if row.method != point.method or point.seed not in (None, row.seed) or new is None or old is None:
            continue
        gain = metric_gains({task: {metric: new}}, {task: {metric: old}}, {task: {metric: direction}})[task][metric]
        if math.isfinite(gain):
            no_better = any((mark.task, mark.metric) == (task, metric) for mark in row.marks)
            found.append(Dot(x, 1.0 + gain if swept.relative else 100.0 * gain, not no_better))
    return found


def _formula(swept: Swept, direction: Direction) -> str:
    if swept.relative:
        return RELATIVE[direction]
    return "(value - single's) / single's" if direction == "higher" else "(single's - value) / single's"


def _draw(axes: Axes, groups: Sequence[Sequence[Dot]], style: Style, *, valued: int) -> None:
    means = [(group[0].x, fmean(dot.y for dot in group)) for group in groups[:valued] if group]
    axes.plot(*zip(*means, strict=True), color=style.colour, linestyle=style.dashes, linewidth=1.3) if means else None
    for group in groups[valued:][-1:]:
        if group:
            axes.axhline(fmean(dot.y for dot in group), color=style.colour, linestyle=":", linewidth=0.9)
    several = any(len(group) > 1 for group in groups)
    for group in groups:
        for dot in group:
            face = style.colour if dot.better_than_constant else "white"
            axes.plot(dot.x, dot.y, style.marker, color=style.colour, markerfacecolor=face, markersize=3 if several else 6)
        if several and group:
            axes.plot(group[0].x, fmean(dot.y for dot in group), style.marker, color=style.colour, markersize=7)


def _label(axes: Axes, spots: Sequence[tuple[Point, float]], swept: Swept, baseline: str) -> None:
    if swept.logarithmic:
        axes.set_xscale("log")
    texts = [shown(point.text, 14) for point, _ in spots]
    axes.set_xticks([x for _, x in spots], texts, rotation=30 if max(map(len, texts), default=0) > 6 else 0)
    axes.minorticks_off()
    axes.set(
        xlabel=f"{shown(swept.label, 60)} (grey line: {shown(baseline, 20)}; hollow: no better than a constant)",
        ylabel=f"relative to {shown(baseline, 20)}" if swept.relative else f"gain over {shown(baseline, 20)}, %",
    )
    tidy_axes(axes)
