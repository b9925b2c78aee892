"""Every metric of a comparison as bars, method beside method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from taskweave.reporting.charts import save_figure, tidy_axes
from taskweave.reporting.tables import Line, Table

_BASELINE, _OTHERS = "#8d99a6", "#3b7dd8"
_PANEL = 3.0
"""Inches of a panel's width."""


def metric_bars(table: Table, path: Path) -> Path:
    """A PNG with a panel per metric, each with a bar per method; as figure 4 of the MT-UNet paper, for any methods.

    The first method, the baseline, is grey; a whisker is the spread over seeds, a dotted line what a constant prediction
    scores. Bars begin at 0. Returns `path`. Raises ValueError for a table without a metric.
    """
    places = [place for place, column in enumerate(table.columns) if column.kind == "metric"]
    methods = [line for line in table.lines if line.seeds]
    if not places or not methods:
        raise ValueError(f"no metrics to draw: the table {table.title!r} has {len(places)} for {len(methods)} methods")
    constant = next((line for line in table.lines if not line.seeds), None)
    figure = Figure(figsize=(1.6 + _PANEL * len(places), 1.0 + 0.34 * len(methods)), layout="constrained")
    panels = figure.subplots(1, len(places), sharey=True, squeeze=False)[0]
    for axes, place in zip(panels, places, strict=True):
        _draw(axes, methods, place)
        level = constant.entries[place].value if constant is not None else None
        if level is not None:
            axes.axvline(level, color="black", linewidth=1.0, linestyle=":")
        axes.set_title(table.columns[place].head, fontsize="small")
    panels[0].invert_yaxis()
    return save_figure(figure, path)


def _draw(axes: Axes, methods: Sequence[Line], place: int) -> None:
    entries = [line.entries[place] for line in methods]
    bars = axes.barh(
        [line.method for line in methods],
        [entry.value or 0.0 for entry in entries],
        xerr=[entry.spread or 0.0 for entry in entries],
        color=[_OTHERS if number else _BASELINE for number in range(len(methods))],
        height=0.65,
    )
    clear = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}  # the constant's line does not cross the number
    axes.bar_label(bars, [entry.text for entry in entries], padding=2, fontsize="x-small", bbox=clear)
    axes.margins(x=0.25)
    tidy_axes(axes)
